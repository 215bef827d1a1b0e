"""The one DuckDB of this process: making an instance takes 15 ms, a cursor on it next to nothing."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from tempfile import gettempdir

import duckdb
import polars as pl

from storemon.errors import LakeError
from storemon.stopping import interrupted_by

_LEAST_MEMORY = 1 << 28  # bytes without which it does not get far
_MISTAKES = (
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.TypeMismatchException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
)
"""What a mistake in a statement leads to, never a file."""
_INTERRUPTED = "Query interrupted"
"""What DuckDB makes of a Ctrl-C."""
_lock = threading.Lock()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "threads": pl.thread_pool_size(),  # as many as Polars takes
            "temp_directory": f"{gettempdir()}/storemon.duckdb",  # if memory is short after all
            # Behind many steps it guesses too few rows, and would compare each with all of the other side.
            "asof_loop_join_threshold": 0,
        }
    )


@contextmanager
def connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a cursor of its own: what is registered on it is seen by no other. Work that is to stop is interrupted.

    Raises:
        KeyboardInterrupt: so it was by Ctrl-C.
        StoppedError: it is to stop.

    """
    with _lock:
        cursor = _database().cursor()
    try:
        with cursor, interrupted_by(cursor.interrupt):
            cursor.execute("SET TimeZone = 'UTC'")  # a setting of each cursor, not of the instance
            yield cursor
    except RuntimeError as error:
        if str(error) == _INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


class _Stream:
    """A frame as a stream of Arrow's C interface: what DuckDB reads without loading a library in between."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def offer(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make a frame known to a cursor as a relation."""
    con.register(name, _Stream(frame))


def rows_of(con: duckdb.DuckDBPyConnection, query: str, params: Mapping[str, object]) -> pl.DataFrame:
    """Run a query, and give all of its rows."""
    return pl.DataFrame(con.sql(query, params=params))


@lru_cache(maxsize=1)  # to set it takes two milliseconds, and most questions may take the same
def limit_memory(size: int) -> None:
    """Let all cursors together take so many bytes, before they spill."""
    with connect() as con:
        con.execute(f"SET memory_limit = '{max(size, _LEAST_MEMORY)}B'")


@contextmanager
def reading_polls(what: object) -> Iterator[None]:
    """Turn the failure to read the polls of ``what`` into a LakeError; of a damaged file DuckDB tells in many ways.

    A mistake in a statement stays what it is: it is ours, and its trace is of use.
    """
    try:
        yield
    except _MISTAKES:
        raise
    except duckdb.OutOfMemoryException as error:
        raise LakeError(
            f"the work on {what} does not fit into the memory: {str(error).splitlines()[0]}; allow it more with "
            "--memory, or make room in the temporary folder (TMPDIR)"
        ) from error
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise LakeError(f"the polls of {what} cannot be read: {str(error).splitlines()[0]}") from error
