"""New polls on their way into the lake: stores become keys, known polls drop out, the roster learns of first polls."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain
from typing import cast

import polars as pl

from storemon.lake.decisive import PRECISION, with_decisive
from storemon.lake.gathered import Gathered
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Opened

AT_ONCE = 4_000_000
"""Polls that are sorted at a time, and that a file has at the most: some 300 MB."""
DAY_OF_POLL = pl.col("polled_at").dt.date()

_ROSTER = ["store_key", "store_id", "polled_at", "active"]
_NO_CODES = pl.Series("store_id", dtype=pl.UInt32)
_NO_ROSTER = pl.DataFrame(schema={name: POLLS.schema[name] for name in _ROSTER})
# Inactive sorts first: of two first polls at one instant it is the one that is kept, so an outage is never hidden.
IDENTITY = ["store_key", "polled_at", "active"]


def as_kept(polls: pl.DataFrame) -> list[pl.DataFrame]:
    """Make rows of the table of polls of one day, ``store_key, polled_at, active``, sorted and distinct.

    Those that are decisive come first, and the others apart, if there are any: each is to be a file.
    """
    kept = with_decisive(polls).with_columns(store_id=pl.lit(None, pl.String), polled_on=DAY_OF_POLL)
    parts = (kept.filter("decisive"), kept.filter(~pl.col("decisive")))
    return [part.select(POLLS.schema.names()) for part in parts if len(part)]


def as_roster(stores: pl.DataFrame) -> pl.DataFrame:
    """Make rows of the table's roster of ``store_key, store_id, polled_at, active``."""
    unset = {"decisive": pl.lit(None, pl.Boolean), "polled_on": pl.lit(None, pl.Date)}
    return stores.sort("store_id").with_columns(**unset).select(POLLS.schema.names())


def read_roster(polls: Opened, some: list[str] | None = None) -> pl.DataFrame:
    """Read which stores a table knows: ``store_key, store_id, polled_at, active`` of the first poll of each, by key.

    All of its files are read, or only ``some``, by their paths.
    """
    paths = polls.files.filter(pl.col("polled_on").is_null())["path"].to_list() if some is None else some
    if not paths:
        return _NO_ROSTER
    with polls.reading():
        rows = polls.scan(paths).select(_ROSTER).collect()
    return rows.sort(IDENTITY).unique("store_key", keep="first", maintain_order=True).select(_ROSTER)


def distinct(polls: pl.DataFrame) -> pl.DataFrame:
    """Sort ``store_key, polled_at, active``, and drop repeats."""
    ordered = polls.sort(IDENTITY)
    repeats = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in IDENTITY)
    return ordered.filter(~repeats)


def ranges(counts: pl.DataFrame) -> Iterator[pl.Expr]:
    """Cut stores into ranges of about `AT_ONCE` polls: a condition on ``store_key`` for each.

    Args:
        counts: of each ``store_key`` how many polls it has, ``len``.

    """
    cut = counts.sort("store_key").group_by((pl.col("len").cum_sum() - 1) // AT_ONCE, maintain_order=True)
    for first, last in cut.agg(first=pl.col("store_key").min(), last=pl.col("store_key").max())["first", "last"].rows():
        yield pl.col("store_key").is_between(first, last)


@dataclass
class NewPolls:
    """The polls that a table does not have yet, of those that were read; to be gone through once.

    Attributes:
        polls: the table at the version that the new rows will be appended to.
        accepted: ``store_id`` (categorical), ``active`` and ``polled_at``, in any order, with repeats, by UTC day.
        count: how many were new so far.

    """

    polls: Opened
    accepted: Gathered
    count: int = 0
    _first: pl.DataFrame = field(default_factory=_NO_ROSTER.select(IDENTITY).clear)
    """The first new poll of each store that was seen so far."""

    def parts(self) -> Iterator[pl.DataFrame]:
        """Give the rows for the table, each part to be a file: the days, the large ones in ranges, then the roster."""
        yield from chain.from_iterable(map(as_kept, self.days()))
        if len(stores := self.roster()):
            yield as_roster(stores)

    def days(self) -> Iterator[pl.DataFrame]:
        """Give ``store_key, polled_at, active``, sorted and distinct: of one UTC day and range of stores at a time."""
        for day in cast("list[date]", self.accepted.groups()):
            for within in self._ranges(day):
                rows = pl.concat(self._keyed(piece).filter(within) for piece in self.accepted.pieces(day))
                new = self._without_known(day, rows)
                if len(new):
                    self.count += len(new)
                    self._see(new)
                    yield new

    def roster(self) -> pl.DataFrame:
        """Give ``store_key, store_id, polled_at, active`` of each store that is new, or polled earlier than known."""
        both = self._first.join(self._known, on="store_key", how="left", suffix="_known")
        earlier = pl.col("polled_at") < pl.col("polled_at_known")
        worse = (pl.col("polled_at") == pl.col("polled_at_known")) & (pl.col("active") < pl.col("active_known"))
        news = both.filter(pl.col("polled_at_known").is_null() | earlier | worse)
        return news.drop("store_id").join(self._stores, on="store_key").select(_ROSTER)

    @cached_property
    def _known(self) -> pl.DataFrame:
        return read_roster(self.polls)

    @cached_property
    def _stores(self) -> pl.DataFrame:
        """Give each store that was read its key, or the next in the order of ids: ``code, store_id, store_key``."""
        pieces = (piece for day in self.accepted.groups() for piece in self.accepted.pieces(day))
        codes = pl.concat([_NO_CODES, *(piece["store_id"].to_physical().unique() for piece in pieces)]).unique()
        ids = codes.cat.to(pl.Categorical()).cast(pl.String)
        read = pl.DataFrame({"code": codes, "store_id": ids})
        found = read.join(self._known.select("store_id", "store_key"), on="store_id", how="left")
        known, new = found.filter(pl.col("store_key").is_not_null()), found.filter(pl.col("store_key").is_null())
        next_keys = pl.int_range(pl.len(), dtype=pl.Int32) + len(self._known)
        return pl.concat([known, new.sort("store_id").with_columns(store_key=next_keys)])

    @cached_property
    def _keys(self) -> pl.Series:
        """Give the key of each store by its code."""
        codes = self._stores["code"]
        keys = pl.repeat(None, max(codes, default=0) + 1, dtype=pl.Int32, eager=True)
        return keys.scatter(codes, self._stores["store_key"])

    def _ranges(self, day: date) -> Iterator[pl.Expr]:
        if self.accepted.count(day) <= AT_ONCE:
            return iter([pl.lit(True)])
        keyed = (self._keyed(piece).group_by("store_key").len() for piece in self.accepted.pieces(day))
        return ranges(pl.concat(keyed).group_by("store_key").agg(pl.col("len").sum()))

    def _keyed(self, piece: pl.DataFrame) -> pl.DataFrame:
        keys = self._keys.gather(piece["store_id"].to_physical())
        return piece.select(keys.alias("store_key"), "polled_at", "active")

    def _without_known(self, day: date, polls: pl.DataFrame) -> pl.DataFrame:
        """Sort polls by store and instant, without repeats and without those that the table has."""
        new = distinct(polls)
        files = self.polls.files.filter(pl.col("polled_on") == day)
        if files.is_empty():
            return new
        near = new.select(
            pl.col("store_key").min().alias("first"),
            pl.col("store_key").max().alias("last"),
            pl.col("polled_at").min().alias("since"),
            pl.col("polled_at").max().alias("until"),
        ).row(0, named=True)
        files = files.filter(
            pl.col("min.store_key") <= near["last"],
            pl.col("max.store_key") >= near["first"],
            pl.col("min.polled_at") <= near["until"],
            pl.col("max.polled_at") + PRECISION >= near["since"],
        )
        if files.is_empty():
            return new
        there = self.polls.scan(files["path"].to_list()).filter(
            pl.col("store_key").is_between(near["first"], near["last"]),
            pl.col("polled_at").is_between(near["since"], near["until"]),
        )
        with self.polls.reading():  # of the many that may be there, no more are kept than there are new ones
            known = there.select(IDENTITY).join(new.lazy(), on=IDENTITY, how="semi").collect(engine="streaming")
        return new.join(known, on=IDENTITY, how="anti", maintain_order="left")

    def _see(self, new: pl.DataFrame) -> None:
        """Note the first poll of each store that had none; days come in order, and so do the polls of each."""
        first = new.filter(pl.col("store_key").ne_missing(pl.col("store_key").shift()))
        self._first = pl.concat([self._first, first.join(self._first, on="store_key", how="anti")])
