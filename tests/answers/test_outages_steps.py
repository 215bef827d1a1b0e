"""The steps from changes of state to outages, each alone on literal rows: what it is given, what it gives.

Y is active, N inactive and Q unknown. The carry limit is 10, the first boundary 100; polls are gathered up to 130.
"""

from collections.abc import Mapping

import polars as pl
import pytest

from storemon.engine import pipeline
from storemon.lake.duck import connect
from tests.engine.steps import CHANGES, INTERVALS, KEY, PARAMS, POLLS, TOLD, US, Columns, Inputs, Row, parameters

Y, N, Q = True, False, None
SPELLS: Columns = {"store_key": KEY, "spell_starts_at": US, "spell_ends_at": US}
DOWNTIMES: Columns = {"part": KEY, **SPELLS, "downtime_us": US}
SCHEMAS: Mapping[str, Columns] = {
    "polls_within_of_all": POLLS,
    "polls_within": POLLS,
    "last_polls": TOLD,
    "stores": {"store_key": KEY, "zone_key": KEY},
    "windows": {"part": KEY, "window": KEY, "zone_key": KEY, "starts_at": US, "ends_at": US, "bucket": US},
    "open_intervals": INTERVALS,
    "changes": CHANGES,
    "spells": SPELLS,
    "clips": {"part": KEY, **SPELLS, "starts_at": US, "ends_at": US},
    "edges": {"store_key": KEY, "instant": US, "clock_us": US},
    "downtimes": DOWNTIMES,
    "outage_sums": {
        "part": KEY,
        "store_key": KEY,
        "outages": US,
        "ended_outages": US,
        "ended_downtime_us": US,
        "longest_us": US,
    },
    "active_polls": {"store_key": KEY, "polled_at": US},
    "outages": {
        **DOWNTIMES,
        "starts_at": US,
        "ends_at": US,
        "whole_downtime_us": US,
        "started_after": US,
        "ended_before": US,
    },
}
OPEN = [(1, 100, 105, 0), (1, 110, 120, 5)]
"""Store 1 is open for five microseconds, closed for five, and open for ten."""


def rows_of(step: str, inputs: Inputs) -> list[Row]:
    sql = pipeline.step(f"outages/{step}")
    with connect() as con:
        for name, rows in inputs.items():
            con.register(name, pl.DataFrame(rows, schema=SCHEMAS[name], orient="row").to_arrow())
        bound = {name: value for name, value in PARAMS.items() if name in parameters(sql)}
        answer: pl.DataFrame = con.sql(sql, params=bound).pl()
    assert answer.columns == [*SCHEMAS[step]]
    in_order: list[Row] = answer.sort(pl.all()).rows()
    return in_order


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
    assert rows_of("spells", {"changes": changes}) == expected


@pytest.mark.parametrize(
    ("windows", "spells", "expected"),
    [
        ([(0, 0, 0, 100, 130, Q)], [(1, 90, 110)], [(0, 1, 90, 110, 100, 110)]),
        ([(0, 0, 0, 100, 130, Q)], [(1, 110, None)], [(0, 1, 110, None, 110, 130)]),
        # Beside the part there is none; nor in an empty part, nor of a store in another zone, nor of one not asked for.
        ([(0, 0, 0, 100, 130, Q)], [(1, 90, 100), (1, 130, 140), (1, 135, None)], []),
        ([(0, 0, 0, 120, 120, Q)], [(1, 110, None)], []),
        ([(0, 0, 1, 100, 130, Q)], [(1, 110, 120), (3, 110, 120)], []),
        # In each window of its own; in two parts of one window that have two buckets, too.
        (
            [(0, 0, 0, 100, 130, Q), (1, 1, 0, 90, 115, Q)],
            [(1, 110, 120)],
            [(0, 1, 110, 120, 110, 120), (1, 1, 110, 120, 110, 115)],
        ),
        (
            [(4, 0, 0, 100, 115, 1), (5, 0, 0, 115, 130, 2)],
            [(1, 110, 120)],
            [(4, 1, 110, 120, 110, 115), (5, 1, 110, 120, 115, 120)],
        ),
        # Parts that have one bucket go by the first, also if that lies before it all.
        (
            [(4, 0, 0, 100, 115, 1), (5, 0, 0, 115, 130, 1)],
            [(1, 110, 120), (1, 121, 122)],
            [(4, 1, 110, 120, 110, 115), (4, 1, 110, 120, 115, 120), (4, 1, 121, 122, 121, 122)],
        ),
        # One bucket of two zones are two.
        ([(4, 0, 0, 100, 130, 1), (5, 0, 1, 100, 130, 1)], [(2, 110, 120)], [(5, 2, 110, 120, 110, 120)]),
    ],
)
def test_clips(windows: list[Row], spells: list[Row], expected: list[Row]) -> None:
    assert rows_of("clips", {"windows": windows, "spells": spells, "stores": [(1, 0), (2, 1)]}) == expected


@pytest.mark.parametrize(
    ("clips", "expected"),
    [
        ([], []),
        # Before the first interval, at its edges, inside, between two, and after the last.
        ([(0, 1, 99, 100, 102, 105)], [(1, 99, 0), (1, 100, 0), (1, 102, 2), (1, 105, 5)]),
        ([(0, 1, 107, 110, 111, 125)], [(1, 107, 5), (1, 110, 5), (1, 111, 6), (1, 125, 15)]),
        # Each only once; a spell that nothing ends has an edge at the end. A store with no interval is never open.
        ([(0, 1, 101, None, 101, 120), (1, 1, 101, None, 101, 120)], [(1, 101, 1), (1, 120, 15), (1, 130, 15)]),
        ([(0, 2, 101, 105, 101, 105)], [(2, 101, 0), (2, 105, 0)]),
    ],
)
def test_edges(clips: list[Row], expected: list[Row]) -> None:
    assert rows_of("edges", {"clips": clips, "open_intervals": OPEN}) == expected


@pytest.mark.parametrize(
    ("clips", "expected"),
    [
        ([], []),
        ([(0, 1, 101, 118, 102, 112)], [(0, 1, 101, 118, 5)]),
        # Without open time in the part there is none.
        ([(0, 1, 101, 118, 105, 110)], []),
        # Two clips to one part are one outage; two spells are two.
        ([(0, 1, 101, None, 101, 105), (0, 1, 101, None, 110, 112)], [(0, 1, 101, None, 6)]),
        ([(0, 1, 101, 105, 101, 105), (0, 1, 112, 118, 112, 118)], [(0, 1, 101, 105, 4), (0, 1, 112, 118, 6)]),
    ],
)
def test_downtimes(clips: list[Row], expected: list[Row]) -> None:
    clock = {101: 1, 102: 2, 105: 5, 110: 5, 112: 7, 118: 13}
    edges = [(store_key, at, clock_us + store_key) for store_key in (1, 2) for at, clock_us in clock.items()]
    assert rows_of("downtimes", {"clips": clips, "edges": edges}) == expected


@pytest.mark.parametrize(
    ("downtimes", "expected"),
    [
        ([], []),
        ([(0, 1, 90, 105, 5)], [(0, 1, 1, 1, 5, 5)]),
        # One that nothing has ended counts, and may be the longest.
        ([(0, 1, 90, 105, 5), (0, 1, 107, None, 9), (1, 1, 107, None, 3)], [(0, 1, 2, 1, 5, 9), (1, 1, 1, 0, 0, 3)]),
        ([(0, 1, 90, 105, 5), (0, 2, 90, 105, 7), (0, 2, 107, 109, 2)], [(0, 1, 1, 1, 5, 5), (0, 2, 2, 2, 9, 7)]),
    ],
)
def test_outage_sums(downtimes: list[Row], expected: list[Row]) -> None:
    assert rows_of("outage_sums", {"downtimes": downtimes}) == expected


@pytest.mark.parametrize(
    ("within", "last", "expected"),
    [
        ([], [], []),
        # From the last one at or before the first boundary up to the end; of stores that have an outage.
        ([(1, at, Y) for at in (99, 100, 101, 130, 131)] + [(2, 110, Y)], [(1, 98, Y)], [(1, 98), (1, 101), (1, 130)]),
        ([(1, 110, N)], [(1, 98, N)], []),
        # One that another contradicts doesn't count; one that is told twice counts once.
        ([(1, 110, Y), (1, 110, N), (1, 111, Y), (1, 111, Y)], [], [(1, 111)]),
    ],
)
def test_active_polls(within: list[Row], last: list[Row], expected: list[Row]) -> None:
    inputs: Inputs = {"polls_within": within, "last_polls": last, "downtimes": [(0, 1, 90, 105, 5)]}
    assert rows_of("active_polls", inputs) == expected


@pytest.mark.parametrize(
    ("downtime", "edges", "active", "expected"),
    [
        # In open time: the spell's own edges.
        ((101, 112, 3), {101: 1, 112: 7}, [98, 112, 113], (101, 112, 6, 98, 112)),
        # It starts in closed time, and at opening; it ends in closed time, and at closing or at opening.
        ((107, 125, 3), {107: 5, 125: 15}, [107], (110, 120, 10, None, None)),
        ((99, 105, 3), {99: 0, 105: 5}, [98, 104], (100, 105, 5, 98, None)),
        ((100, 107, 3), {100: 0, 107: 5}, [100, 107], (100, 105, 5, None, 107)),
        ((100, 110, 3), {100: 0, 110: 5}, [99], (100, 105, 5, 99, None)),
        # Nothing ends it: up to the last open instant that is known, and no poll bounds it.
        ((105, None, 3), {105: 5, 130: 15}, [99, 130], (110, 120, 10, 99, None)),
    ],
)
def test_outages(downtime: Row, edges: dict[int, int], active: list[int], expected: Row) -> None:
    starts_at, ends_at, downtime_us = downtime
    inputs: Inputs = {
        "downtimes": [(0, 1, starts_at, ends_at, downtime_us)],
        "edges": [(1, at, clock_us) for at, clock_us in edges.items()],
        "open_intervals": [*OPEN, (2, 100, 130, 0)],
        "active_polls": [(1, at) for at in active] + [(2, 100), (2, 129)],
    }
    assert rows_of("outages", inputs) == [(0, 1, starts_at, ends_at, downtime_us, *expected)]


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
    found = [(polled_at, active) for _, polled_at, active in in_microseconds(rows_of("polls_within", inputs))]
    assert sorted({*found}) == expected


def in_microseconds(polls: list[Row]) -> list[Row]:
    return pl.DataFrame(polls, schema=POLLS, orient="row").with_columns(pl.col("polled_at").to_physical()).rows()
