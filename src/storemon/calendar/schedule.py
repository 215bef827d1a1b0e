"""Weekly local hours, and the exceptions to them ► open intervals in UTC, and the business clock along them.

The rules, and their numbers here, are those of docs/semantics.md, "Service time".
"""

from datetime import datetime

import polars as pl

from storemon.calendar.zones import DAY, local_dates
from storemon.lake.schemas import EVERY_STORE
from storemon.stopping import check
from storemon.units.instants import microseconds

DEFAULT_ZONE = "America/Chicago"  # rule 6
_LAST_MINUTE = DAY - 60
_SECOND = 1_000_000
_WEEK = pl.DataFrame(
    {"weekday": range(7), "opens_local": 0, "closes_local": DAY},
    schema={"weekday": pl.Int8, "opens_local": pl.Int32, "closes_local": pl.Int32},
)


def with_zones(stores: pl.DataFrame, zones: pl.DataFrame) -> pl.DataFrame:
    """Add ``zone`` to stores, in their order: the one that ``store_id, zone`` tells, or else the default one."""
    located = stores.join(zones, on="store_id", how="left", maintain_order="left")
    return located.with_columns(pl.col("zone").fill_null(DEFAULT_ZONE))


def open_intervals(
    stores: pl.DataFrame, hours: pl.DataFrame, special_hours: pl.DataFrame, starts_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Realise the service schedules of stores on the UTC line, within ``[starts_at, ends_at)``.

    Args:
        stores: ``store_key, store_id, zone``, the last an IANA name.
        hours: ``store_id, weekday, opens_local, closes_local``, in seconds after local midnight, as written.
        special_hours: ``store_id, date, opens_local, closes_local``: they replace the hours of that date; both times
            are null where it is closed. Those of ``*`` are for each store that has none of its own on that date.
        starts_at: nothing before it counts. Aware.
        ends_at: nothing from it on counts. Aware.

    Returns:
        ``store_key, opens_at, closes_at``, sorted, no two of a store overlapping, in microseconds since 1970 in UTC.

    """
    bounds = (microseconds(starts_at), microseconds(ends_at))
    first, last = bounds[0] // _SECOND, -(-bounds[1] // _SECOND)
    zones = stores.select(pl.col("zone").unique()).with_row_index("zone_key")
    # No zone was ever 16 hours from UTC, and what opens at 24:00 for 24 hours closes 48 hours after its date began.
    dates = local_dates(zones, first // DAY - 2, last // DAY + 1)
    stores = stores.join(zones, on="zone").select("store_key", "store_id", "zone_key")
    special = special_hours.join(dates, on="date", how="semi")
    if not special.is_empty():
        special = _special_rows(stores, special)
        hours = pl.concat([hours, _whole_days(special.join(hours, on="store_id", how="anti"))])
    scheduled = _realised(_dated_rows(stores.join(hours, on="store_id"), special, dates))
    round_the_clock = stores.join(hours, on="store_id", how="anti").select(  # rule 2
        "store_key", opens=pl.lit(first, pl.Int64), closes=pl.lit(last, pl.Int64)
    )
    check()
    disjoint = _union(pl.concat([scheduled, round_the_clock]), first, last)
    edges = ((pl.col(name) * _SECOND).clip(*bounds).alias(f"{name}_at") for name in ("opens", "closes"))
    return disjoint.select("store_key", *edges).filter(pl.col("opens_at") < pl.col("closes_at"))


def _special_rows(stores: pl.DataFrame, special_hours: pl.DataFrame) -> pl.DataFrame:
    """Give each store its own special hours, and those of every store on dates on which it has none."""
    own = stores.join(special_hours, on="store_id")
    every_store = special_hours.filter(pl.col("store_id") == EVERY_STORE).drop("store_id")
    general = stores.join(every_store, how="cross").join(own, on=["store_key", "date"], how="anti")
    return pl.concat([own, general])


def _whole_days(special: pl.DataFrame) -> pl.DataFrame:
    """Write the hours of stores that are open round the clock except on special dates."""
    return special.select("store_id").unique().join(_WEEK, how="cross")


def _dated_rows(weekly: pl.DataFrame, special: pl.DataFrame, dates: pl.DataFrame) -> pl.DataFrame:
    """Put weekly and special rows on the local dates they apply to."""
    usual = _as_meant(weekly).drop("store_id").join(dates, on=["zone_key", "weekday"])
    if special.is_empty():
        return usual
    usual = usual.join(special, on=["store_key", "date"], how="anti")
    exceptional = _as_meant(special.drop_nulls()).join(dates, on=["zone_key", "date"])
    return pl.concat([usual, exceptional.select(usual.columns)])


def _as_meant(rows: pl.DataFrame) -> pl.DataFrame:
    """Let closing times be seconds after the midnight before the opening time."""
    opens, closes = pl.col("opens_local"), pl.col("closes_local")
    closes = pl.when(closes >= _LAST_MINUTE).then(DAY).otherwise(closes)  # rule 4
    overnight = pl.when(closes <= opens).then(DAY).otherwise(0)  # rule 5
    return rows.with_columns(closes_local=closes + overnight)


def _realised(dated: pl.DataFrame) -> pl.DataFrame:
    """Read dated rows as `local_dates` tells (rule 7): ``store_key, opens, closes``, in seconds since 1970 in UTC."""

    def read(local: pl.Expr) -> pl.Expr:
        return pl.col("begins") + local - pl.when(local >= pl.col("change_local")).then("change").otherwise(0)

    return dated.select("store_key", opens=read(pl.col("opens_local")), closes=read(pl.col("closes_local")))


def _union(intervals: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Count overlaps once (rule 3): start each interval no earlier than the ones before it in its store have ended.

    What is empty or reversed then stays so. All in seconds.
    """
    # The lines of all stores, cut off at both ends, make a single one, each after the one before: one sort, and one
    # running maximum. With 64 bits it has room for 29 million stores, even with all of the years 1 to 9999.
    shift = pl.col("store_key").cast(pl.Int64) * (last - first)
    on_one_line = intervals.with_columns(pl.col("opens", "closes").clip(first, last) + shift).sort("opens")
    covered = pl.col("closes").cum_max().shift()
    return on_one_line.select(
        "store_key", opens=pl.max_horizontal("opens", covered) - shift, closes=pl.col("closes") - shift
    )


def maintenance_of(stores: pl.DataFrame, maintenance: pl.DataFrame) -> pl.DataFrame:
    """Give each store its own maintenance, and that of every store.

    Args:
        stores: ``store_key, store_id``.
        maintenance: ``store_id, starts_at, ends_at``, the last two as ``Datetime("us", "UTC")``.

    Returns:
        ``store_key, starts_at, ends_at``, in microseconds since 1970 in UTC.

    """
    edges = maintenance.select("store_id", pl.col("starts_at", "ends_at").to_physical())
    stores = stores.select("store_key", "store_id")
    every_store = edges.filter(pl.col("store_id") == EVERY_STORE).drop("store_id")
    return pl.concat([stores.join(edges, on="store_id"), stores.join(every_store, how="cross")]).drop("store_id")


def without(intervals: pl.DataFrame, maintenance: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take maintenance out of open intervals.

    Args:
        intervals: ``store_key, opens_at, closes_at``, as `open_intervals` gives them.
        maintenance: ``store_key, starts_at, ends_at``, in the same unit; overlaps count once.

    Returns:
        The intervals that are left, and those that are excluded; both like ``intervals``.

    """
    maintenance = maintenance.filter(pl.col("starts_at") < pl.col("ends_at"))
    if maintenance.is_empty():
        return intervals, intervals.clear()
    near = (
        pl.col("store_key").is_in(maintenance["store_key"].unique().implode())
        & (pl.col("opens_at") < maintenance["ends_at"].max())
        & (pl.col("closes_at") > maintenance["starts_at"].min())
    )
    pieces = _cut(intervals.filter(near), maintenance)
    left, excluded = (pieces.filter(which).drop("off") for which in (pl.col("off") == 0, pl.col("off") > 0))
    # Of what is in order already, a sort that maintains order has little left to do.
    return pl.concat([intervals.filter(~near), left]).sort("store_key", "opens_at", maintain_order=True), excluded


def _cut(intervals: pl.DataFrame, maintenance: pl.DataFrame) -> pl.DataFrame:
    """Cut intervals at the edges of maintenance, and add to each piece how many of its rows cover it: ``off``."""
    edges = [
        frame.select("store_key", opens_at=at, open=pl.lit(opens, pl.Int32), off=pl.lit(starts, pl.Int32))
        for frame, at, opens, starts in (
            (intervals, "opens_at", 1, 0),
            (intervals, "closes_at", -1, 0),
            (maintenance, "starts_at", 0, 1),
            (maintenance, "ends_at", 0, -1),
        )
    ]
    ordered = pl.concat(edges).sort("store_key", "opens_at", maintain_order=True)
    # The edges of a store add up to nothing, so one running sum serves all stores.
    pieces = ordered.with_columns(pl.col("open", "off").cum_sum(), closes_at=pl.col("opens_at").shift(-1))
    is_piece = (pl.col("open") > 0) & (pl.col("opens_at") < pl.col("closes_at"))
    return pieces.filter(is_piece).select(*intervals.columns, "off")


def with_clock(intervals: pl.DataFrame) -> pl.DataFrame:
    """Add ``clock_us``, the open time of the store before each interval."""
    lasted = pl.col("closes_at") - pl.col("opens_at")
    # Summed over all stores it may go round in 64 bits; the difference comes back.
    summed = intervals.with_columns(clock_us=lasted.cum_sum() - lasted)
    return summed.with_columns(pl.col("clock_us") - pl.col("clock_us").first().over("store_key"))
