"""The hour of week: one window told by weekday and hour, as each store's own clocks show them.

No hour of the window is looked at on its own. A stretch of time in one state matters only to the hours of the week in
which it starts and ends; a running sum over the week fills those between.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Unpack

import polars as pl

from storemon.calendar.windows import Rolling, Window
from storemon.calendar.zones import clock_changes
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import Facts, gather
from storemon.engine.measures import MEASURES
from storemon.engine.pipeline import HOUR_OF_WEEK, STATES
from storemon.engine.question import Asked, Question, ask
from storemon.engine.ranges import by_range
from storemon.engine.rows import Rows, rows_of, side_by_side
from storemon.errors import InputError
from storemon.lake.duck import offer
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EPOCH, FIRST, LAST, microseconds
from storemon.units.zones import zone_info

LAST_FOUR_WEEKS = Window("last_28d", Rolling(timedelta(days=28)))
_HELD = {"uptime_us": "active", "downtime_us": "inactive", "unknown_us": "unknown", "excluded_us": "excluded"}
_MEASURES = ("uptime", "downtime", "unknown", "service", "excluded", "availability")
_HOURS = 7 * 24
_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)
_SOME_MONDAY = FIRST - EPOCH - 7 * _DAY
"""January 1 of the year 1 was a Monday, and so was the day a week before: all that the clocks can show comes after."""


def hour_of_week(
    source: KeptLake | Snapshot, *, group_by: Sequence[str] | None = None, **asked: Unpack[Asked]
) -> pl.DataFrame:
    """Add one window up by weekday and hour in local time, for each store, or for groups of stores.

    Hours that the clocks show alike are one: the two from one to two in a night in which they go back, and those
    from nine to ten of all stores in a group, whatever their zones.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        group_by: tags; a week for each group of stores with the same values. No tags at all: one week for all stores.
        **asked: ``as_of``, ``windows`` (one; by default the last 28 days), ``carry_limit``, ``policy`` and ``where``;
            see `storemon.engine.question.Asked`.

    Returns:
        ``store_id``, or the tags and ``stores``, how many there are in the group; ``weekday`` (0 is Monday), ``hour``;
        ``uptime, downtime, unknown, service, excluded``, exact, in whole microseconds; and ``availability`` in percent,
        rounded down to two decimals, null where nothing is known. 168 rows for each store or group, in order.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known, or there is not one window.
        LakeError: the lake can't be read.

    """
    asked.setdefault("windows", [LAST_FOUR_WEEKS])
    snapshot, question = ask(source, **asked)
    if len(question.windows) != 1:
        names = ", ".join(window.name for window in question.windows)
        raise InputError(f"the hour of week adds up one window, but these were asked for: {names}; ask for one")
    if taken := {"weekday", "hour", *_MEASURES}.intersection(group_by or ()):
        raise InputError(f"the tag {min(taken)!r} has the name of another column of the answer; give it another one")
    stores = chosen_stores(snapshot, question)
    if group_by is None:
        return pl.concat(by_range(_weeks_of_stores, snapshot, question, stores))
    rows = rows_of(snapshot, stores, group_by)
    cells = pl.concat(by_range(_cells, snapshot, question, rows.stores))
    return _weeks(rows, cells.group_by("held", "cell").agg(pl.col("more_us").sum()))


def _weeks_of_stores(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    rows = rows_of(snapshot, stores, None)
    return _weeks(rows, _cells(snapshot, question, rows.stores))


def _cells(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Find where one hour of the week differs from the next: ``held, cell, more_us``."""
    with gather(snapshot, question, stores=stores) as facts:
        first_cell = pl.col("row").cast(pl.Int64) * _HOURS
        offer(facts.con, "cells_of_stores", stores.select("store_key", first_cell=first_cell))
        offer(facts.con, "offsets", _offsets(facts))
        return facts.run((*STATES[question.policy], *HOUR_OF_WEEK))


def _offsets(facts: Facts) -> pl.DataFrame:
    """Cut the window of each zone where its offset from UTC changes.

    Returns:
        ``zone_key, starts_at, ends_at, offset_us``; what is to be added to an instant between them for what the wall
        clock shows, in microseconds since a Monday at midnight that lies before all time.

    """
    schema = {"zone_key": pl.Int32, "starts_at": pl.Int64, "ends_at": pl.Int64, "offset_us": pl.Int64}
    return pl.DataFrame(_with_offset(facts), schema=schema, orient="row")


def _with_offset(facts: Facts) -> Iterator[tuple[int, int, int, int]]:
    zones = dict(facts.stores.select("zone_key", "zone").unique().iter_rows())
    for zone_key, *edges in facts.windows.select("zone_key", "starts_at", "ends_at").iter_rows():
        starts_at, ends_at = (EPOCH + edge * _MICROSECOND for edge in edges)
        changes = [change.at for change in clock_changes(zones[zone_key], starts_at, ends_at)]
        for since, until in pairwise([starts_at, *changes, ends_at]):
            offset = _offset(since, zones[zone_key]) - _SOME_MONDAY
            yield zone_key, microseconds(since), microseconds(until), offset // _MICROSECOND


def _offset(at: datetime, zone: str) -> timedelta:
    told = min(max(at, FIRST + _DAY), LAST - _DAY)  # the wall's date must be one that can be written
    return told.astimezone(zone_info(zone)).utcoffset() or timedelta()


def _weeks(rows: Rows, cells: pl.DataFrame) -> pl.DataFrame:
    """Lay out the hours of the week for each row of the answer, and fill them: each has so much more than the last."""
    cell = pl.int_range(len(rows.names[0]) * _HOURS)
    weeks = pl.select(row=cell // _HOURS, weekday=cell % _HOURS // 24, hour=cell % 24)
    sums = pl.DataFrame({name: _running(cells.filter(held=held), len(weeks)) for name, held in _HELD.items()})
    sums = sums.with_columns(service_us=pl.sum_horizontal("uptime_us", "downtime_us", "unknown_us"))
    told = sums.select(MEASURES[name].value.alias(name) for name in _MEASURES)
    return side_by_side([*rows.named(weeks["row"]), *weeks.select("weekday", "hour").cast(pl.Int8), *told])


def _running(cells: pl.DataFrame, count: int) -> pl.Series:
    """Add up from the first cell to each: ``count`` numbers. The cell after the last one may be among those given."""
    return (
        pl.zeros(count + 1, dtype=pl.Int64, eager=True).scatter(cells["cell"], cells["more_us"]).cum_sum().head(count)
    )
