"""Weekly local hours ► open intervals in UTC, and the business clock along them.

The rules, and their numbers here, are those of docs/semantics.md, "Service time".
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from storemon.engine.windows import microseconds

DEFAULT_ZONE = "America/Chicago"  # rule 6
_DAY = 86_400
_LAST_MINUTE = _DAY - 60
_MARGIN = timedelta(days=1)  # no zone was ever further than 16 hours from UTC
_LONGEST = timedelta(days=2)  # opened at 24:00 for 24 hours, an interval ends this long after its date began


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
    first, last = _wall(starts_at - _MARGIN), _wall(ends_at + _MARGIN)
    dates = pl.select(date=pl.datetime_range((first - _LONGEST).date(), last.date(), "1d", time_unit="us"))
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
    """Read wall times as RFC 5545 §3.3.5 does (rule 7), into microseconds since 1970 in UTC."""
    utc = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").to_physical()
    if not utc.null_count():
        return utc
    # A wall time that is skipped is read with the offset before the gap. That is what Python's fold=0 does.
    skipped = wall.filter(utc.is_null()).unique()
    instants = [microseconds(each.replace(tzinfo=ZoneInfo(zone), fold=0)) for each in skipped]
    return utc.fill_null(wall.replace_strict(skipped, instants, default=None, return_dtype=pl.Int64))


def _union(intervals: pl.DataFrame) -> pl.DataFrame:
    """Count overlaps once (rule 3): start each interval no earlier than the ones before it in its store have ended."""
    ordered = intervals.filter(pl.col("closes_at") > pl.col("opens_at")).sort("store_key", "opens_at")
    covered = pl.col("closes_at").cum_max().shift().over("store_key")
    return ordered.with_columns(opens_at=pl.max_horizontal("opens_at", covered)).filter(
        pl.col("closes_at") > pl.col("opens_at")
    )


def _wall(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

