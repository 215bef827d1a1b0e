"""New polls on their way into the lake: stores become keys, known polls drop out, the roster learns of first polls."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import polars as pl
import pyarrow as pa

from storemon.lake.decisive import with_decisive
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Opened

_ROSTER = ["store_key", "store_id", "polled_at", "active"]
# Inactive sorts first: of two first polls at one instant it is the one that is kept, so an outage is never hidden.
IDENTITY = ["store_key", "polled_at", "active"]


@dataclass(frozen=True)
class NewPolls:
    """Polls that a table does not have yet.

    ``days`` has a frame for each UTC day, in order, of ``store_key, polled_at, active, polled_on``, sorted by store and
    instant. ``roster`` has ``store_key, store_id, polled_at, active``: the first poll of each store that is new, or
    that is now known to have been polled earlier.
    """

    days: list[pl.DataFrame]
    roster: pl.DataFrame

    @property
    def count(self) -> int:
        """How many polls are new."""
        return sum(map(len, self.days))

    def batches(self) -> pa.RecordBatchReader:
        """Stream them as the table has them, the roster first; a day at a time, so that memory does not grow."""
        roster = self.roster.with_columns(decisive=pl.lit(None, pl.Boolean), polled_on=pl.lit(None, pl.Date))
        return as_batches(chain([roster], (as_kept(day) for day in self.days)))


def as_batches(parts: Iterable[pl.DataFrame]) -> pa.RecordBatchReader:
    """Stream frames as the table has its rows."""
    oldest = pl.CompatLevel.oldest()
    tables = (part.select(POLLS.schema.names()).to_arrow(compat_level=oldest) for part in parts)
    schema = pl.DataFrame(schema=POLLS.schema).to_arrow(compat_level=oldest).schema
    return pa.RecordBatchReader.from_batches(schema, (batch for table in tables for batch in table.to_batches()))


def as_kept(polls: pl.DataFrame) -> pl.DataFrame:
    """Make rows of the table of polls of one day, ``store_key, polled_at, active``, sorted and distinct."""
    day = pl.col("polled_at").dt.date()
    return with_decisive(polls).with_columns(store_id=pl.lit(None, pl.String), polled_on=day)


def read_roster(polls: Opened) -> pl.DataFrame:
    """Read which stores a table knows: ``store_key, store_id, polled_at, active`` of the first poll of each."""
    paths = polls.files.filter(pl.col("polled_on").is_null())["path"].to_list()
    if not paths:
        return pl.DataFrame(schema={name: POLLS.schema[name] for name in _ROSTER})
    with polls.reading():
        rows = polls.scan(paths).select(_ROSTER).collect()
    return rows.sort(IDENTITY).unique("store_key", keep="first", maintain_order=True).select(_ROSTER)


def new_polls(polls: Opened, accepted: pl.DataFrame) -> NewPolls:
    """Find what is new.

    Args:
        polls: the table at the version that the new rows will be appended to.
        accepted: ``store_id`` (categorical), ``active`` and ``polled_at``, in any order, with repeats.

    """
    known = read_roster(polls)
    stores = _with_keys(known, accepted["store_id"])
    keys = pl.repeat(None, max(stores["code"], default=0) + 1, dtype=pl.Int32, eager=True)
    keys = keys.scatter(stores["code"], stores["store_key"])
    keyed = accepted.select(
        keys.gather(accepted["store_id"].to_physical()).alias("store_key"),
        "polled_at",
        "active",
        pl.col("polled_at").dt.date().alias("polled_on"),
    )
    days = sorted(keyed.partition_by("polled_on"), key=lambda day: day["polled_on"][0], reverse=True)
    del keyed
    new = []
    while days:  # each day is let go of when it has been sorted
        if len(part := _without_known(polls, days.pop())):
            new.append(part)
    return NewPolls(new, _roster_news(stores, known, new))


def _with_keys(known: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Give each distinct store a key, a known one or the next in the order of ids: ``code, store_id, store_key``."""
    distinct = pl.DataFrame({"store_id": ids.unique()}).with_columns(code=pl.col("store_id").to_physical())
    stores = distinct.cast({"store_id": pl.String}).join(known, on="store_id", how="left").sort("store_id")
    next_key = pl.col("store_key").is_null().cum_sum() + len(known) - 1
    return stores.select("code", "store_id", pl.coalesce("store_key", next_key.cast(pl.Int32)))


def _without_known(polls: Opened, day: pl.DataFrame) -> pl.DataFrame:
    """Sort the polls of a day by store and instant, without repeats and without those that the table has."""
    ordered = day.sort(IDENTITY)
    repeats = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in IDENTITY)
    distinct = ordered.filter(~repeats)
    files = polls.files
    paths = files.filter(pl.col("polled_on") == day["polled_on"][0])["path"].to_list()
    if not paths:
        return distinct
    between = pl.col("polled_at").is_between(day["polled_at"].min(), day["polled_at"].max())
    with polls.reading():
        there = polls.scan(paths).filter(between).select(IDENTITY).collect()
    return distinct.join(there, on=IDENTITY, how="anti", maintain_order="left")


def _roster_news(stores: pl.DataFrame, known: pl.DataFrame, days: list[pl.DataFrame]) -> pl.DataFrame:
    """Pick the first new poll of each store where the roster has none, or a later one."""
    if not days:
        return known.clear()
    of_each_day = [day.unique("store_key", keep="first", maintain_order=True) for day in days]
    first = pl.concat(of_each_day).unique("store_key", keep="first", maintain_order=True)
    named = first.join(stores, on="store_key").select(_ROSTER)
    both = pl.concat([named.with_columns(new=True), known.with_columns(new=False)])
    return (
        both.sort([*IDENTITY, "new"]).unique("store_key", keep="first", maintain_order=True).filter("new").drop("new")
    )
