"""The steps from changes of state to the hours of the week, each alone on literal rows.

Y is active, N inactive and Q unknown.
"""

from collections.abc import Mapping

import polars as pl
import pytest

from storemon.engine import pipeline
from storemon.engine.pipeline import HOUR_OF_WEEK, name_of
from storemon.lake.duck import connect
from tests.engine.asking import told_by
from tests.engine.steps import CHANGES, INTERVALS, KEY, US, Columns, Inputs, Row

Y, N, Q = True, False, None
HELD = pl.String
SCHEMAS: Mapping[str, Columns] = {
    "changes": CHANGES,
    "open_intervals": INTERVALS,
    "excluded_intervals": INTERVALS,
    "stores": {"store_key": KEY, "zone_key": KEY},
    "cells_of_stores": {"store_key": KEY, "first_cell": US},
    "offsets": {"zone_key": KEY, "starts_at": US, "ends_at": US, "offset_us": US},
    "pieces": {"store_key": KEY, "starts_at": US, "ends_at": US, "held": HELD},
    "local_pieces": {"first_cell": US, "held": HELD, "starts_local": US, "ends_local": US},
    "edges": {"held": HELD, "cell": US, "more_us": US},
    "cells": {"held": HELD, "cell": US, "more_us": US},
}
HOUR = 3_600_000_000
HALF, WEEK = HOUR // 2, 168 * HOUR


def ran(sql: str, inputs: Inputs) -> pl.DataFrame:
    with connect() as con:
        for name, rows in inputs.items():
            con.register(name, pl.DataFrame(rows, schema=SCHEMAS[name], orient="row").to_arrow())
        answer: pl.DataFrame = con.sql(sql).pl()
    return answer.sort(pl.all())


def rows_of(step: str, inputs: Inputs) -> list[Row]:
    answer = ran(pipeline.step(f"week/{step}"), inputs)
    assert answer.columns == [*SCHEMAS[step]]
    return answer.rows()


@pytest.mark.parametrize(
    ("changes", "open_intervals", "expected"),
    [
        ([], [], []),
        ([(1, 105, Q, Y)], [], []),
        ([], [(1, 100, 110, 0)], [(1, 100, 110, "unknown")]),
        # The state at opening is that of the last change before; another store's changes do not matter.
        ([(1, 90, Q, Y), (2, 95, Q, N)], [(1, 100, 110, 0)], [(1, 100, 110, "active")]),
        ([(1, 90, Q, Y), (1, 95, Y, N)], [(1, 100, 110, 0)], [(1, 100, 110, "inactive")]),
        ([(1, 90, Q, Y), (1, 95, Y, Q)], [(1, 100, 110, 0)], [(1, 100, 110, "unknown")]),
        # Cut by changes while it is open, not by those at its ends.
        (
            [(1, 100, Q, Y), (1, 103, Y, N), (1, 107, N, Q), (1, 110, Q, Y), (1, 111, Y, N)],
            [(1, 100, 110, 0)],
            [(1, 100, 103, "active"), (1, 103, 107, "inactive"), (1, 107, 110, "unknown")],
        ),
        # Two changes at one instant, in either order: the store comes out inactive.
        ([(1, 105, Q, Y), (1, 105, Y, N)], [(1, 100, 110, 0)], [(1, 100, 105, "unknown"), (1, 105, 110, "inactive")]),
        ([(1, 105, Y, N), (1, 105, Q, Y)], [(1, 100, 110, 0)], [(1, 100, 105, "unknown"), (1, 105, 110, "inactive")]),
        # Closed time is no piece, however the state changes in it; where two intervals touch there is none.
        (
            [(1, 90, Q, N), (1, 112, N, Y), (1, 114, Y, N)],
            [(1, 100, 105, 0), (1, 105, 110, 5), (1, 115, 120, 10)],
            [(1, 100, 105, "inactive"), (1, 105, 110, "inactive"), (1, 115, 120, "inactive")],
        ),
    ],
)
def test_pieces(changes: list[Row], open_intervals: list[Row], expected: list[Row]) -> None:
    given: Inputs = {"changes": changes, "open_intervals": open_intervals, "excluded_intervals": []}
    assert rows_of("pieces", given) == expected


def test_pieces_that_maintenance_takes_out() -> None:
    given: Inputs = {
        "changes": [(1, 90, Q, Y)],
        "open_intervals": [(1, 100, 103, 0), (1, 106, 110, 3)],
        "excluded_intervals": [(1, 103, 106, 0)],
    }
    assert rows_of("pieces", given) == [(1, 100, 103, "active"), (1, 103, 106, "excluded"), (1, 106, 110, "active")]


def test_local_pieces() -> None:
    given: Inputs = {
        "pieces": [
            (1, 90, 100, "active"),  # ends as the window starts
            (1, 95, 105, "active"),
            (1, 105, 125, "inactive"),
            (1, 130, 140, "unknown"),  # starts as it ends
            (2, 105, 115, "active"),
        ],
        "stores": [(1, 0), (2, 1)],
        "cells_of_stores": [(1, 0), (2, 168)],
        # Zone 0 changes its clock at 110, five back.
        "offsets": [(0, 100, 110, 1005), (0, 110, 130, 1000), (1, 100, 130, 2000)],
    }
    assert rows_of("local_pieces", given) == [
        (0, "active", 1105, 1110),
        (0, "inactive", 1110, 1115),
        (0, "inactive", 1110, 1125),
        (168, "active", 2105, 2115),
    ]


@pytest.mark.parametrize(
    ("starts_local", "ends_local", "expected"),
    [
        # On whole hours, within one and across one.
        (5 * HOUR, 6 * HOUR, {5: HOUR}),
        (5 * HOUR, 8 * HOUR, {5: HOUR, 6: HOUR, 7: HOUR}),
        (5 * HOUR + 1, 5 * HOUR + 3, {5: 2}),
        (5 * HOUR, 5 * HOUR + 1, {5: 1}),
        (6 * HOUR - 1, 6 * HOUR, {5: 1}),
        (6 * HOUR - 1, 6 * HOUR + 2, {5: 1, 6: 2}),
        (5 * HOUR + HALF, 7 * HOUR + 1, {5: HALF, 6: HOUR, 7: 1}),
        # At the end of the week, and over it.
        (WEEK - 2, WEEK - 1, {167: 1}),
        (WEEK - HALF, WEEK, {167: HALF}),
        (WEEK, WEEK + HALF, {0: HALF}),
        (WEEK - HALF, WEEK + 1, {167: HALF, 0: 1}),
        # A week and longer, from wherever on.
        (0, WEEK, dict.fromkeys(range(168), HOUR)),
        (7 * WEEK + 9 * HOUR, 9 * WEEK + 9 * HOUR, dict.fromkeys(range(168), 2 * HOUR)),
        (9 * HOUR + 1, WEEK + 9 * HOUR + 3, dict.fromkeys(range(168), HOUR) | {9: HOUR + 2}),
        (9 * HOUR + 3, WEEK + 9 * HOUR + 1, dict.fromkeys(range(168), HOUR) | {9: HOUR - 2}),
    ],
)
def test_edges_fill_the_hours_between(starts_local: int, ends_local: int, expected: dict[int, int]) -> None:
    edges = rows_of("edges", {"local_pieces": [(336, "active", starts_local, ends_local)]})
    sums = told_by(edges, held=HELD, cell=US, more_us=US).group_by("held", "cell").sum().sort("cell")
    assert {*sums["held"]} == {"active"}
    assert sums["more_us"].sum() == 0  # so that nothing is left for the next row of the answer
    week = pl.DataFrame({"cell": range(336, 336 + 169)}).join(sums, on="cell", how="left")
    filled = week["more_us"].fill_null(0).cum_sum()
    assert {hour: us for hour, us in enumerate(filled) if us} == expected


def test_cells() -> None:
    edges = [("active", 7, 30), ("active", 7, -10), ("inactive", 7, 5), ("active", 8, -20), ("active", 8, 20)]
    assert rows_of("cells", {"edges": edges}) == [("active", 7, 20), ("active", 8, 0), ("inactive", 7, 5)]


def test_the_steps_all_at_once() -> None:
    given: Inputs = {
        "changes": [(1, 0, Q, Y), (1, HALF, Y, N), (2, 0, Q, Y)],
        "open_intervals": [(1, 0, 3 * HOUR, 0), (2, HOUR, 2 * HOUR, 0)],
        "excluded_intervals": [(2, 2 * HOUR, 3 * HOUR, 0)],
        "stores": [(1, 0), (2, 0)],
        "cells_of_stores": [(1, 0), (2, 0)],
        "offsets": [(0, 0, 4 * HOUR, 0)],
    }
    assert {*map(name_of, HOUR_OF_WEEK)} == {*SCHEMAS} - {*given}
    assert ran(pipeline.statement(HOUR_OF_WEEK), given).rows() == [
        ("active", 0, HALF),
        ("active", 1, HALF),  # the first store's half hour is over, the other's hour begins
        ("active", 2, -HOUR),
        ("excluded", 2, HOUR),
        ("excluded", 3, -HOUR),
        ("inactive", 0, HALF),
        ("inactive", 1, HALF),
        ("inactive", 3, -HOUR),
    ]
