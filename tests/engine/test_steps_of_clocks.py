"""The steps from changes of state to figures, each alone on literal rows: what it is given, what it gives.

Y is active, N inactive and Q unknown.
"""

import pytest

from tests.engine.steps import Inputs, Row, rows_of

Y, N, Q = True, False, None


@pytest.mark.parametrize(
    ("stores", "windows", "expected"),
    [
        ([], [(0, 0, 120, 130)], []),
        ([(1, 0, 90, Y)], [], []),
        ([(1, 0, 90, Y)], [(0, 0, 120, 130), (1, 0, 100, 130)], [(1, 100), (1, 120), (1, 130)]),
        # One boundary where windows touch, and where one is empty.
        (
            [(1, 0, 90, Y)],
            [(0, 0, 100, 120), (1, 0, 120, 130), (2, 0, 120, 120)],
            [(1, 100), (1, 120), (1, 130)],
        ),
        ([(1, 0, 90, Y), (2, 0, 130, N)], [(0, 0, 120, 130)], [(1, 120), (1, 130), (2, 120), (2, 130)]),
        # Each store has the boundaries of its own zone.
        (
            [(1, 0, 90, Y), (2, 1, 90, N), (3, 2, 90, N)],
            [(0, 0, 100, 120), (1, 1, 105, 125)],
            [(1, 100), (1, 120), (2, 105), (2, 125)],
        ),
    ],
)
def test_boundaries(stores: list[Row], windows: list[Row], expected: list[Row]) -> None:
    assert rows_of("boundaries", {"stores": stores, "windows": windows}) == expected


# Open from 105 to 110, from 112 to 115 and at once on to 120: 13 microseconds in all. Store 2 is never open.
OPEN: list[Row] = [(1, 105, 110, 0), (1, 112, 115, 5), (1, 115, 120, 8)]


@pytest.mark.parametrize(
    ("instant", "clock_us"),
    [*((100, 0), (105, 0), (106, 1), (109, 4), (110, 5), (111, 5), (112, 5), (113, 6), (115, 8)), (119, 12), (120, 13)],
)
def test_marks_tell_the_business_clock(instant: int, clock_us: int) -> None:
    change, boundary = (1, instant, Y, Q), (1, instant)
    given: Inputs = {"changes": [change], "boundaries": [boundary, (2, instant)], "open_intervals": OPEN}
    assert rows_of("marks", given) == [
        (1, instant, Q, Q, True, clock_us),
        (1, instant, Y, Q, False, clock_us),
        (2, instant, Q, Q, True, 0),
    ]


def test_marks_of_nothing() -> None:
    assert rows_of("marks", {"changes": [], "boundaries": [], "open_intervals": OPEN}) == []
    assert rows_of("marks", {"changes": [(1, 107, Q, N)], "boundaries": [(1, 130)], "open_intervals": []}) == [
        (1, 107, Q, N, False, 0),
        (1, 130, Q, Q, True, 0),
    ]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], []),
        ([(1, 100, Q, Q, True, 0), (1, 130, Q, Q, True, 13)], [(1, 100, 0, 0, 0), (1, 130, 13, 0, 0)]),
        # Active from clock 2, inactive from 5, active from 6, unknown from 10.
        (
            [
                *((1, 100, Q, Q, True, 0), (1, 103, Q, Y, False, 2), (1, 104, Q, Q, True, 3), (1, 107, Y, N, False, 5)),
                *(
                    (1, 108, Q, Q, True, 6),
                    (1, 109, N, Y, False, 6),
                    (1, 120, Y, Q, False, 10),
                    (1, 130, Q, Q, True, 13),
                ),
            ],
            [(1, 100, 0, 0, 0), (1, 104, 3, 1, 0), (1, 108, 6, 3, 1), (1, 130, 13, 7, 1)],
        ),
        # A boundary on a change: nothing of what comes after it has passed yet.
        ([(1, 110, Q, N, False, 4), (1, 110, Q, Q, True, 4)], [(1, 110, 4, 0, 0)]),
        ([(1, 100, Q, Y, False, 0), (1, 110, Y, N, False, 4), (1, 110, Q, Q, True, 4)], [(1, 110, 4, 4, 0)]),
        # There and back at one instant: the states in between last for no time.
        (
            [
                *((1, 100, Q, N, False, 1), (1, 105, N, Y, False, 3), (1, 105, Y, N, False, 3)),
                *((1, 105, Q, Q, True, 3), (1, 130, Q, Q, True, 9)),
            ],
            [(1, 105, 3, 0, 2), (1, 130, 9, 0, 8)],
        ),
        # While it is closed no clock moves; the clocks of another store are its own.
        (
            [
                *((1, 100, Q, Y, False, 5), (1, 110, Y, N, False, 5), (1, 130, Q, Q, True, 5)),
                *((2, 90, Q, N, False, 2), (2, 130, Q, Q, True, 4), (3, 130, Q, Q, True, 7)),
            ],
            [(1, 130, 5, 0, 0), (2, 130, 4, 0, 2), (3, 130, 7, 0, 0)],
        ),
    ],
)
def test_clocks(marks: list[Row], expected: list[Row]) -> None:
    assert rows_of("clocks", {"marks": marks}) == expected
    assert rows_of("clocks", {"marks": marks[::-1]}) == expected


STORES: list[Row] = [(1, 0, 90, Y), (2, 1, 90, N), (3, 0, 95, Y)]


@pytest.mark.parametrize(
    ("windows", "clocks", "expected"),
    [
        ([(0, 0, 120, 130)], [], []),
        ([], [(1, 120, 5, 3, 1)], []),
        ([(4, 0, 120, 130)], [(1, 120, 5, 3, 1), (1, 130, 13, 7, 2)], [(4, 1, 8, 4, 1, 3)]),
        # A window may have no open time, no length, or another window inside.
        (
            [(0, 0, 100, 130), (1, 0, 120, 130), (2, 0, 130, 130)],
            [(1, 100, 0, 0, 0), (1, 120, 13, 7, 6), (1, 130, 13, 7, 6)],
            [(0, 1, 13, 7, 6, 0), (1, 1, 0, 0, 0, 0), (2, 1, 0, 0, 0, 0)],
        ),
        (
            [(0, 0, 120, 130)],
            [(1, 120, 0, 0, 0), (1, 130, 4, 1, 2), (3, 120, 1, 1, 0), (3, 130, 10, 1, 9)],
            [(0, 1, 4, 1, 2, 1), (0, 3, 9, 0, 9, 0)],
        ),
        # A part belongs to one zone, and to no store of another, were its boundaries the same.
        (
            [(0, 0, 120, 130), (1, 1, 120, 125)],
            [(1, 120, 0, 0, 0), (1, 130, 4, 1, 2), (2, 120, 1, 1, 0), (2, 125, 6, 5, 1), (2, 130, 9, 5, 3)],
            [(0, 1, 4, 1, 2, 1), (1, 2, 5, 4, 1, 0)],
        ),
    ],
)
def test_figures(windows: list[Row], clocks: list[Row], expected: list[Row]) -> None:
    assert rows_of("figures", {"windows": windows, "stores": STORES, "clocks": clocks}) == expected


# Taken out from 105 to 110 and from 115 to 120; of store 2 nothing.
@pytest.mark.parametrize(
    ("instant", "clock_us"),
    [(100, 0), (105, 0), (106, 1), (110, 5), (112, 5), (115, 5), (119, 9), (120, 10), (130, 10)],
)
def test_excluded_clocks(instant: int, clock_us: int) -> None:
    given: Inputs = {
        "boundaries": [(1, instant), (2, instant)],
        "excluded_intervals": [(1, 105, 110, 0), (1, 115, 120, 5), (3, 100, 130, 0)],
    }
    assert rows_of("excluded_clocks", given) == [(1, instant, clock_us), (2, instant, 0)]


def test_exclusions() -> None:
    windows: list[Row] = [(0, 0, 100, 120), (1, 0, 110, 110), (2, 1, 100, 110)]
    clocks: list[Row] = [
        *((1, 100, 0), (1, 110, 5), (1, 120, 7), (2, 100, 3), (2, 110, 4), (2, 120, 9)),
        *((3, 100, 0), (3, 110, 0), (3, 120, 0)),
    ]
    given: Inputs = {"windows": windows, "stores": STORES, "excluded_clocks": clocks}
    assert rows_of("exclusions", given) == [(0, 1, 7), (0, 3, 0), (1, 1, 0), (1, 3, 0), (2, 2, 1)]
    assert rows_of("exclusions", {**given, "windows": []}) == []
