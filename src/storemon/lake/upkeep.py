"""Upkeep of a lake: the files of closed days merged, old polls let go.

Each changes only what it says, by atomic commits beside readers and writers, and can be cut off and run again any time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from storemon.lake.polls import AT_ONCE, IDENTITY, as_kept, as_roster, distinct, ranges, read_roster
from storemon.lake.retrying import retrying
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Opened, Tables

AT_LEAST = 16
"""Files of a day that an ingestion merges: less than hourly ingestions leave, and few enough to be read quickly."""


@dataclass(frozen=True)
class Compaction:
    """What a compaction came to: the days it merged, the files they were in, and the doubled polls it dropped."""

    days: int
    files: int
    doubled: int


@dataclass(frozen=True)
class Pruning:
    """What a pruning removes, or would: whole days of polls, from the first to the last of them."""

    days: int
    polls: int
    size: int
    first: date | None
    last: date | None


def compact(tables: Tables, *, at_least: int = 2, at_most: int | None = None) -> Compaction:
    """Merge each closed day's files, sorted, without doubled polls; it is closed once a later one has polls.

    A day of more than `AT_ONCE` polls is in several all the same, each with stores of its own. The roster is merged
    like a day.

    Args:
        tables: the lake's tables.
        at_least: how many files a day must be in to be merged.
        at_most: how many days to merge, those in the most files first; by default all.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: a file of the polls is lost or damaged, or the lake cannot be written.

    """
    # Of what was written together there is one file of decisive polls, and may be one of others.
    written = pl.col("decisive").fill_null(value=True).sum()
    needed = (pl.col("rows").sum() - 1) // AT_ONCE + 1
    days = tables.open(POLLS).files.group_by("polled_on").agg(len=written, needed=needed)
    many = days.filter(pl.col("len") >= at_least, pl.col("len") > pl.col("needed"))
    if len(many.filter(pl.col("polled_on").is_null())):
        merge(tables, None)
    closed = many.filter(pl.col("polled_on") < pl.lit(days["polled_on"].max(), pl.Date)).top_k(
        at_most or len(many), by="len"
    )
    merged = [merge(tables, day) for day in closed["polled_on"].sort()]
    return Compaction(len(merged), sum(files for files, _ in merged), sum(doubled for _, doubled in merged))


def merge(tables: Tables, day: date | None, some: pl.Series | None = None) -> tuple[int, int]:
    """Merge the files of a day, or of the roster; give how many they were, and how many doubled polls were dropped.

    Args:
        tables: the lake's tables.
        day: the day, None for the roster.
        some: the paths of those to merge, by default all. Polls that are not decisive go with the decisive ones that
            they came with, or a merged file would not be as told in `storemon.lake.decisive`.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: a file of the polls is lost or damaged, or the lake cannot be written.

    """
    read = tables.open(POLLS)
    old = read.files.filter(pl.col("polled_on").eq_missing(day))
    if some is not None:
        old = old.filter(pl.col("path").is_in(some.implode()))
    paths = old["path"].to_list()
    new = tables.write(read, [as_roster(read_roster(read, paths))] if day is None else _parts(read, paths))

    def exchange() -> tuple[int, int]:
        now = tables.open(POLLS)
        if len(now.files.join(old, on="path", how="semi")) < len(old):
            return 0, 0  # another process has merged them, or let go of them; what is in them has not changed
        tables.commit(now, new, instead_of=old, same_rows=True)
        doubled = old["rows"].sum() - sum(json.loads(file.stats)["numRecords"] for file in new)
        return int(old["decisive"].fill_null(value=True).sum()), doubled

    return retrying(exchange)


def _parts(read: Opened, paths: list[str]) -> Iterator[pl.DataFrame]:
    """Sort the polls of a day range by range of stores, without doubled ones."""
    polls = read.scan(paths).select(IDENTITY)
    with read.reading():
        for within in ranges(polls.group_by("store_key").len().collect(engine="streaming")):
            yield from as_kept(distinct(polls.filter(within).collect()))


def prune(tables: Tables, before: date, *, dry_run: bool) -> Pruning:
    """Let go of the polls of all UTC days before a date; their files stay until a vacuum.

    The roster keeps the first poll of each store: what was first known of it is not forgotten.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the lake cannot be read or written.

    """

    def attempt() -> Pruning:
        read = tables.open(POLLS)
        old = read.files.filter(pl.col("polled_on") < before)
        told = old.select(
            pl.col("polled_on").n_unique(),
            pl.col("rows").sum(),
            pl.col("size").sum(),
            pl.col("polled_on").min().alias("first"),
            pl.col("polled_on").max().alias("last"),
        ).row(0)
        if not dry_run and len(old):
            tables.delete(read, f"polled_on < DATE '{before}'")
        return Pruning(*told)

    return retrying(attempt)
