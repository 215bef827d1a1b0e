"""Chains the SQL steps into one statement, binds its parameters and inputs, and runs it."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import duckdb
import polars as pl

FIGURES = ("last_polls", "believed_polls", "turns", "changes", "boundaries", "marks", "clocks", "figures")
"""The steps to the figures of each store in each window; the last one is the answer."""


@cache
def step(name: str) -> str:
    """Read one step: a plain SELECT under a header that tells its row, what it reads, and the units."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8").rstrip()


def statement(steps: tuple[str, ...]) -> str:
    """Compose steps into one statement: each a CTE with its own name, the last one the body."""
    *ctes, body = steps
    chain = ",\n".join(f"{name} AS (\n{_indented(step(name))}\n)" for name in ctes)
    return f"WITH {chain}\n{step(body)}" if ctes else step(body)


def run(
    con: duckdb.DuckDBPyConnection,
    steps: tuple[str, ...],
    inputs: Mapping[str, pl.DataFrame],
    params: Mapping[str, object],
) -> pl.DataFrame:
    """Run a statement on a connection over input frames, each known to the steps by its name."""
    for name, frame in inputs.items():
        con.register(name, frame.to_arrow())
    answer: pl.DataFrame = con.sql(statement(steps), params=dict(params)).pl()
    return answer


def _indented(sql: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in sql.splitlines())
