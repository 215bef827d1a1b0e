"""Weekly local hours, and the exceptions to them ► open intervals in UTC, and the business clock along them.

The rules, and their numbers here, are those of docs/semantics.md, "Service time".
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from storemon.engine.instants import microseconds

DEFAULT_ZONE = "America/Chicago"  # rule 6
EVERY_STORE = "*"
_DAY = 86_400
_LAST_MINUTE = _DAY - 60
_MARGIN = timedelta(days=1)  # no zone was ever further than 16 hours from UTC
_LONGEST = timedelta(days=2)  # opened at 24:00 for 24 hours, an interval ends this long after its date began
_SHIFT = ["store_key", "zone", "date", "opens_local", "closes_local"]


def open_intervals(
    stores: pl.DataFrame, hours: pl.DataFrame, special_hours: pl.DataFrame, starts_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Realise the service schedules of stores on the UTC line, within ``[starts_at, ends_at)``.

    Args:
        stores: ``store_key, store_id, zone``.
        hours: ``store_id, weekday, opens_local, closes_local``, in seconds after local midnight, as written.
        special_hours: ``store_id, date, opens_local, closes_local``; both times are null where the store stays closed.
        starts_at: nothing before it counts. Aware.
        ends_at: nothing from it on counts. Aware.

    Returns:
        ``store_key, opens_at, closes_at``, sorted by the first two, no two of a store overlapping. Instants are
        microseconds since 1970 in UTC.

    """
    bounds = (microseconds(starts_at), microseconds(ends_at))
    special = _special_shifts(stores, special_hours)
    unscheduled = stores.join(hours, on="store_id", how="anti")  # rule 2: open round the clock
    by_day = unscheduled.join(special, on="store_key", how="semi")
    always = unscheduled.join(special, on="store_key", how="anti").select(
        "store_key", pl.lit(bounds[0]).alias("opens_at"), pl.lit(bounds[1]).alias("closes_at")
    )
    whole_days = (
        by_day.select("store_id")
        .join(pl.DataFrame({"weekday": range(7)}, schema={"weekday": pl.Int8}), how="cross")
        .with_columns(opens_local=pl.lit(0, pl.Int32), closes_local=pl.lit(_DAY, pl.Int32))
    )
    weekly = stores.join(pl.concat([hours, whole_days]), on="store_id")
    dates = _dates(starts_at, ends_at)
    usual = weekly.join(dates, on="weekday").select(_SHIFT)
    if len(special):
        usual = usual.join(special, on=["store_key", "date"], how="anti")
    exceptional = special.join(dates, on="date", how="semi").drop_nulls("opens_local").select(_SHIFT)
    local = _in_wall_time(pl.concat([usual, exceptional]) if len(special) else usual, starts_at, ends_at)
    scheduled = [_in_utc(part, part["zone"][0]) for part in local.partition_by("zone")]
    return _union(pl.concat([*scheduled, always]).with_columns(pl.col("opens_at", "closes_at").clip(*bounds)))


def with_clock(intervals: pl.DataFrame) -> pl.DataFrame:
    """Add ``clock_us``, the open time of the store before each interval."""
    lasted = pl.col("closes_at") - pl.col("opens_at")
    return intervals.with_columns(clock_us=lasted.cum_sum().over("store_key") - lasted)


def without(intervals: pl.DataFrame, maintenance: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take maintenance out of open intervals.

    Args:
        intervals: ``store_key, opens_at, closes_at``, as `open_intervals` gives them.
        maintenance: ``store_key, starts_at, ends_at``, in microseconds since 1970 in UTC; overlaps count once.

    Returns:
        The open intervals that are left, and the ones that are excluded, both like ``intervals``.

    """
    if maintenance.is_empty():
        return intervals, intervals.clear()
    edges = [
        frame.select(
            "store_key", pl.col(at).alias("opens_at"), pl.lit(is_open).alias("open"), pl.lit(is_off).alias("off")
        )
        for frame, at, is_open, is_off in (
            (intervals, "opens_at", 1, 0),
            (intervals, "closes_at", -1, 0),
            (maintenance, "starts_at", 0, 1),
            (maintenance, "ends_at", 0, -1),
        )
    ]
    steps = pl.concat(edges).group_by("store_key", "opens_at").sum().sort("store_key", "opens_at")
    pieces = steps.with_columns(
        pl.col("open", "off").cum_sum().over("store_key"), closes_at=pl.col("opens_at").shift(-1).over("store_key")
    ).filter(pl.col("open") > 0)
    left, excluded = (pieces.filter(condition) for condition in (pl.col("off") == 0, pl.col("off") > 0))
    return left.select(intervals.columns), excluded.select(intervals.columns)


def _dates(starts_at: datetime, ends_at: datetime) -> pl.DataFrame:
    """List the local dates, in any zone, whose shifts can touch the time between: ``date, weekday``."""
    first, last = (_wall(starts_at - _MARGIN) - _LONGEST).date(), _wall(ends_at + _MARGIN).date()
    dates = pl.select(date=pl.date_range(first, last, "1d"))
    return dates.with_columns(weekday=(pl.col("date").dt.weekday() - 1).cast(pl.Int8))  # rule 1


def _special_shifts(stores: pl.DataFrame, special_hours: pl.DataFrame) -> pl.DataFrame:
    """Give each store its own special hours, and those of every store on dates on which it has none."""
    own = stores.join(special_hours, on="store_id")
    if own.is_empty() and special_hours.is_empty():
        return own.select(_SHIFT)
    general = stores.join(special_hours.filter(pl.col("store_id") == EVERY_STORE).drop("store_id"), how="cross")
    return pl.concat([own.select(_SHIFT), general.join(own, on=["store_key", "date"], how="anti").select(_SHIFT)])


def _in_wall_time(shifts: pl.DataFrame, starts_at: datetime, ends_at: datetime) -> pl.DataFrame:
    """Read shifts as wall time, those kept that may touch the time between: ``store_key, zone, opens_at, closes_at``."""
    at_end_of_day = pl.col("closes_local") >= _LAST_MINUTE
    closes_local = pl.when(at_end_of_day).then(_DAY).otherwise("closes_local")  # rule 4
    next_day = pl.when(closes_local <= pl.col("opens_local")).then(_DAY).otherwise(0)  # rule 5
    midnight = pl.col("date").cast(pl.Datetime("us"))
    walls = shifts.select(
        "store_key",
        "zone",
        opens_at=midnight + pl.duration(seconds="opens_local", time_unit="us"),
        closes_at=midnight + pl.duration(seconds=closes_local + next_day, time_unit="us"),
    )
    first, last = _wall(starts_at - _MARGIN), _wall(ends_at + _MARGIN)
    return walls.filter(pl.col("closes_at") > first, pl.col("opens_at") < last)


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


def with_zones(stores: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    return stores.join(zones, on="store_id", how="left", maintain_order="left").with_columns(
        pl.col("zone").fill_null(DEFAULT_ZONE)
    )


def maintenance_of(stores: pl.DataFrame, maintenance: pl.DataFrame) -> pl.DataFrame:
    """Give each store its own maintenance, and that of every store: ``store_key, starts_at, ends_at``."""
    keys, edges = stores.select("store_key", "store_id"), ["store_key", "starts_at", "ends_at"]
    instants = maintenance.with_columns(pl.col("starts_at", "ends_at").to_physical())
    own = keys.join(instants, on="store_id").select(edges)
    general = instants.filter(pl.col("store_id") == EVERY_STORE).drop("store_id")
    return pl.concat([own, keys.join(general, how="cross").select(edges)])
