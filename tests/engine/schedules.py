"""Open intervals of literal hours, as people write both."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from storemon.engine.schedule import open_intervals

Hours = Sequence[tuple[str, int, str, str]]


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def seconds(written: str) -> int:
    hour, minute, second, *_ = (*map(int, written.split(":")), 0)
    return hour * 3600 + minute * 60 + second


def intervals(
    store_ids: Sequence[str], hours: Hours, zones: Mapping[str, str], starts_at: datetime, ends_at: datetime
) -> pl.DataFrame:
    """Ask for the open intervals of stores; their keys are their places in ``store_ids``."""
    rows = [(store_id, weekday, seconds(opens), seconds(closes)) for store_id, weekday, opens, closes in hours]
    stores = pl.DataFrame({"store_id": store_ids}, schema={"store_id": pl.String}).with_row_index("store_key")
    return open_intervals(
        stores.cast({"store_key": pl.Int32}),
        pl.DataFrame(
            rows,
            schema={"store_id": pl.String, "weekday": pl.Int8, "opens_local": pl.Int32, "closes_local": pl.Int32},
            orient="row",
        ),
        pl.DataFrame([*zones.items()], schema={"store_id": pl.String, "zone": pl.String}, orient="row"),
        starts_at,
        ends_at,
    )


def joined(found: pl.DataFrame) -> list[tuple[datetime, datetime]]:
    """Join intervals that touch: whether they come out as one or as two doesn't matter. None may overlap."""
    edges: list[tuple[datetime, datetime]] = []
    for opens_at, closes_at in found.select(pl.col("opens_at", "closes_at").cast(pl.Datetime("us", "UTC"))).rows():
        assert opens_at < closes_at
        assert not edges or edges[-1][1] <= opens_at
        touches = edges and edges[-1][1] == opens_at
        edges.append((edges.pop()[0] if touches else opens_at, closes_at))
    return edges


def opened(rows: Sequence[tuple[int, str, str]], zone: str | None, within: tuple[str, str]) -> list[str]:
    """Write one store's open intervals like ``10-07 14:00:00 10-07 22:00:00``."""
    hours = [("a", *row) for row in rows]
    found = joined(intervals(["a"], hours, {"a": zone} if zone else {}, utc(within[0]), utc(within[1])))
    return [f"{opens_at:%m-%d %H:%M:%S} {closes_at:%m-%d %H:%M:%S}" for opens_at, closes_at in found]
