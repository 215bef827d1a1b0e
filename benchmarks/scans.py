"""Bare DuckDB scans: what reading the same bytes costs at the least."""

from datetime import date
from pathlib import Path

import duckdb

from benchmarks.lake_files import live_files

_AGGREGATES = "SELECT count(*), max(COLUMNS(*))"


def scan_csv(con: duckdb.DuckDBPyConnection, file: Path, *, all_varchar: bool = False) -> int:
    """Count the rows of a CSV and find the greatest value of each column, with DuckDB's defaults."""
    return _count(con, f"{_AGGREGATES} FROM read_csv($source, all_varchar = {all_varchar})", str(file))


def scan_parquet(con: duckdb.DuckDBPyConnection, files: list[str]) -> int:
    """Count the rows of Parquet files and find the greatest value of each column."""
    return _count(con, f"{_AGGREGATES} FROM read_parquet($source, hive_partitioning = false)", files)


def files_between(lake: Path, first: date, last: date) -> list[str]:
    """List the Parquet files with the polls of these days."""
    return [file.path for file in live_files(lake / "polls") if file.polled_on and first <= file.polled_on <= last]


def _count(con: duckdb.DuckDBPyConnection, query: str, source: str | list[str]) -> int:
    with con.cursor() as cursor:
        counts = cursor.sql(query, params={"source": source}).to_arrow_table()
    count: int = counts.column(0)[0].as_py()
    return count
