"""From changes of state to outages, each function and step alone on literal rows: what it is given, what it gives.

Y is active, N inactive and Q unknown. The carry limit is 10, the first boundary 100; polls are gathered up to 130.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from storemon.calendar.schedule import with_clock
from storemon.engine import pipeline
from storemon.engine.outages import bounded, downtimes, outage_sums, spells
from storemon.lake.duck import connect
from tests.engine.steps import CHANGES, KEY, POLLS, TOLD, US, Columns, Inputs, Row

Y, N, Q = True, False, None
SPELLS: Columns = {"store_key": KEY, "spell_starts_at": US, "spell_ends_at": US}
DOWNTIMES: Columns = {"part": KEY, **SPELLS, "downtime_us": US}
WINDOWS: Columns = {"part": KEY, "window": KEY, "zone_key": KEY, "starts_at": US, "ends_at": US, "bucket": US}
STORES: Columns = {"store_key": KEY, "zone_key": KEY}
OPEN = [(1, 100, 105), (1, 110, 120), (2, 90, 140)]
"""Store 1 is open for five microseconds, closed for five, and open for ten; store 2 always; store 3 never."""


def frame(rows: Sequence[Row], schema: Columns) -> pl.DataFrame:
    return pl.DataFrame(rows, schema, orient="row")


def intervals(rows: Sequence[Row] = OPEN) -> pl.DataFrame:
    return with_clock(frame(rows, {"store_key": KEY, "opens_at": US, "closes_at": US}))


INPUTS: Mapping[str, Columns] = {"polls_within_of_all": POLLS, "stores": STORES, "windows": WINDOWS}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], []),
        ([(1, 100, Q, Y), (1, 110, Y, Q)], []),
        # Active or unknown ends it; or nothing does.
        ([(1, 100, Y, N), (1, 105, N, Y), (1, 107, Y, N)], [(1, 100, 105), (1, 107, None)]),
        ([(1, 100, Q, N), (1, 110, N, Q), (2, 120, Q, N)], [(1, 100, 110), (2, 120, None)]),
        # Polls that disagree: it begins or goes on, whatever the order of the changes.
        ([(1, 105, Q, Y), (1, 105, Y, N)], [(1, 105, None)]),
        ([(1, 105, Y, N), (1, 105, Q, Y)], [(1, 105, None)]),
        ([(1, 100, Q, N), (1, 105, N, Y), (1, 105, Y, N), (1, 109, N, Y)], [(1, 100, 109)]),
    ],
)
def test_spells(changes: list[Row], expected: list[Row]) -> None:
    for in_any_order in (changes, changes[::-1]):
        found = spells(frame(in_any_order, CHANGES))
        assert found.schema == SPELLS
        assert found.rows() == expected


@pytest.mark.parametrize(
    ("windows", "down", "expected"),
    [
        ([(0, 0, 0, 100, 130, Q)], [], []),
        ([(0, 0, 0, 100, 130, Q)], [(2, 90, 110)], [(0, 2, 90, 110, 10)]),
        ([(0, 0, 0, 100, 130, Q)], [(2, 110, None)], [(0, 2, 110, None, 20)]),
        # What of it is open: from 102 to 105 and from 110 to 112; from 110 on; up to 105.
        ([(0, 0, 0, 100, 130, Q)], [(1, 102, 112)], [(0, 1, 102, 112, 5)]),
        ([(0, 0, 0, 100, 130, Q)], [(1, 107, 112), (1, 119, None)], [(0, 1, 107, 112, 2), (0, 1, 119, None, 1)]),
        ([(0, 0, 0, 90, 130, Q)], [(1, 95, 107)], [(0, 1, 95, 107, 5)]),
        # While it is closed, or in a store that never opens, it is no outage.
        ([(0, 0, 0, 100, 130, Q)], [(1, 105, 110), (1, 120, None), (3, 100, 130)], []),
        ([(0, 0, 0, 105, 110, Q)], [(1, 101, 118)], []),
        # Beside the part there is none; nor in an empty part, nor of a store in another zone, nor of one not asked for.
        ([(0, 0, 0, 100, 130, Q)], [(2, 90, 100), (2, 130, 135), (2, 136, None)], []),
        ([(0, 0, 0, 120, 120, Q)], [(2, 110, None)], []),
        ([(0, 0, 1, 100, 130, Q)], [(2, 110, 120)], []),
        ([(0, 0, 0, 100, 130, Q)], [(5, 110, 120)], []),
        # In each window of its own; in two parts of one window that have two buckets, too.
        (
            [(0, 0, 0, 100, 130, Q), (1, 1, 0, 90, 115, Q)],
            [(2, 110, 120)],
            [(0, 2, 110, 120, 10), (1, 2, 110, 120, 5)],
        ),
        (
            [(4, 0, 0, 100, 115, 1), (5, 0, 0, 115, 130, 2)],
            [(2, 110, 120)],
            [(4, 2, 110, 120, 5), (5, 2, 110, 120, 5)],
        ),
        # Of many parts only those that it meets: not those that it ends or begins with.
        (
            [(part, 0, 0, 100 + 5 * part, 105 + 5 * part, part) for part in range(6)],
            [(2, 105, 115), (2, 118, 122)],
            [(1, 2, 105, 115, 5), (2, 2, 105, 115, 5), (3, 2, 118, 122, 2), (4, 2, 118, 122, 2)],
        ),
        ([(0, 0, 0, 100, 105, 1), (1, 0, 0, 110, 115, 2)], [(2, 105, 110), (2, 115, None)], []),
        # Parts that have one bucket are one, that goes by the first, also if that lies before it all.
        (
            [(4, 0, 0, 100, 115, 1), (5, 0, 0, 115, 130, 1)],
            [(2, 110, 120), (2, 121, 122)],
            [(4, 2, 110, 120, 10), (4, 2, 121, 122, 1)],
        ),
        # One bucket of two zones are two.
        ([(4, 0, 0, 100, 130, 1), (5, 0, 1, 100, 130, 1)], [(4, 110, 120)], [(5, 4, 110, 120, 10)]),
    ],
)
def test_downtimes(windows: list[Row], down: list[Row], expected: list[Row]) -> None:
    stores = frame([(1, 0), (2, 0), (3, 0), (4, 1)], STORES)
    opened = intervals([*OPEN, (4, 100, 130), (5, 100, 130)])
    found = downtimes(frame(down, SPELLS), stores, frame(windows, WINDOWS), opened)
    assert found.schema == DOWNTIMES
    assert found.sort(pl.all()).rows() == expected


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ([], []),
        ([(0, 1, 90, 105, 5)], [(0, 1, 1, 1, 5, 5)]),
        # One that nothing has ended counts, and may be the longest.
        ([(0, 1, 90, 105, 5), (0, 1, 107, None, 9), (1, 1, 107, None, 3)], [(0, 1, 2, 1, 5, 9), (1, 1, 1, 0, 0, 3)]),
        ([(0, 1, 90, 105, 5), (0, 2, 90, 105, 7), (0, 2, 107, 109, 2)], [(0, 1, 1, 1, 5, 5), (0, 2, 2, 2, 9, 7)]),
    ],
)
def test_outage_sums(down: list[Row], expected: list[Row]) -> None:
    sums = outage_sums(frame(down, DOWNTIMES)).sort(pl.all())
    assert sums.columns == ["part", "store_key", "outages", "ended_outages", "ended_downtime_us", "longest_us"]
    assert sums.rows() == expected


@pytest.mark.parametrize(
    ("spell", "active", "expected"),
    [
        # In open time: the spell's own edges. A poll at its start is none before it, one at its end is one after it.
        ((101, 112), [98, 112, 113], (101, 112, 6, 98, 112)),
        ((101, 112), [98, 101, 111], (101, 112, 6, 98, None)),
        # It starts in closed time, and at opening; it ends in closed time, and at closing or at opening.
        ((107, 125), [107], (110, 120, 10, None, None)),
        ((99, 105), [98, 104], (100, 105, 5, 98, None)),
        ((100, 107), [100, 107], (100, 105, 5, None, 107)),
        ((100, 110), [99], (100, 105, 5, 99, None)),
        ((105, 111), [], (110, 111, 1, None, None)),
        # Nothing ends it: up to the last open instant that is known, and no poll bounds it.
        ((105, None), [99, 130], (110, 120, 10, 99, None)),
        ((112, None), [99, 100, 101], (112, 120, 8, 101, None)),
    ],
)
def test_its_bounds(spell: Row, active: list[int], expected: Row) -> None:
    others = [(0, 99, Y), (0, 129, Y), (2, 100, Y), (2, 129, Y)]
    polls = [(1, at, Y) for at in active] + others
    known = intervals([(0, 90, 140), *OPEN])
    for in_any_order in (polls, polls[::-1]):
        found = bounded(frame([(0, 1, *spell, 3)], DOWNTIMES), known, frame(in_any_order, TOLD), 130)
        assert found.rows() == [(0, 1, *spell, 3, *expected)]


def test_two_intervals_that_touch_have_no_edge_between_them() -> None:
    known = intervals([(1, 100, 105), (1, 105, 110)])
    down = [(0, 1, 102, 105, 3), (0, 1, 105, 107, 2)]
    found = bounded(frame(down, DOWNTIMES), known, frame([], TOLD), 130)
    assert found.select("starts_at", "ends_at", "whole_downtime_us").rows() == [(102, 105, 3), (105, 107, 2)]


def test_a_poll_bounds_an_outage_unless_another_contradicts_it() -> None:
    polls = [(1, 98, Y), (1, 99, Y), (1, 99, N), (1, 112, N), (1, 112, Y), (1, 113, Y), (1, 113, Y)]
    found = bounded(frame([(0, 1, 101, 112, 6)], DOWNTIMES), intervals(), frame(polls, TOLD), 130)
    assert found.select("started_after", "ended_before").rows() == [(98, 113)]


def test_each_outage_has_its_own_bounds() -> None:
    down = [(1, 2, 95, 99, 4), (0, 1, 101, 103, 2), (0, 2, 95, 99, 4), (0, 1, 111, None, 9), (1, 2, 120, None, 10)]
    polls = [(1, 100, Y), (1, 103, Y), (2, 99, Y), (2, 119, Y), (3, 90, Y)]
    found = bounded(frame(down, DOWNTIMES), intervals(), frame(polls, TOLD), 130)
    assert found.drop("downtime_us").sort(pl.all()).rows() == [
        (0, 1, 101, 103, 101, 103, 2, 100, 103),
        (0, 1, 111, None, 111, 120, 9, 103, None),
        (0, 2, 95, 99, 95, 99, 4, None, 99),
        (1, 2, 95, 99, 95, 99, 4, None, 99),
        (1, 2, 120, None, 120, 130, 10, 119, None),
    ]


def test_without_outages_there_is_nothing_to_tell() -> None:
    found = bounded(frame([], DOWNTIMES), intervals(), frame([(1, 100, Y)], TOLD), 130)
    assert found.schema == {
        **DOWNTIMES,
        **dict.fromkeys(("starts_at", "ends_at", "whole_downtime_us", "started_after", "ended_before"), US),
    }


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        ([], []),
        # After the first boundary all are kept; of other stores none.
        ([(1, 101, N), (1, 102, Y), (1, 102, N), (3, 101, Y)], [(101, N), (102, N), (102, Y)]),
        # Before it the last active one; after that the first and the last of each ten, all of them inactive.
        ([(1, 70, Y), (1, 80, Y), (1, 90, N), (1, 95, N), (1, 99, N)], [(80, Y), (90, N), (99, N)]),
        (
            [(1, 85, N), (1, 86, Y), (1, 87, N), (1, 88, N), (1, 89, N), (1, 100, N)],
            [(86, Y), (87, N), (89, N), (100, N)],
        ),
        # Where none is active, of all.
        ([(1, 61, N), (1, 69, N), (1, 65, N), (1, 80, N)], [(61, N), (69, N), (80, N)]),
        # One that another contradicts is inactive.
        ([(1, 70, Y), (1, 75, N), (1, 76, N), (1, 78, N), (1, 78, Y)], [(70, Y), (75, N), (78, N)]),
        ([(1, 100, Y), (1, 99, N)], [(100, Y)]),
    ],
)
def test_polls_within(polls: list[Row], expected: list[tuple[int, bool]]) -> None:
    inputs: Inputs = {
        "polls_within_of_all": polls,
        "stores": [(1, 0), (2, 0)],
        "windows": [(0, 0, 0, 100, 130, Q), (1, 1, 0, 120, 130, Q)],
    }
    with connect() as con:
        for name, rows in inputs.items():
            con.register(name, frame(rows, INPUTS[name]).to_arrow())
        kept: pl.DataFrame = con.sql(pipeline.step("outages/polls_within"), params={"carry_us": 10}).pl()
    found = kept.with_columns(pl.col("polled_at").to_physical()).select("polled_at", "active").rows()
    assert sorted({*found}) == expected
