"""Polls that are brought into a lake live: a small commit every few seconds, and what they leave.

``python -m benchmarks.live_commits LAKE [COMMITS] [POLLS]`` adds to a copy of a lake and prints a line now and then.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

import storemon
from storemon.intake.forms.known import POLLS_FORM
from storemon.lake.gathered import Gathered
from storemon.lake.merging import merge_small
from storemon.lake.polls import DAY_OF_POLL, NewPolls
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables
from storemon.lake.upkeep import merge
from storemon.sample import NEWEST_AT

APART = timedelta(seconds=4.32)  # 20,000 a day


@dataclass(frozen=True)
class Live:
    """What live commits took and left: seconds of each commit with its merges, and the files of the newest day."""

    seconds: list[float]
    files: int
    most_files: int

    def quantile(self, share: float) -> float:
        """Tell within how many seconds a share of the commits were done."""
        return sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def batches(store_ids: pl.Series, polls: int) -> Iterator[pl.DataFrame]:
    """Give the polls of each commit: of some stores after the others, in the seconds before it; from a midnight on."""
    begin = datetime.combine(NEWEST_AT.date() + timedelta(days=1), datetime.min.time(), NEWEST_AT.tzinfo)
    nth = 0
    while True:
        of = (pl.int_range(polls, eager=True) + nth * polls) % len(store_ids)
        polled_at = begin + APART * nth + pl.duration(microseconds=pl.int_range(polls) * 4_000_000 // polls)
        yield pl.select(
            store_id=store_ids.gather(of).cast(pl.Categorical()), active=pl.lit(of) % 7 != nth % 7, polled_at=polled_at
        )
        nth += 1


def commit(tables: Tables, polls: pl.DataFrame) -> None:
    """Bring polls in as live ones come: one commit, then the merges that are due."""
    read = tables.open(POLLS)
    new = NewPolls(read, Gathered.of([polls], POLLS_FORM.schema, by=DAY_OF_POLL))
    tables.commit(read, tables.write(read, new.parts()))
    merge_small(tables)


def commit_live(lake: Path, commits: int, polls: int, *, tell: bool = False) -> Live:
    """Commit polls of the stores of a lake, and time it."""
    tables = Tables(lake)
    ready = batches(storemon.Lake(lake).snapshot().stores()["store_id"], polls)
    live = Live([], 0, 0)
    for nth in range(1, commits + 1):
        batch = next(ready)
        started = time.perf_counter()
        commit(tables, batch)
        live.seconds.append(time.perf_counter() - started)
        files = day_files(tables)
        live = Live(live.seconds, files, max(live.most_files, files))
        if tell and (nth in {100, commits} or not nth % 1_000):
            last = Live(live.seconds[-1_000:], files, live.most_files)
            mean = sum(last.seconds) / len(last.seconds)
            print(
                f"{nth:,} commits of {polls:,} polls: a commit took {last.quantile(0.5) * 1e3:.0f} ms (median), "
                f"{mean * 1e3:.0f} ms (mean), {last.quantile(0.99) * 1e3:.0f} ms (p99), {max(last.seconds) * 1e3:.0f} "
                f"ms (most), of the last {len(last.seconds):,}; {files} files of the day, {live.most_files} at the most; "
                f"{left(lake)}",
                flush=True,
            )
    return live


def day_files(tables: Tables) -> int:
    """Count the files of the newest day."""
    days = tables.open(POLLS).files["polled_on"]
    return int((days == days.max()).sum())


def left(lake: Path) -> str:
    """Say how many files a lake is in, and how large they are, with those that a vacuum would remove."""
    log = list((lake / "polls" / "_delta_log").iterdir())
    data = [path for path in (lake / "polls").rglob("*.parquet") if path.parent.name != "_delta_log"]
    sizes = [sum(path.stat().st_size for path in paths) / 1e6 for paths in (data, log)]
    return f"{len(data):,} data files of {sizes[0]:,.0f} MB, {len(log):,} files of the log of {sizes[1]:,.0f} MB"


def merged_wholly(lake: Path, to: Path) -> None:
    """Copy a lake, with the newest day in one file, too."""
    shutil.copytree(lake, to)
    merge(Tables(to), Tables(to).open(POLLS).files["polled_on"].max())  # type: ignore[arg-type]


if __name__ == "__main__":
    source, commits, polls = Path(sys.argv[1]), *(int(text) for text in (*sys.argv[2:], "2000", "1000")[:2])
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        shutil.copytree(source, lake)
        commit_live(lake, commits, polls, tell=True)
        merged_wholly(lake, Path(folder) / "whole")
        for name in ("lake", "whole"):
            took = []
            for _ in range(5):
                here = storemon.Lake(Path(folder) / name)
                started = time.perf_counter()
                storemon.report(here)
                took.append(time.perf_counter() - started)
            print(f"report on the {name}: {sorted(took)[2] * 1e3:.0f} ms, the first time {took[0] * 1e3:.0f} ms")
        started = time.perf_counter()
        gone = storemon.Lake(lake).vacuum(timedelta())
        print(f"vacuum: {len(gone):,} files in {time.perf_counter() - started:.1f} s; {left(lake)}")
