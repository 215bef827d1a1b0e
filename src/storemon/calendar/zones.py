"""When the clocks of a zone change, and by which offset from UTC its wall times are read.

The zones of the tzdata package are the judge here, as Python reads them: those inside Polars are another edition, and
know no summer from 2100 on.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from storemon.stopping import check
from storemon.units.zones import zone_info

DAY = 86_400
_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
_STEP = 3 * DAY  # no zone has ever changed its offset twice within that time, nor what its clocks show within two days
_SEASON = 32 * _STEP
_EARLIEST, _LATEST = -62_135_500_000, 253_402_200_000  # seconds since 1970: in the years 1 to 9999 in every zone
_NEVER = 2**40  # seconds: longer than all those years
_READINGS = {
    "zone_key": pl.UInt32,
    "since_local": pl.Int64,
    "offset": pl.Int64,
    "until_local": pl.Int64,
    "change": pl.Int64,
}


class ClockChange(NamedTuple):
    """An instant, in UTC, from which on a zone has another offset from UTC, and the offsets before and after it."""

    at: datetime
    before: timedelta
    after: timedelta


def clock_changes(zone: str, starts_at: datetime, ends_at: datetime) -> list[ClockChange]:
    """List in order the changes of a zone's offset from UTC after ``starts_at`` and before ``ends_at``, both aware."""
    first, last = ((instant - _EPOCH) // _SECOND for instant in (starts_at, ends_at))
    changes = (
        ClockChange(_EPOCH + at * _SECOND, before * _SECOND, after * _SECOND)
        for at, before, after in _changes(zone, first, last)
    )
    return [change for change in changes if starts_at < change.at < ends_at]


def local_dates(zones: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Tell how the wall times of local dates are read, as RFC 5545 §3.3.5 does (what Python calls fold=0).

    Args:
        zones: ``zone_key, zone``: as `with_row_index` numbers them, and the IANA name.
        first: the first date, in days since 1970.
        last: the last one.

    Returns:
        ``zone_key, date, weekday, begins, change_local, change``, a row for each zone and date; ``weekday`` is 0 on
        Monday. A wall time of the date or of the next one, told in seconds after the date's midnight, lies that many
        seconds after ``begins`` (seconds since 1970 in UTC), and ``change`` seconds less from ``change_local`` on.

    """
    rows = [
        (zone_key, *reading)
        for zone_key, zone in zones.iter_rows()
        for reading in _readings(zone, first * DAY, (last + 2) * DAY)
    ]
    readings = pl.DataFrame(rows, schema=_READINGS, orient="row")
    dates = pl.select(date=pl.int_range(first, last + 1, dtype=pl.Int32)).select(
        pl.col("date").cast(pl.Date), midnight_local=pl.col("date").cast(pl.Int64) * DAY
    )
    return (
        zones.select("zone_key")
        .join(dates, how="cross")
        .join_asof(readings, left_on="midnight_local", right_on="since_local", by="zone_key", check_sortedness=False)
        .select(
            "zone_key",
            "date",
            weekday=(pl.col("date").dt.weekday() - 1).cast(pl.Int8),
            begins=pl.col("midnight_local") - pl.col("offset"),
            change_local=pl.col("until_local") - pl.col("midnight_local"),
            change="change",
        )
    )


def _readings(zone: str, first: int, last: int) -> list[tuple[int, int, int, int]]:
    """Tell by which offset wall times are read, since when and until when, and the change of it then.

    Wall times that are skipped, or occur twice, are read by the offset before the change. So the one after it takes
    over at the later of what the clocks show just before and just after the change. All in seconds.
    """
    changes = _changes(zone, first - DAY, last + DAY)
    edges = [-_NEVER, *(at + max(before, after) for at, before, after in changes), _NEVER]
    offsets = [_offset(zone, first - DAY), *(after for _, _, after in changes)]
    steps = [*(after - before for _, before, after in changes), 0]
    return [*zip(edges, offsets, edges[1:], steps, strict=False)]


def _changes(zone: str, first: int, last: int) -> list[tuple[int, int, int]]:
    """List when the offset changes after ``first`` and up to ``last``, and the offsets before and after; in seconds."""
    seasons = (_changes_of_season(zone, season) for season in range(first // _SEASON, last // _SEASON + 1))
    return [change for season in seasons for change in season if first < change[0] <= last]


@lru_cache(maxsize=2**16)
def _changes_of_season(zone: str, season: int) -> tuple[tuple[int, int, int], ...]:
    """List the changes after the first second of a season, counted from 1970, up to the first one of the next."""
    check()  # ten thousand years have forty thousand of them
    steps = range(season * _SEASON, (season + 1) * _SEASON + 1, _STEP)
    offsets = [(second, _offset(zone, second)) for second in steps]
    changes = []
    for (starts, before), (ends, after) in pairwise(offsets):
        if before != after:
            passed = bisect_left(range(starts, ends), True, key=lambda second: _offset(zone, second) != before)
            changes.append((starts + passed, before, after))
    return tuple(changes)


def _offset(zone: str, second: int) -> int:
    shown = datetime.fromtimestamp(min(max(second, _EARLIEST), _LATEST), zone_info(zone))
    return (shown.utcoffset() or timedelta()) // _SECOND
