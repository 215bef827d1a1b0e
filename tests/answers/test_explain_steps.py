"""The steps of an explanation, and what is made of their rows, on literal rows.

An instant is a small number of microseconds.
"""

import polars as pl
import pytest

from storemon.answers.explanation.pieces import laid_out, spells
from storemon.engine.pipeline import step
from tests.engine.steps import INPUTS, ran

Y, N = True, False
STATES = {"instant": pl.Int64, "active": pl.Boolean}
INTERVALS = {"opens_at": pl.Int64, "closes_at": pl.Int64}


def test_polls_are_told_once_though_two_relations_may_have_them() -> None:
    rows = pl.DataFrame(
        [(1, 105, Y), (1, 105, N), (1, 107, Y)], schema={"a": pl.Int32, "b": pl.Int64, "c": pl.Boolean}, orient="row"
    )
    polls = [(key, at, active) for key, at, active in rows.rows()]
    found = ran(step("explain/polls"), {"polls_before": polls, "polls_within": polls[1:]})
    assert found.schema == INPUTS["polls_before"]
    assert found.with_columns(pl.col("polled_at").to_physical()).rows() == [(1, 105, N), (1, 105, Y), (1, 107, Y)]


def test_states_are_one_for_each_instant() -> None:
    changes = [(1, 120, Y, None), (1, 100, None, Y), (1, 110, Y, N), (1, 110, N, Y)]
    found = ran(step("explain/states"), {"changes": changes})
    assert found.columns == ["store_key", "instant", "active"]
    assert found.rows() == [(1, 100, Y), (1, 110, N), (1, 120, None)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], [(100, 130, "unknown")]),
        ([(90, Y)], [(100, 130, "active")]),
        ([(80, Y), (90, N), (95, None)], [(100, 130, "unknown")]),
        ([(100, Y), (110, N), (130, Y)], [(100, 110, "active"), (110, 130, "inactive")]),
        ([(90, Y), (110, Y), (120, None)], [(100, 120, "active"), (120, 130, "unknown")]),
        ([(110, N)], [(100, 110, "unknown"), (110, 130, "inactive")]),
    ],
)
def test_spells(states: list[tuple[int, bool | None]], expected: list[tuple[int, int, str]]) -> None:
    assert spells(pl.DataFrame(states, schema=STATES, orient="row"), 100, 130) == expected


def test_no_spells_in_no_time() -> None:
    assert spells(pl.DataFrame([(100, Y)], schema=STATES, orient="row"), 100, 100) == []


def test_what_is_held_of_the_schedule() -> None:
    held = spells(pl.DataFrame([(100, Y), (110, N), (120, None)], schema=STATES, orient="row"), 100, 130)
    opened, excluded = (
        pl.DataFrame(rows, schema=INTERVALS, orient="row")
        for rows in ([(101, 103), (103, 112), (115, 118), (120, 122)], [(112, 113), (113, 115), (125, 127)])
    )
    assert laid_out(held, opened, excluded) == [
        (101, 110, "active"),
        (110, 112, "inactive"),
        (112, 115, "excluded"),
        (115, 118, "inactive"),
        (120, 122, "unknown"),
        (125, 127, "excluded"),
    ]
