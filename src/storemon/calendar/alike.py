"""Stores that keep the same hours: what is open when is worked out once for all of them.

Of a thousand stores a hundred differ, of a million hardly more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import polars as pl

from storemon.calendar.schedule import maintenance_of, open_intervals, with_clock, without
from storemon.calendar.zones import DAY
from storemon.lake.schemas import EVERY_STORE
from storemon.lake.snapshot import Snapshot
from storemon.stopping import check
from storemon.units.instants import EPOCH, microseconds

_SECOND = 1_000_000

_DAYS_AT_ONCE = 2_000_000
"""Days of schedules that are laid out at a time: some 200 MB."""


@dataclass(frozen=True)
class Schedules:
    """The schedules of stores, each once.

    Attributes:
        stores: ``store_key, store_id, zone``: one store for each schedule, the first that keeps it.
        hours: the weekly hours of these stores.
        special_hours: their special hours, and those of every store.
        maintenance: their maintenance, and that of every store.

    """

    stores: pl.DataFrame
    hours: pl.DataFrame
    special_hours: pl.DataFrame
    maintenance: pl.DataFrame
    _realised: dict[tuple[datetime, datetime], pl.DataFrame] = field(default_factory=dict, init=False, repr=False)
    """What was laid out last: who asks the same again need not wait for it."""

    def of(self, keys: pl.Series) -> Self:
        """Pick those that stores with such keys stand for."""
        if len(keys) == len(self.stores):
            return self
        stores = self.stores.filter(pl.col("store_key").is_in(keys.implode()))
        wanted = pl.concat([stores["store_id"], pl.Series([EVERY_STORE])]).to_frame()
        rows = (self.hours, self.special_hours, self.maintenance)
        return type(self)(stores, *(some.join(wanted, on="store_id", how="semi") for some in rows))

    def in_parts(self, asked: pl.DataFrame, until: datetime) -> Iterator[tuple[Self, pl.DataFrame, datetime]]:
        """Cut them into parts of which each can be laid out at once, with what is ``asked`` of it, and since when.

        Args:
            asked: ``store_key``, that of a schedule, and ``since``, in microseconds; null is ``until``.
            until: up to when they are laid out.

        """
        last = microseconds(until)
        days = max(1, (last - _first(asked, last)) // (DAY * _SECOND))
        for some in self.stores.iter_slices(max(1, _DAYS_AT_ONCE // days)):
            check()
            of_these = asked.join(some, on="store_key", how="semi", maintain_order="left")
            first = EPOCH + timedelta(microseconds=_first(of_these, last))
            yield self.of(some["store_key"]), of_these, first

    def last_exception(self) -> datetime | None:
        """Tell by when the last exception to the weekly hours is over in every zone, None if there is none."""
        ends = (
            self.special_hours.select(pl.col("date").max().cast(pl.Datetime("us", "UTC")).dt.offset_by("3d")).item(),
            self.maintenance.select(pl.col("ends_at").max()).item(),
        )
        return max((end for end in ends if end is not None), default=None)

    def realised(self, starts_at: datetime, ends_at: datetime) -> pl.DataFrame:
        """Lay them out on the UTC line: ``store_key, opens_at, closes_at, clock_us``, sorted; none touches the next.

        Args:
            starts_at: nothing before it counts. Aware.
            ends_at: nothing from it on counts. Aware.

        """
        intervals = self._realised.get((starts_at, ends_at))
        if intervals is None:  # several threads may ask at once: each gives what it has found itself
            intervals = self._lay_out(starts_at, ends_at)
            self._realised.clear()
            self._realised[starts_at, ends_at] = intervals
        return intervals

    def _lay_out(self, starts_at: datetime, ends_at: datetime) -> pl.DataFrame:
        intervals = open_intervals(self.stores, self.hours, self.special_hours, starts_at, ends_at)
        left, _ = without(intervals, maintenance_of(self.stores, self.maintenance))
        touches = (pl.col("store_key") == pl.col("store_key").shift()) & (
            pl.col("opens_at") == pl.col("closes_at").shift()
        )
        marked = left.with_columns(opens=~touches.fill_null(value=False))
        opens = marked.filter("opens").select("store_key", "opens_at")
        closes = marked.filter(pl.col("opens").shift(-1, fill_value=True)).select("closes_at")
        return with_clock(pl.concat([opens, closes], how="horizontal"))


def _first(asked: pl.DataFrame, last: int) -> int:
    """Find the first of the instants since when something is asked, ``last`` if there is none before."""
    first: int = asked.select(pl.min_horizontal(pl.col("since").min(), pl.lit(last, pl.Int64))).item()
    return first


def schedules_of(snapshot: Snapshot, stores: pl.DataFrame) -> tuple[Schedules, pl.Series]:
    """Find the schedules of stores, and of each store the key of the one that stands for it.

    Args:
        snapshot: where the schedules are from.
        stores: ``store_key, store_id, zone``, sorted by ``store_id``.

    Raises:
        LakeError: the lake can't be read.

    """
    ids = stores["store_id"]
    within = (ids[0], ids[-1]) if len(ids) else None
    hours, special, maintenance = snapshot.hours(within), snapshot.special_hours(within), snapshot.maintenance(within)
    told, same = stores.select("store_key", "store_id", "zone"), ["zone"]
    for name, rows in (("hours", hours), ("special", special), ("maintenance", maintenance)):
        own = rows.filter(pl.col("store_id") != EVERY_STORE)
        if len(own):
            told = told.join(_kinds(own, name), on="store_id", how="left", maintain_order="left")
            same.append(name)
    stands_for = told.select(pl.col("store_key").first().over(same))["store_key"]
    all_of_them = Schedules(told.select("store_key", "store_id", "zone"), hours, special, maintenance)
    return all_of_them.of(stands_for.unique()), stands_for


def _kinds(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give a number to the set of rows that a store has, one number to equal sets: ``store_id`` and ``name``."""
    columns = [name for name in rows.columns if name not in {"store_id", "reason"}]
    # As a table keeps them, equal sets are in one order, and a store's rows are found without a look at others.
    ordered = rows if rows["store_id"].is_sorted() else rows.sort("store_id", *columns)
    sets = ordered.with_columns(place=pl.col("store_id").rle_id()).group_by("place", maintain_order=True)
    listed = sets.agg(pl.col("store_id").first(), pl.col(columns))
    return listed.select("store_id", pl.col("place").first().over(columns).alias(name))
