"""The clocks, on literal rows: a store is a small integer, an instant a small number of microseconds.

Y is active, N inactive and Q unknown. Store 1 is open from 105 to 110, from 112 to 115 and at once on to 120: 13
microseconds in all; store 2 is open from 100 to 200, store 3 never.
"""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.calendar.schedule import with_clock
from storemon.engine.clocks import open_time, time_in_states

Y, N, Q = True, False, None
Part = tuple[int, int, int]
Change = tuple[int, int, bool | None, bool | None]
OPEN = [(1, 105, 110), (1, 112, 115), (1, 115, 120), (2, 100, 200)]


def intervals(rows: Sequence[Part] = OPEN) -> pl.DataFrame:
    schema = {"store_key": pl.Int32, "opens_at": pl.Int64, "closes_at": pl.Int64}
    return with_clock(pl.DataFrame(rows, schema, orient="row"))


def parts(*rows: Part) -> pl.DataFrame:
    return pl.DataFrame(rows, {"store_key": pl.Int32, "starts_at": pl.Int64, "ends_at": pl.Int64}, orient="row")


def changes(*rows: Change) -> pl.DataFrame:
    schema = {"store_key": pl.Int32, "instant": pl.Int64, "was": pl.Boolean, "becomes": pl.Boolean}
    return pl.DataFrame(rows, schema, orient="row")


def told(some: Sequence[Part], *turns: Change) -> list[tuple[int, ...]]:
    return time_in_states(parts(*some), intervals(), changes(*turns)).rows()


@pytest.mark.parametrize(
    ("until", "open_us"),
    [*((100, 0), (105, 0), (106, 1), (109, 4), (110, 5), (111, 5), (112, 5), (113, 6), (115, 8)), (119, 12), (120, 13)],
)
def test_the_business_clock(until: int, open_us: int) -> None:
    assert open_time(parts((1, 90, until), (3, 90, until)), intervals()).to_list() == [open_us, 0]
    # Nothing of another store comes in, of the one before it in order or behind it.
    assert open_time(parts((2, 90, until), (0, 90, until)), intervals()).to_list() == [until - 100, 0]


def test_parts_keep_their_order_and_may_be_empty_or_overlap() -> None:
    some = [(2, 100, 130), (1, 100, 130), (2, 110, 110), (1, 107, 113), (1, 106, 200), (2, 90, 300)]
    assert open_time(parts(*some), intervals()).to_list() == [30, 13, 0, 4, 12, 100]


def test_nothing_at_all() -> None:
    assert told([]) == []
    assert told([(1, 100, 130)]) == [(13, 0, 0, 13)]
    assert open_time(parts((1, 100, 130)), intervals([])).to_list() == [0]


@pytest.mark.parametrize(
    ("part", "turns", "expected"),
    [
        ((1, 100, 130), [], (13, 0, 0, 13)),
        # Active from 107 on, inactive from 113, active from 115, unknown from 118.
        ((1, 100, 130), [(1, 107, Q, Y), (1, 113, Y, N), (1, 115, N, Y), (1, 118, Y, Q)], (13, 7, 2, 4)),
        ((1, 108, 114), [(1, 107, Q, Y), (1, 113, Y, N), (1, 115, N, Y), (1, 118, Y, Q)], (4, 3, 1, 0)),
        # An edge on a change: nothing of what comes after it has passed yet.
        ((1, 100, 107), [(1, 107, Q, N)], (2, 0, 0, 2)),
        ((1, 107, 130), [(1, 107, Q, N)], (11, 0, 11, 0)),
        # There and back at one instant: the state in between lasts for no time.
        ((2, 100, 130), [(2, 105, Q, N), (2, 110, N, Y), (2, 110, Y, N)], (30, 0, 25, 5)),
        # While it is closed no clock moves.
        ((1, 110, 112), [(1, 100, Q, Y), (1, 111, Y, N)], (0, 0, 0, 0)),
        ((1, 100, 130), [(1, 90, Q, Y), (1, 111, Y, N)], (13, 5, 8, 0)),
    ],
)
def test_the_time_in_states(part: Part, turns: list[Change], expected: tuple[int, ...]) -> None:
    assert told([part], *turns) == [expected]
    assert told([part], *turns[::-1]) == [expected]


def test_each_store_has_its_own_state() -> None:
    some = [(1, 100, 130), (2, 100, 130), (3, 100, 130), (0, 100, 130)]
    # Store 1 ends active, and store 2 begins unknown all the same; store 0 and 3 are never open.
    turns = [(1, 105, Q, Y), (2, 125, Q, N), (0, 90, Q, Y), (3, 90, Q, N)]
    assert told(some, *turns) == [(13, 13, 0, 0), (30, 0, 5, 25), (0, 0, 0, 0), (0, 0, 0, 0)]


def test_a_line_too_long_for_64_bits() -> None:
    far = 2_000_000_000
    century = 3_155_760_000_000_000
    opened = intervals([(0, 10, century), (far, 20, century)])
    some = parts((far, 0, century), (0, 0, century))
    turns = changes((far, 30, Q, Y), (0, 40, Q, N), (far, century - 5, Y, N))
    assert time_in_states(some, opened, turns).rows() == [
        (century - 20, century - 35, 5, 10),
        (century - 10, 0, century - 40, 30),
    ]


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Part], list[Part], list[Change]]:
    """Draw parts, open intervals that don't overlap, and changes of state, of three stores."""
    opened, turns = [], list[Change]()
    for store in range(3):
        edges = sorted(draw(st.sets(st.integers(0, 40), max_size=8)))
        opened += [(store, opens, closes) for opens, closes in zip(edges[::2], edges[1::2], strict=False)]
        state: bool | None = None
        for instant in sorted(draw(st.lists(st.integers(0, 40), max_size=6))):
            becomes = draw(st.sampled_from([each for each in (Y, N, Q) if each is not state]))
            turns.append((store, instant, state, becomes))
            state = becomes
    some = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 40)), max_size=5))
    return [(store, min(edges), max(edges)) for store, *edges in some], opened, turns


@settings(deadline=None)
@given(lives())
def test_it_is_what_one_counts_microsecond_by_microsecond(life: tuple[list[Part], list[Part], list[Change]]) -> None:
    some, opened, turns = life

    def state(store: int, at: int) -> bool | None:
        last = [turn for turn in turns if turn[0] == store and turn[1] <= at]
        return last[-1][3] if last else None

    expected = []
    for store, starts_at, ends_at in some:
        times = [at for at in range(starts_at, ends_at) if any(s == store and o <= at < c for s, o, c in opened)]
        states = [state(store, at) for at in times]
        expected.append((len(times), states.count(Y), states.count(N), states.count(Q)))
    for order in (turns, turns[::-1]):
        assert time_in_states(parts(*some), intervals(opened), changes(*order)).rows() == expected
