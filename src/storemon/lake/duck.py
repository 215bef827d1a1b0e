"""The one DuckDB of this process: making an instance takes 15 ms, a cursor on it next to nothing."""

import threading
from functools import cache
from tempfile import gettempdir

import duckdb
import polars as pl

_lock = threading.Lock()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    # As many threads as Polars takes; and if memory is short after all, the system's temporary folder.
    return duckdb.connect(
        config={"threads": pl.thread_pool_size(), "temp_directory": f"{gettempdir()}/storemon.duckdb"}
    )


def connect() -> duckdb.DuckDBPyConnection:
    """Open a cursor of its own: what is registered on it is seen by no other. Close it when done."""
    with _lock:
        cursor = _database().cursor()
    cursor.execute("SET TimeZone = 'UTC'")  # a setting of each cursor, not of the instance
    return cursor
