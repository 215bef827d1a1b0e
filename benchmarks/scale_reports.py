"""The weekly report of many stores, polled hourly for 15 days: each run a process of its own."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import storemon as package
from benchmarks.later_polls import later_hours
from benchmarks.measured import CommandFailedError, Measured, forget, measured, storemon
from benchmarks.rows import TIMES, duration, times
from benchmarks.scale_lakes import TINY, Scale, polls_in
from benchmarks.scale_rows import Line, size

_MILLION = 1_000_000
_GIB = 1 << 30
_ENOUGH = 10_000  # stores whose report takes longer than starting


@dataclass
class Reports:
    """The runs that several lines tell of."""

    scale: Scale

    @cached_property
    def cold(self) -> Measured:
        """The first run, for which all is read from the disk."""
        forget([self.lake])
        return self.run(self.lake)

    @cached_property
    def warm(self) -> Measured:
        """The next run."""
        _ = self.cold
        return self.run(self.lake)

    @cached_property
    def start(self) -> Measured:
        """Make a report of next to nothing, which takes as long as starting does."""
        return self.often(self.scale.hourly(TINY))

    @property
    def lake(self) -> Path:
        """The lake of all the stores."""
        return self.scale.hourly(self.scale.stores)

    def run(self, lake: Path, *options: str) -> Measured:
        """Make the report."""
        return measured(storemon("report", "--lake", lake, "--out", self.out, *options))

    def often(self, lake: Path) -> Measured:
        """Make a report that is quick several times: the medians of its times."""
        runs = [self.run(lake) for _ in range(5)]
        seconds, cpu_seconds = (median(times) for times in zip(*(run[:2] for run in runs), strict=True))
        return runs[0]._replace(seconds=seconds, cpu_seconds=cpu_seconds)

    @property
    def out(self) -> Path:
        """Where reports go."""
        return self.scale.folder / "report.csv"

    def digest(self) -> str:
        """Tell one report from another."""
        with self.out.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def weekly(reports: Reports) -> Iterator[Line]:
    """Time the report, and compare the time per store with that of fewer stores."""
    stores, fewer = reports.scale.stores, reports.scale.fewer
    what = f"weekly report, {stores:,} stores, {polls_in(reports.lake) / 1e6:,.0f} million polls"
    cold, warm = reports.cold, reports.warm
    told = f"{duration(warm.seconds)}, {size(warm.peak)} ({duration(cold.seconds)} from the disk)"
    met = warm.seconds <= 20 and warm.peak <= 6 * _GIB if stores == _MILLION else None
    yield Line(what, told, f"≤ 20 s, ≤ 6 GiB for {_MILLION:,}", met, warm._replace(read=cold.read), stores)
    small, start = reports.often(reports.scale.hourly(fewer)), reports.start
    ratio, cpu_ratio = (
        (of_all - starting) / stores / ((of_fewer - starting) / fewer)
        for of_all, of_fewer, starting in zip(warm[:2], small[:2], start[:2], strict=True)
    )
    told = f"{times(ratio)}, {times(cpu_ratio)} of CPU (without {duration(start.seconds)} of starting)"
    met = ratio <= 1.3 if fewer >= _ENOUGH else None
    yield Line(f"time per store, against {fewer:,} stores", told, f"≤ 1.3 {TIMES}", met, small, fewer)


def now(reports: Reports) -> Iterator[Line]:
    """Ask what is true now, and show the worst."""
    stores = reports.scale.stores
    took = measured(storemon("now", "--lake", reports.lake, "--top", "20"))
    met = took.seconds <= 3 if stores == _MILLION else None
    yield Line("what is true now", duration(took.seconds), f"≤ 3 s for {_MILLION:,}", met, took, stores)


def look(reports: Reports) -> Iterator[Line]:
    """Judge three rules of all stores, a minute after the last look."""
    stores = reports.scale.stores
    took = measured((sys.executable, "-m", "benchmarks.looks", str(reports.lake)))
    first, *later = (float(line.split(" s: ")[0]) for line in took.output.splitlines() if " s: " in line)
    seconds = median(later)
    met = seconds <= 15 if stores == _MILLION else None
    told = f"{duration(seconds)} (the first one {duration(first)})"
    yield Line("a look of a watcher at three rules", told, f"≤ 15 s for {_MILLION:,}", met, took, stores)


def within_memory(reports: Reports) -> Iterator[Line]:
    """Make the report within a memory budget."""
    reports.run(reports.lake)
    before = reports.digest()
    took = reports.run(reports.lake, "--memory", "1GiB")
    same = reports.digest() == before
    told = f"{size(took.peak)}, {'the same' if same else 'OTHER'} bytes"
    met = same and took.peak <= 1.5 * _GIB
    yield Line("the same with --memory 1GiB", told, "≤ 1.5 GiB, same bytes", met, took, reports.scale.stores)


def on_ray(reports: Reports) -> Iterator[Line]:
    """Make the report on a Ray cluster of two workers, against two threads here."""
    what, must_be = "on Ray, 2 workers, against 2 threads here", f"≤ 1.3 {TIMES} + Ray's start"
    if find_spec("ray") is None:
        yield Line(what, "left out: ray is not installed (the extra [ray])", must_be)
        return
    here = reports.run(reports.lake, "--threads", "2")
    before = reports.digest()
    there = reports.run(reports.lake, "--on", "ray")
    same = reports.digest() == before
    start = reports.run(reports.scale.hourly(TINY), "--on", "ray").seconds - reports.start.seconds
    ratio = (there.seconds - start) / here.seconds
    told = f"{times(ratio)} + {duration(start)}, {'the same' if same else 'OTHER'} bytes"
    met = same and ratio <= 1.3 if reports.scale.stores >= _ENOUGH else None
    yield Line(what, told, must_be, met, there, reports.scale.stores)


def hourly_append(reports: Reports) -> Iterator[Line]:
    """Ingest an hour's polls more, and make the report after it."""
    stores, folder = reports.scale.stores, reports.scale.folder
    lake = reports.scale.linked(reports.lake, "appended")
    file = next(later_hours(folder, package.Lake(lake).snapshot().stores()["store_id"]))
    took = measured(storemon("ingest", file, "--lake", lake))
    if f"{stores:,} added" not in took.output:
        raise CommandFailedError(f"not all of the {stores:,} polls were added: {took.output}")
    met = took.seconds <= 5 if stores == _MILLION else None
    told = duration(took.seconds)
    yield Line(f"an hourly append of {stores:,} polls", told, f"≤ 5 s for {_MILLION:,}", met, took, stores)
    first, after = reports.run(lake), reports.run(lake)
    ratio = after.seconds / reports.warm.seconds
    told = f"{times(ratio)} of the one before ({duration(first.seconds)} the first time)"
    met = ratio <= 1.2 if stores >= _ENOUGH else None
    yield Line("the report after it", told, f"≤ 1.2 {TIMES}", met, after, stores)
