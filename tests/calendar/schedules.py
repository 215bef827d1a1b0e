"""Open intervals of literal hours and exceptions, as people write them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import polars as pl

from storemon.calendar.schedule import maintenance_of, open_intervals, with_zones, without

Hours = Sequence[tuple[str, int, str, str]]
SpecialHours = Sequence[tuple[str, str, str, str]]
Maintenance = Sequence[tuple[str, datetime, datetime]]
HOURS = {"store_id": pl.String(), "weekday": pl.Int8(), "opens_local": pl.Int32(), "closes_local": pl.Int32()}
SPECIAL = {"store_id": pl.String(), "date": pl.Date(), "opens_local": pl.Int32(), "closes_local": pl.Int32()}
MAINTENANCE = {
    "store_id": pl.String(),
    "starts_at": pl.Datetime("us", "UTC"),
    "ends_at": pl.Datetime("us", "UTC"),
    "reason": pl.String(),
}


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def seconds(written: str) -> int | None:
    """None where nothing is written, as where a store is closed all day."""
    if not written:
        return None
    hour, minute, second, *_ = (*map(int, written.split(":")), 0)
    return hour * 3600 + minute * 60 + second


def stores_of(store_ids: Sequence[str], zones: Mapping[str, str]) -> pl.DataFrame:
    """Stores whose keys are their places in ``store_ids``, and in no order."""
    stores = pl.DataFrame({"store_id": store_ids}, schema={"store_id": pl.String}).with_row_index("store_key")
    written = pl.DataFrame([*zones.items()], schema={"store_id": pl.String, "zone": pl.String}, orient="row")
    return with_zones(stores.cast({"store_key": pl.Int32}).reverse(), written)


def intervals(
    store_ids: Sequence[str],
    hours: Hours,
    zones: Mapping[str, str],
    starts_at: datetime,
    ends_at: datetime,
    *,
    special_hours: SpecialHours = (),
) -> pl.DataFrame:
    """Ask for the open intervals of stores; their keys are their places in ``store_ids``."""
    weekly = [(store_id, weekday, seconds(opens), seconds(closes)) for store_id, weekday, opens, closes in hours]
    special = [
        (store_id, date.fromisoformat(day), seconds(opens), seconds(closes))
        for store_id, day, opens, closes in special_hours
    ]
    return open_intervals(
        stores_of(store_ids, zones),
        pl.DataFrame(weekly, schema=HOURS, orient="row"),
        pl.DataFrame(special, schema=SPECIAL, orient="row"),
        starts_at,
        ends_at,
    )


def split(store_ids: Sequence[str], found: pl.DataFrame, maintenance: Maintenance) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take literal maintenance out of open intervals."""
    rows = pl.DataFrame([(*row, "") for row in maintenance], schema=MAINTENANCE, orient="row")
    return without(found, maintenance_of(stores_of(store_ids, {}), rows))


def joined(found: pl.DataFrame) -> list[tuple[datetime, datetime]]:
    """Join intervals that touch: whether they come out as one or as two doesn't matter. None may overlap."""
    edges: list[tuple[datetime, datetime]] = []
    for opens_at, closes_at in found.select(pl.col("opens_at", "closes_at").cast(pl.Datetime("us", "UTC"))).rows():
        assert opens_at < closes_at
        assert not edges or edges[-1][1] <= opens_at
        touches = edges and edges[-1][1] == opens_at
        edges.append((edges.pop()[0] if touches else opens_at, closes_at))
    return edges


def opened(
    rows: Sequence[tuple[int, str, str]],
    zone: str | None,
    within: tuple[str, str],
    special_hours: SpecialHours = (),
) -> list[str]:
    """Write the open intervals of one store, ``a``, like ``10-07 14:00:00 10-07 22:00:00``."""
    hours = [("a", *row) for row in rows]
    zones = {"a": zone} if zone else {}
    return written(intervals(["a"], hours, zones, utc(within[0]), utc(within[1]), special_hours=special_hours))


def written(found: pl.DataFrame) -> list[str]:
    return [f"{opens_at:%m-%d %H:%M:%S} {closes_at:%m-%d %H:%M:%S}" for opens_at, closes_at in joined(found)]
