"""The stores that are asked about."""

from functools import lru_cache

import polars as pl

from storemon.calendar.alike import Schedules, schedules_of
from storemon.calendar.schedule import with_zones
from storemon.engine.question import Question
from storemon.engine.tags import matching
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import microseconds


def chosen_stores(snapshot: Snapshot, question: Question) -> pl.DataFrame:
    """Read the stores that are asked about: ``store_key, store_id, zone, first_polled_at, first_active``, by id.

    Raises:
        InputError: a tag that the question names is unknown.
        LakeError: the lake can't be read.

    """
    known = _all_stores(snapshot).filter(pl.col("first_polled_at") <= microseconds(question.as_of))
    return matching(known, snapshot.tags(), question.where) if question.where else known


class Keyed:
    """Stores that can be told from others by their keys."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __hash__(self) -> int:
        return len(self.frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyed) and self.frame["store_key"].equals(other.frame["store_key"])


def shared_schedules(snapshot: Snapshot, stores: pl.DataFrame) -> tuple[Schedules, pl.Series]:
    """Find the schedules of stores as `schedules_of` does, once for the same ones."""
    return _shared_schedules(snapshot, Keyed(stores))


@lru_cache(maxsize=2)
def _shared_schedules(snapshot: Snapshot, stores: Keyed) -> tuple[Schedules, pl.Series]:
    return schedules_of(snapshot, stores.frame)


@lru_cache(maxsize=1)
def _all_stores(snapshot: Snapshot) -> pl.DataFrame:
    first_polled_at = pl.col("polled_at").to_physical().alias("first_polled_at")
    polled = snapshot.stores().select("store_key", "store_id", first_polled_at, pl.col("active").alias("first_active"))
    return with_zones(polled.sort("store_id"), snapshot.zones())
