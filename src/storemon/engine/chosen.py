"""The stores that are asked about."""

from functools import lru_cache

import polars as pl

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


@lru_cache(maxsize=1)
def _all_stores(snapshot: Snapshot) -> pl.DataFrame:
    first_polled_at = pl.col("polled_at").to_physical().alias("first_polled_at")
    polled = snapshot.stores().select("store_key", "store_id", first_polled_at, pl.col("active").alias("first_active"))
    return with_zones(polled.sort("store_id"), snapshot.zones())
