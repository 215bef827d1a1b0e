"""One SQL step, or several, on literal rows.

In the rows a store is a small integer, an instant or a length of time a small number of microseconds.
"""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from storemon.engine import pipeline
from storemon.lake.duck import connect

Row = tuple[object, ...]
Columns = Mapping[str, pl.DataType | type[pl.DataType]]
Inputs = Mapping[str, Sequence[Row]]

KEY, US, NAME, STATE = pl.Int32, pl.Int64, pl.String, pl.Boolean
POLLS: Columns = {"store_key": KEY, "polled_at": pl.Datetime("us", "UTC"), "active": STATE}
INPUTS: dict[str, Columns] = {
    "polls_before": POLLS,
    "polls_within": POLLS,
    "stores": {"store_key": KEY, "first_polled_at": US, "first_active": STATE},
    "windows": {"name": NAME, "starts_at": US, "ends_at": US},
    "open_intervals": {"store_key": KEY, "opens_at": US, "closes_at": US, "clock_us": US},
}
"""What the steps are given."""
STEPS: dict[str, Columns] = {
    "last_polls": {"store_key": KEY, "polled_at": US, "active": STATE},
    "believed_polls": {"store_key": KEY, "polled_at": US, "active": STATE},
    "turns": {"store_key": KEY, "polled_at": US, "active": STATE, "was": STATE, "lapses": STATE},
    "changes": {"store_key": KEY, "instant": US, "was": STATE, "becomes": STATE},
    "boundaries": {"store_key": KEY, "instant": US},
    "marks": {"store_key": KEY, "instant": US, "was": STATE, "becomes": STATE, "is_boundary": STATE, "clock_us": US},
    "clocks": {"store_key": KEY, "instant": US, "clock_us": US, "uptime_us": US, "downtime_us": US},
    "figures": {
        "window_name": NAME,
        "store_key": KEY,
        "service_us": US,
        "uptime_us": US,
        "downtime_us": US,
        "unknown_us": US,
    },
}
"""What the steps give."""
PARAMS = {"starts_at": 100, "as_of": 130, "carry_us": 10}


def parameters(sql: str) -> set[str]:
    return {*re.findall(r"\$(\w+)", sql)}


def ran(sql: str, inputs: Inputs, params: Mapping[str, int] = PARAMS) -> pl.DataFrame:
    """Run SQL over rows under their tables' names, and put what comes out in order."""
    with connect() as con:
        for name, rows in inputs.items():
            con.register(name, pl.DataFrame(rows, schema=(INPUTS | STEPS)[name], orient="row").to_arrow())
        bound = {name: value for name, value in params.items() if name in parameters(sql)}
        answer: pl.DataFrame = con.sql(sql, params=bound).pl()
    return answer.sort(pl.all())


def rows_of(step: str, inputs: Inputs) -> list[Row]:
    """Run a step alone on rows, and check that it gives the columns it should."""
    answer = ran(pipeline.step(step), inputs)
    assert answer.columns == [*STEPS[step]]
    return answer.rows()
