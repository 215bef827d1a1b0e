"""Proof at scale: ``make bench-scale STORES=1000000`` makes the lakes, runs everything, and prints one table.

It is apart from ``make bench`` for what it takes: a million stores are some gigabytes and a quarter of an hour.
"""

import argparse
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

from benchmarks import scale_ratios, scale_reports
from benchmarks.scale_lakes import CSV_DAYS, TINY, Scale
from benchmarks.scale_reports import Reports
from benchmarks.scale_rows import Line, scale_table, size

_SAFETY = 1.3
_EXPLAINED = """
Ratios are medians of rounds in turns, in one process. All else is a process of its own: its time by the clock with its
start; its CPU time; the peak of its largest process; and the bytes that came from the disk in a first run, for which
the page cache had been emptied of the lake, while time and peak are those of the next run."""


def _main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    asked.add_argument("--stores", type=int, default=1_000_000, help="stores that are polled (default: %(default)s)")
    asked.add_argument("--keep", type=Path, help="folder to make the lakes in, and to leave them for the next run")
    options = asked.parse_args()
    if options.stores < TINY:
        asked.error(f"--stores {options.stores}: there must be {TINY} at least")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        return _run(Scale(options.keep.resolve(), options.stores))
    with tempfile.TemporaryDirectory(prefix="storemon-scale-") as folder:
        return _run(Scale(Path(folder), options.stores))


def _run(scale: Scale) -> int:
    needs, free = scale.needs_bytes * _SAFETY, shutil.disk_usage(scale.folder).free
    there = sum(file.stat().st_size for file in scale.folder.rglob("*") if file.is_file())
    disk = f"about {size(needs)} of disk ({size(there)} are there, {size(free)} are free)"
    minutes = scale.needs_seconds / 60
    print(f"{scale.stores:,} stores in {scale.folder}: {disk} and {minutes:.0f} minutes on two cores", flush=True)
    if free + there < needs:
        print("That is more than there is: choose fewer STORES, or another disk with KEEP.", file=sys.stderr)
        return 2
    lines = list[Line]()
    for what, lines_of in _parts(scale):
        print(f"{what} …", flush=True)
        try:
            lines += lines_of()
        except Exception as error:  # noqa: BLE001 - one that fails is told of, and the others go on
            lines.append(Line(what, f"failed: {error}", met=False))
    print(f"\n{scale.stores:,} stores\n", *scale_table(lines), sep="\n")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "deltalake", "numpy"))
    print(_EXPLAINED, f"{cpu_count()} processors, Python {platform.python_version()}, {libraries}.", sep="\n")
    return 0


def _parts(scale: Scale) -> Iterator[tuple[str, Callable[[], Iterator[Line]]]]:
    reports = Reports(scale)
    yield "report against the bare scan", partial(scale_ratios.against_scan, scale)
    yield "report against the NumPy limit", partial(scale_ratios.against_numpy, scale)
    for days, rounds in zip(CSV_DAYS, (5, 1), strict=True):
        yield f"ingest {days} days of CSVs", partial(scale_ratios.ingestion, scale, days, rounds)
    yield "weekly report", partial(scale_reports.weekly, reports)
    yield "history", partial(scale_ratios.history, scale)
    yield "an hourly append", partial(scale_reports.hourly_append, reports)
    yield "what is true now", partial(scale_reports.now, reports)
    yield "a look of a watcher", partial(scale_reports.look, reports)
    yield "the same with --memory 1GiB", partial(scale_reports.within_memory, reports)
    yield "on Ray", partial(scale_reports.on_ray, reports)


if __name__ == "__main__":
    sys.exit(_main())
