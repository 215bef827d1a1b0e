"""The one DuckDB of this process: making an instance takes 15 ms, a cursor on it next to nothing."""

import threading
from functools import cache, lru_cache
from tempfile import gettempdir

import duckdb
import polars as pl

_LEAST_MEMORY = 1 << 28  # bytes without which it does not get far
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


def connect() -> duckdb.DuckDBPyConnection:
    """Open a cursor of its own: what is registered on it is seen by no other. Close it when done."""
    with _lock:
        cursor = _database().cursor()
    cursor.execute("SET TimeZone = 'UTC'")  # a setting of each cursor, not of the instance
    return cursor


@lru_cache(maxsize=1)  # to set it takes two milliseconds, and most questions may take the same
def limit_memory(size: int) -> None:
    """Let all cursors together take so many bytes, before they spill."""
    with connect() as con:
        con.execute(f"SET memory_limit = '{max(size, _LEAST_MEMORY)}B'")
