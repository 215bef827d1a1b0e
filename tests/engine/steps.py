"""One SQL step, or several, on literal rows.

In the rows a store is a small integer, an instant or a length of time a small number of microseconds.
"""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from storemon.engine import pipeline
from storemon.engine.pipeline import HEARD, HOUR_OF_WEEK, LOOK_BACK, STATES, name_of
from storemon.lake.duck import connect

Row = tuple[object, ...]
Columns = Mapping[str, pl.DataType | type[pl.DataType]]
Inputs = Mapping[str, Sequence[Row]]

KEY, US, STATE = pl.Int32, pl.Int64, pl.Boolean
POLLS: Columns = {"store_key": KEY, "polled_at": pl.Datetime("us", "UTC"), "active": STATE}
INTERVALS: Columns = {"store_key": KEY, "opens_at": US, "closes_at": US, "clock_us": US}
INPUTS: dict[str, Columns] = {
    "polls_before": POLLS,
    "polls_within": POLLS,
    "stores": {"store_key": KEY, "zone_key": KEY, "first_polled_at": US, "first_active": STATE},
    "windows": {"part": KEY, "zone_key": KEY, "starts_at": US, "ends_at": US},
    "open_intervals": INTERVALS,
    "excluded_intervals": INTERVALS,
}
"""What the steps are given, as far as they read it."""
TOLD: Columns = {"store_key": KEY, "polled_at": US, "active": STATE}
CHANGES: Columns = {"store_key": KEY, "instant": US, "was": STATE, "becomes": STATE}
STEPS: dict[str, Columns] = {
    "last_polls": TOLD,
    "observed_polls": TOLD,
    "carry/believed_polls": TOLD,
    "carry/turns": {**TOLD, "was": STATE, "lapses": STATE},
    "carry/changes": CHANGES,
    "nearest/changes": CHANGES,
    "certain/changes": CHANGES,
}
"""What the steps give."""
FROM_STATES = {
    "hour_of_week": HOUR_OF_WEEK,
    "explanation": ("explain/states",),
}
ALL_CHAINS: dict[str, tuple[str, ...]] = {
    **STATES,
    **{
        f"{answer}, {policy}": (*STATES[policy], *steps)
        for policy in ("carry", "nearest")
        for answer, steps in FROM_STATES.items()
    },
    "outages long ago": (*LOOK_BACK, *STATES["carry"]),
    "polls": ("explain/polls",),
    "silences": HEARD,
}
"""Those of every answer, but for the audit's, whose steps stand each on its own."""
PARAMS = {"starts_at": 100, "until": 130, "carry_us": 10, "lasts_us": 10}


def parameters(sql: str) -> set[str]:
    return {*re.findall(r"\$(\w+)", re.sub("--.*", "", sql))}


def ran(sql: str, inputs: Inputs, params: Mapping[str, int] = PARAMS) -> pl.DataFrame:
    """Run SQL over rows under their tables' names, and put what comes out in order."""
    schemas = INPUTS | {name_of(step): columns for step, columns in STEPS.items()}
    with connect() as con:
        for name, rows in inputs.items():
            con.register(name, pl.DataFrame(rows, schema=schemas[name], orient="row").to_arrow())
        bound = {name: value for name, value in params.items() if name in parameters(sql)}
        answer: pl.DataFrame = con.sql(sql, params=bound).pl()
    return answer.sort(pl.all())


def rows_of(step: str, inputs: Inputs) -> list[Row]:
    """Run a step alone on rows, and check that it gives the columns it should."""
    answer = ran(pipeline.step(step), inputs)
    assert answer.columns == [*STEPS[step]]
    return answer.rows()
