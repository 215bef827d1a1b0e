"""Upkeep of a lake: small files merged, old polls let go, files that nothing needs removed.

Each changes only what it says, by atomic commits beside readers and writers, and can be cut off and run again any time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from storemon.lake.polls import IDENTITY, as_batches, as_kept
from storemon.lake.retrying import retrying
from storemon.lake.schemas import FACTS, POLLS, REJECTED
from storemon.lake.tables import Tables

AT_ONCE = 20_000_000
"""Polls that are sorted at a time: about half a gigabyte."""


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


def compact(tables: Tables, *, at_least: int = 2) -> Compaction:
    """Merge each closed day's files into one, sorted, without doubled polls; it is closed once a later one has polls.

    Args:
        tables: the lake's tables.
        at_least: how many files a day must be in to be merged.

    Raises:
        LakeError: a file of the polls is lost or damaged, or the lake cannot be written.

    """
    # Of what was written together each day has one file of decisive polls, and may have one of others.
    per_day = tables.open(POLLS).files.filter("decisive").group_by("polled_on").len().sort("polled_on")
    closed = per_day.filter(pl.col("polled_on") < pl.col("polled_on").max(), pl.col("len") >= at_least)
    merged = [retrying(lambda day=day: _merge(tables, day)) for day in closed["polled_on"]]  # type: ignore[misc]
    files, doubled = (sum(counts) for counts in zip(*merged, strict=True)) if merged else (0, 0)
    return Compaction(len(merged), files, doubled)


def _merge(tables: Tables, day: date) -> tuple[int, int]:
    """Put a day into one file; give how many it was in, and how many doubled polls were dropped."""
    read = tables.open(POLLS)
    files = read.files.filter(pl.col("polled_on") == day)
    written = int(files["decisive"].sum())
    if written < 2:  # noqa: PLR2004 - another process has merged them
        return 0, 0
    paths = files["path"].to_list()
    polls = read.scan(paths).select(IDENTITY)
    with read.reading():
        count, last_key = polls.select(pl.len(), pl.col("store_key").max()).collect().row(0)
        width = -(-(last_key + 1) * AT_ONCE // count)
        kept: list[int] = []
        tables.commit(
            read,
            as_batches(_ranges(polls, range(0, last_key + 1, width), width, kept)),
            replace=f"polled_on = DATE '{day}'",
        )
    return written, count - sum(kept)


def _ranges(polls: pl.LazyFrame, firsts: range, width: int, kept: list[int]) -> Iterator[pl.DataFrame]:
    """Sort polls range by range of stores, without doubled ones, and keep count."""
    for first in firsts:
        within = polls.filter(pl.col("store_key").is_between(first, first + width, closed="left"))
        rows = within.unique().sort(IDENTITY).collect()
        kept.append(len(rows))
        yield as_kept(rows)


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


def vacuum(tables: Tables, keep: timedelta, versions: Sequence[Mapping[str, int]], *, dry_run: bool) -> list[str]:
    """Remove files that no version of the last while needs, nor any of the ``versions`` that are to be kept.

    Args:
        tables: the lake's tables.
        keep: for how long a file stays after the commit that made it unnecessary; readers of that time may use it.
        versions: of each table by its name, as reports name them.
        dry_run: only tell which files.

    Raises:
        LakeError: the lake cannot be read or written.

    """
    removed = []
    for table in (*FACTS, REJECTED):
        needed = sorted({kept[table.name] for kept in versions if kept.get(table.name, -1) >= 0})
        removed += tables.vacuum(tables.open(table), keep, needed, dry_run=dry_run)
    return removed
