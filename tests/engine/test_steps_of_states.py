"""The steps from polls to changes of state, each alone on literal rows: what it is given, what it gives.

The carry limit is 10, the first boundary 100, the last poll that matters at 130. Y is active, N inactive and Q unknown.
"""

import pytest

from storemon.engine import pipeline
from tests.engine.steps import PARAMS, Row, ran, rows_of

Y, N, Q = True, False, None


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([], []),
        ([(1, 95, Y)], [(1, 95, Y)]),
        ([(1, 90, Y), (1, 95, N)], [(1, 95, N)]),
        ([(1, 95, N), (1, 90, Y)], [(1, 95, N)]),
        # At the boundary is not after it.
        ([(1, 99, Y), (1, 100, N), (1, 101, Y)], [(1, 100, N)]),
        ([(1, 101, Y)], []),
        # Of two that disagree at one instant the inactive one, in whatever order, however often.
        ([(1, 95, Y), (1, 95, N)], [(1, 95, N)]),
        ([(1, 95, N), (1, 95, Y), (1, 95, Y)], [(1, 95, N)]),
        # An earlier disagreement, or an outage that is over, is none.
        ([(1, 90, Y), (1, 90, N), (1, 91, Y)], [(1, 91, Y)]),
        # How old it may be is not decided here.
        ([(1, 5, Y)], [(1, 5, Y)]),
        ([(1, -7, Y), (1, -8, N)], [(1, -7, Y)]),
        ([(1, 95, Y), (2, 94, N), (3, 100, N), (3, 100, Y), (4, 101, Y)], [(1, 95, Y), (2, 94, N), (3, 100, N)]),
    ],
)
def test_last_polls(polls: list[Row], expected: list[Row]) -> None:
    assert rows_of("last_polls", {"polls_before": polls}) == expected


@pytest.mark.parametrize(
    ("within", "last", "stores", "expected"),
    [
        ([], [], [], []),
        # After the first boundary, up to the end and at it; the poll at the boundary is the last one before it.
        ([(1, at, Y) for at in (99, 100, 101, 130, 131)], [(1, 100, N)], [], [(1, 100, N), (1, 101, Y), (1, 130, Y)]),
        # Both of two that disagree: which one counts is decided next.
        ([(1, 110, Y), (1, 110, N)], [], [], [(1, 110, N), (1, 110, Y)]),
        # The reach back: one limit before the first poll ever, if that is not in the past already.
        ([(1, 115, N)], [], [(1, 115, N)], [(1, 105, N), (1, 115, N)]),
        ([(1, 101, Y)], [], [(1, 101, Y)], [(1, 91, Y), (1, 101, Y)]),
        ([], [(1, 100, Y)], [(1, 100, Y)], [(1, 100, Y)]),
        ([(1, 115, N)], [(1, 40, Y)], [(1, 40, Y)], [(1, 40, Y), (1, 115, N)]),
        # Of two first polls that disagree the stores hold the inactive one.
        ([(1, 115, Y), (1, 115, N)], [], [(1, 115, N)], [(1, 105, N), (1, 115, N), (1, 115, Y)]),
        ([(2, 120, Y)], [(1, 95, N)], [(1, 90, Y), (2, 120, Y)], [(1, 95, N), (2, 110, Y), (2, 120, Y)]),
        # Also if the first poll itself comes too late to be read.
        ([(1, 135, Y)], [], [(1, 135, Y)], [(1, 125, Y)]),
    ],
)
def test_believed_polls(within: list[Row], last: list[Row], stores: list[Row], expected: list[Row]) -> None:
    in_any_zone = [(store, 7, *first_poll) for store, *first_poll in stores]
    given = {"polls_within": within, "last_polls": last, "stores": in_any_zone}
    assert rows_of("carry/believed_polls", given) == expected


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([], []),
        ([(1, 100, Y)], [(1, 100, Y, Q, True)]),
        # Exactly one limit apart: the state is known all the time. A microsecond more: it is unknown for that long.
        ([(1, 100, Y), (1, 110, Y)], [(1, 100, Y, Q, False), (1, 110, Y, Y, True)]),
        ([(1, 100, Y), (1, 111, Y)], [(1, 100, Y, Q, True), (1, 111, Y, Q, True)]),
        ([(1, 100, N), (1, 110, Y)], [(1, 100, N, Q, False), (1, 110, Y, N, True)]),
        ([(1, 100, N), (1, 111, Y)], [(1, 100, N, Q, True), (1, 111, Y, Q, True)]),
        # A poll that says what is known, and is followed in time by another, is no turn.
        ([(1, 100, Y), (1, 105, Y), (1, 110, N)], [(1, 100, Y, Q, False), (1, 110, N, Y, True)]),
        ([(1, 100, Y), (1, 105, Y), (1, 116, Y)], [(1, 100, Y, Q, False), (1, 105, Y, Y, True), (1, 116, Y, Q, True)]),
        # Two at one instant that disagree: inactive from there on, whether it was active, inactive or unknown.
        ([(1, 100, Y), (1, 105, Y), (1, 105, N)], [(1, 100, Y, Q, False), (1, 105, N, Y, True)]),
        (
            [(1, 100, N), (1, 105, N), (1, 105, Y)],
            [(1, 100, N, Q, False), (1, 105, N, Y, True), (1, 105, Y, N, False)],
        ),
        ([(1, 105, N), (1, 105, Y)], [(1, 105, N, Y, True), (1, 105, Y, Q, False)]),
        # Two that agree are one.
        ([(1, 100, Y), (1, 100, Y)], [(1, 100, Y, Q, False), (1, 100, Y, Y, True)]),
        ([(1, 100, Y), (2, 105, N)], [(1, 100, Y, Q, True), (2, 105, N, Q, True)]),
    ],
)
def test_turns(polls: list[Row], expected: list[Row]) -> None:
    assert rows_of("carry/turns", {"believed_polls": polls}) == expected


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], []),
        ([(1, 100, Y, Q, False)], [(1, 100, Q, Y)]),
        ([(1, 100, N, Y, False)], [(1, 100, Y, N)]),
        # No change of state, but the limit runs out: unknown from there on.
        ([(1, 100, Y, Y, True)], [(1, 110, Y, Q)]),
        ([(1, 100, N, Q, True)], [(1, 100, Q, N), (1, 110, N, Q)]),
        # What lapses after the end matters to nobody; at the end it tells that a spell is over.
        ([(1, 119, Y, Y, True), (2, 120, Y, Y, True), (3, 121, Y, Y, True)], [(1, 129, Y, Q), (2, 130, Y, Q)]),
        # At one instant there, back, and on: what holds in the end is inactive.
        ([(1, 105, Y, N, False), (1, 105, N, Y, False)], [(1, 105, N, Y), (1, 105, Y, N)]),
    ],
)
def test_changes(turns: list[Row], expected: list[Row]) -> None:
    assert rows_of("carry/changes", {"turns": turns}) == expected


@pytest.mark.parametrize(
    ("within", "last", "expected"),
    [
        ([], [], []),
        ([(1, at, Y) for at in (99, 100, 101, 130, 131)], [(1, 100, N)], [(1, 100, N), (1, 101, Y), (1, 130, Y)]),
        ([(1, 110, Y)], [(1, 40, N)], [(1, 40, N), (1, 110, Y)]),
        # Of two that disagree at one instant the inactive one; two that agree are one.
        ([(1, 110, Y), (1, 110, N), (1, 111, Y), (1, 111, Y)], [], [(1, 110, N), (1, 111, Y)]),
        ([(1, 110, Y), (2, 110, N), (3, 111, Y)], [(2, 99, Y)], [(1, 110, Y), (2, 99, Y), (2, 110, N), (3, 111, Y)]),
    ],
)
def test_observed_polls(within: list[Row], last: list[Row], expected: list[Row]) -> None:
    assert rows_of("observed_polls", {"polls_within": within, "last_polls": last}) == expected


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([], []),
        # Believed for one limit to each side.
        ([(1, 110, Y)], [(1, 100, Q, Y), (1, 120, Y, Q)]),
        ([(1, 110, N)], [(1, 100, Q, N), (1, 120, N, Q)]),
        # The change is half way; an odd microsecond in the middle is the earlier poll's.
        ([(1, 100, Y), (1, 104, N)], [(1, 90, Q, Y), (1, 102, Y, N), (1, 114, N, Q)]),
        ([(1, 100, Y), (1, 105, N)], [(1, 90, Q, Y), (1, 103, Y, N), (1, 115, N, Q)]),
        ([(1, 100, N), (1, 101, Y)], [(1, 90, Q, N), (1, 101, N, Y), (1, 111, Y, Q)]),
        ([(1, 100, N), (1, 102, Y), (1, 103, N)], [(1, 90, Q, N), (1, 101, N, Y), (1, 103, Y, N), (1, 113, N, Q)]),
        # Exactly two limits apart: known all the time. A microsecond more: unknown for that long, in the middle.
        ([(1, 95, Y), (1, 115, Y)], [(1, 85, Q, Y), (1, 125, Y, Q)]),
        ([(1, 95, Y), (1, 116, Y)], [(1, 85, Q, Y), (1, 105, Y, Q), (1, 106, Q, Y), (1, 126, Y, Q)]),
        ([(1, 95, N), (1, 115, Y)], [(1, 85, Q, N), (1, 105, N, Y), (1, 125, Y, Q)]),
        ([(1, 95, N), (1, 116, Y)], [(1, 85, Q, N), (1, 105, N, Q), (1, 106, Q, Y), (1, 126, Y, Q)]),
        # A poll that says what is known is no change.
        ([(1, 100, Y), (1, 105, Y), (1, 109, Y)], [(1, 90, Q, Y), (1, 119, Y, Q)]),
        # What lapses after the end matters to nobody; at the end it tells that a spell is over.
        (
            [(1, 119, Y), (2, 120, Y), (3, 121, Y)],
            [(1, 109, Q, Y), (1, 129, Y, Q), (2, 110, Q, Y), (2, 130, Y, Q), (3, 111, Q, Y)],
        ),
        (
            [(1, -3, Y), (1, 2, N), (2, 1, Y)],
            [(1, -13, Q, Y), (1, 0, Y, N), (1, 12, N, Q), (2, -9, Q, Y), (2, 11, Y, Q)],
        ),
    ],
)
def test_changes_of_the_nearest_poll(polls: list[Row], expected: list[Row]) -> None:
    assert rows_of("nearest/changes", {"observed_polls": polls}) == expected
    assert rows_of("nearest/changes", {"observed_polls": polls[::-1]}) == expected


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([], []),
        # Nothing is certain before the first, after the last, or between two that disagree.
        ([(1, 110, Y)], []),
        ([(1, 105, Y), (1, 110, N)], []),
        ([(1, 105, Y), (1, 110, Y)], [(1, 105, Q, Y), (1, 110, Y, Q)]),
        ([(1, 105, N), (1, 106, N), (1, 110, N)], [(1, 105, Q, N), (1, 110, N, Q)]),
        (
            [(1, 100, Y), (1, 105, Y), (1, 110, N), (1, 115, N)],
            [(1, 100, Q, Y), (1, 105, Y, Q), (1, 110, Q, N), (1, 115, N, Q)],
        ),
        # Nor across more than one limit.
        ([(1, 100, Y), (1, 110, Y)], [(1, 100, Q, Y), (1, 110, Y, Q)]),
        ([(1, 100, Y), (1, 111, Y)], []),
        (
            [(1, 100, Y), (1, 105, Y), (1, 116, Y), (1, 117, Y)],
            [(1, 100, Q, Y), (1, 105, Y, Q), (1, 116, Q, Y), (1, 117, Y, Q)],
        ),
        ([(1, 100, Y), (2, 105, Y), (1, 107, Y), (2, 109, N)], [(1, 100, Q, Y), (1, 107, Y, Q)]),
    ],
)
def test_changes_of_what_is_certain(polls: list[Row], expected: list[Row]) -> None:
    assert rows_of("certain/changes", {"observed_polls": polls}) == expected
    assert rows_of("certain/changes", {"observed_polls": polls[::-1]}) == expected


@pytest.mark.parametrize("limit", [2**30, 2**31 - 1, 2**31, 315_537_897_599_999_999])
def test_a_limit_of_any_length(limit: int) -> None:
    """DuckDB takes a parameter for 32 bits long if it fits."""
    params = PARAMS | {"carry_us": limit}
    polls: list[Row] = [(1, 100, Y), (1, 110, N), (1, 120, N)]
    told = {"observed_polls": polls, "turns": [(*poll, Q, True) for poll in polls[:1]]}
    expected = {
        "carry/changes": [(1, 100, Q, Y)],
        "nearest/changes": [(1, 100 - limit, Q, Y), (1, 105, Y, N)],
        "certain/changes": [(1, 110, Q, N), (1, 120, N, Q)],
    }
    for step, changes in expected.items():
        read = {name: rows for name, rows in told.items() if name in pipeline.step(step)}
        assert ran(pipeline.step(step), read, params).rows() == changes
    turns = ran(pipeline.step("carry/turns"), {"believed_polls": polls}, params).rows()
    assert turns == [(1, 100, Y, Q, False), (1, 110, N, Y, False), (1, 120, N, N, True)]
