"""Weekly local hours ► open intervals in UTC, and the business clock along them.

The rules, and their numbers here, are those of docs/semantics.md, "Service time".
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import polars as pl

from storemon.engine.windows import microseconds, shifted

DEFAULT_ZONE = "America/Chicago"  # rule 6
_DAY = 86_400
_LAST_MINUTE = _DAY - 60
_MARGIN = timedelta(days=1)  # no zone was ever further than 16 hours from UTC
_LONGEST = timedelta(days=2)  # opened at 24:00 for 24 hours, an interval ends this long after its date began
_EARLIEST, _LATEST = -62_135_500_000, 253_402_200_000  # seconds since 1970: in the years 1 to 9999 in every zone


def open_intervals(
    stores: pl.DataFrame, hours: pl.DataFrame, zones: pl.DataFrame, starts_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Realise the service schedules of stores on the UTC line, within ``[starts_at, ends_at)``.

    Args:
        stores: ``store_key, store_id``.
        hours: ``store_id, weekday, opens_local, closes_local``, in seconds after local midnight, as written.
        zones: ``store_id, zone``, IANA names.
        starts_at: nothing before it counts; the business clock starts here. Aware.
        ends_at: nothing from it on counts. Aware.

    Returns:
        ``store_key, opens_at, closes_at, clock_us``, sorted by the first two, no two of a store overlapping. Instants
        are microseconds since 1970 in UTC; ``clock_us`` is the store's open time before ``opens_at``.

    """
    bounds = (microseconds(starts_at), microseconds(ends_at))
    local = _local_intervals(stores, hours, zones, starts_at, ends_at)
    scheduled = [_in_utc(part, part["zone"][0]) for part in local.partition_by("zone")]
    round_the_clock = stores.join(hours, on="store_id", how="anti").select(  # rule 2
        "store_key", pl.lit(bounds[0]).alias("opens_at"), pl.lit(bounds[1]).alias("closes_at")
    )
    clipped = pl.concat([*scheduled, round_the_clock]).with_columns(pl.col("opens_at", "closes_at").clip(*bounds))
    disjoint = _union(clipped)
    lasted = pl.col("closes_at") - pl.col("opens_at")
    return disjoint.with_columns(clock_us=lasted.cum_sum().over("store_key") - lasted)


def _local_intervals(
    stores: pl.DataFrame, hours: pl.DataFrame, zones: pl.DataFrame, starts_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Put each schedule row on each local date it applies to: ``store_key, zone, opens_at, closes_at`` in wall time."""
    first, last = _wall(shifted(starts_at, -_MARGIN)), _wall(shifted(ends_at, _MARGIN))
    earliest = _wall(shifted(starts_at, -_MARGIN - _LONGEST))
    dates = pl.select(date=pl.datetime_range(earliest.date(), last.date(), "1d", time_unit="us"))
    dates = dates.with_columns(weekday=(pl.col("date").dt.weekday() - 1).cast(pl.Int8))  # rule 1
    at_end_of_day = pl.col("closes_local") >= _LAST_MINUTE
    rows = stores.join(hours, on="store_id").with_columns(
        closes_local=pl.when(at_end_of_day).then(_DAY).otherwise("closes_local")  # rule 4
    )
    overnight = pl.col("closes_local") <= pl.col("opens_local")  # rule 5
    rows = rows.with_columns(closes_local=pl.col("closes_local") + pl.when(overnight).then(_DAY).otherwise(0))
    walls = (
        (pl.col("date") + pl.duration(seconds=f"{edge}_local", time_unit="us")).alias(f"{edge}_at")
        for edge in ("opens", "closes")
    )
    return (
        rows.join(zones, on="store_id", how="left")
        .join(dates, on="weekday")
        .select("store_key", pl.col("zone").fill_null(DEFAULT_ZONE), *walls)
        .filter(pl.col("closes_at") > first, pl.col("opens_at") < last)
    )


def _in_utc(local: pl.DataFrame, zone: str) -> pl.DataFrame:
    return local.select("store_key", *(_to_utc(local[name], zone) for name in ("opens_at", "closes_at")))


def _to_utc(wall: pl.Series, zone: str) -> pl.Series:
    """Read wall times as RFC 5545 §3.3.5 does (rule 7), into microseconds since 1970 in UTC.

    Python's zones are the judge here: those inside Polars are another edition, and know no summer from 2100 on.
    """
    local = wall.to_physical()
    first, last = cast("tuple[int, int]", (local.min(), local.max()))
    edges, offsets = _offsets(zone, first // 1_000_000, last // 1_000_000)
    if not edges:
        return local - offsets[0]
    place = pl.Series(edges, dtype=pl.Int64).search_sorted(local, side="right")
    return local - pl.Series(offsets, dtype=pl.Int64).gather(place)


def _offsets(zone: str, first: int, last: int) -> tuple[list[int], list[int]]:
    """Tell by which offsets from UTC wall times are read, and the wall times from which each but the first one holds.

    Wall times that are skipped, or occur twice, are read by the offset before the change. So the one after it takes
    over at the later of what the clocks show just before and just after the change. ``first`` and ``last`` are in
    seconds, what is returned in microseconds.
    """
    there = ZoneInfo(zone)

    def offset(second: int) -> int:
        shown = datetime.fromtimestamp(min(max(second, _EARLIEST), _LATEST), there)
        return (shown.utcoffset() or timedelta()) // timedelta(seconds=1)

    step = 3 * _DAY  # no zone has ever changed its offset twice within that time
    edges, offsets = [], [offset(first - step)]
    for start in range(first - step, last + step, step):
        before, after = offsets[-1], offset(start + step)
        if before != after:
            change = bisect_left(range(start, start + step), True, key=lambda second: offset(second) != before)
            edges.append(start + change + max(before, after))
            offsets.append(after)
    return [edge * 1_000_000 for edge in edges], [offset * 1_000_000 for offset in offsets]


def _union(intervals: pl.DataFrame) -> pl.DataFrame:
    """Count overlaps once (rule 3): start each interval no earlier than the ones before it in its store have ended."""
    ordered = intervals.filter(pl.col("closes_at") > pl.col("opens_at")).sort("store_key", "opens_at")
    covered = pl.col("closes_at").cum_max().shift().over("store_key")
    return ordered.with_columns(opens_at=pl.max_horizontal("opens_at", covered)).filter(
        pl.col("closes_at") > pl.col("opens_at")
    )


def _wall(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
