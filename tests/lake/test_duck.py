"""What is told of a failure of DuckDB."""

import duckdb
import pytest

from storemon import LakeError
from storemon.lake.duck import connect, reading_polls


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT x", "FROM nowhere", "SELECT CAST('x' AS INTEGER)", "SELECT foo(1)"])
def test_a_mistake_in_a_statement_is_told_as_one(sql: str) -> None:
    with connect() as con, pytest.raises(duckdb.Error), reading_polls("the lake"):
        con.execute(sql).fetchall()


def test_a_file_that_cannot_be_read() -> None:
    told = pytest.raises(LakeError, match="the polls of the lake cannot be read")
    with connect() as con, told, reading_polls("the lake"):
        con.execute("FROM read_parquet('nowhere.parquet')").fetchall()


def test_too_little_memory() -> None:
    told = pytest.raises(LakeError, match=r"does not fit into the memory: .*; allow it more with --memory")
    small = duckdb.connect(config={"memory_limit": "2MB", "temp_directory": ""})
    with small as con, told, reading_polls("the lake"):
        con.execute("SELECT list(i) FROM range(10000000) t(i) GROUP BY i % 1000").fetchall()
