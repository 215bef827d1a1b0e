"""The hour of week: one window told by weekday and hour, as each store's own clocks show them.

No hour is looked at on its own. A stretch of time that is held to be in one state adds to the hours in which it starts
and ends only, and a running sum over the week's hours fills those between.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Unpack
from zoneinfo import ZoneInfo

import polars as pl

from storemon.engine.facts import Facts, gather
from storemon.engine.instants import EPOCH, FIRST, LAST, microseconds
from storemon.engine.measures import MEASURES
from storemon.engine.pipeline import HOUR_OF_WEEK, STATES
from storemon.engine.question import Asked, ask
from storemon.engine.report import _rows
from storemon.engine.windows import Rolling, Window
from storemon.engine.zones import clock_changes
from storemon.errors import InputError
from storemon.lake.lake import Lake
from storemon.lake.snapshot import Snapshot

LAST_FOUR_WEEKS = Window("last_28d", Rolling(timedelta(days=28)))
_MEASURES = ("uptime", "downtime", "unknown", "service", "excluded", "availability")
_SUMS = ("uptime_us", "downtime_us", "unknown_us", "excluded_us")
_HOURS = 7 * 24
_MICROSECOND, _DAY = timedelta(microseconds=1), timedelta(days=1)
_SOME_MONDAY = FIRST - EPOCH
"""January 1 of the year 1 was a Monday, in the calendar carried back."""


def hour_of_week(
    source: Lake | Snapshot, *, group_by: Sequence[str] | None = None, **asked: Unpack[Asked]
) -> pl.DataFrame:
    """Add one window up by weekday and hour in local time, for each store, or for groups of stores.

    Hours that the clocks show alike are one: both hours from one to two of a night in which they go back, and nine in the
    morning of every store in a group, whatever its zone.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        group_by: tags; a week for each group of stores with the same values. No tags at all: one week for all stores.
        **asked: ``as_of``, ``windows`` (one; by default the last 28 days), ``carry_limit``, ``policy`` and ``where``; see
            `storemon.engine.question.Asked`.

    Returns:
        ``store_id``, or the tags and ``stores``, how many there are in the group; ``weekday`` (0 is Monday) and ``hour``;
        ``uptime, downtime, unknown, service, excluded``, exact, in whole microseconds; and ``availability``, in percent,
        rounded down to two decimals, null where nothing is known. 168 rows for each store or group, in order.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known, or there is not one window.
        LakeError: the lake can't be read.

    """
    asked.setdefault("windows", [LAST_FOUR_WEEKS])
    snapshot, question = ask(source, **asked)
    if len(question.windows) != 1:
        names = ", ".join(window.name for window in question.windows) or "none"
        raise InputError(f"the hour of week adds up one window, but these were asked for: {names}; ask for one")
    with gather(snapshot, question) as facts:
        rows = _rows(facts, group_by)
        facts.con.register("rows", rows.select("store_key", "row").to_arrow())
        facts.con.register("offsets", _offsets(facts).to_arrow())
        fillings = facts.run((*STATES[question.policy], *HOUR_OF_WEEK))
    return _weeks(rows.drop("store_key").unique("row").sort("row"), fillings)


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
            offset = _offset(since, zones[zone_key]) - _SOME_MONDAY + 7 * _DAY
            yield zone_key, microseconds(since), microseconds(until), offset // _MICROSECOND


def _offset(at: datetime, zone: str) -> timedelta:
    told = min(max(at, FIRST + _DAY), LAST - _DAY)  # the wall's date must be one that can be written
    return told.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


def _weeks(rows: pl.DataFrame, fillings: pl.DataFrame) -> pl.DataFrame:
    """Lay out all hours of the week for each row of the answer, and fill them from where one differs from the next."""
    hours = pl.select(weekday=pl.int_range(_HOURS) // 24, hour=pl.int_range(_HOURS) % 24).cast(pl.Int8)
    cells = rows.join(hours, how="cross", maintain_order="left_right")
    place = fillings["row"].cast(pl.UInt32) * _HOURS + fillings["hour_of_week"].cast(pl.UInt32)
    differences = [pl.zeros(len(cells), eager=True).scatter(place, fillings[name]).alias(name) for name in _SUMS]
    sums = cells.with_columns(differences).with_columns(pl.col(_SUMS).cum_sum().over("row"))
    told = sums.with_columns(service_us=pl.sum_horizontal("uptime_us", "downtime_us", "unknown_us"))
    names = rows.drop("row").columns
    return told.select(*names, "weekday", "hour", *(MEASURES[name].value.alias(name) for name in _MEASURES))
