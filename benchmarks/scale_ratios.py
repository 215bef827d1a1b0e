"""The sample against what bounds it, and against itself with a longer history: ratios, in this process."""

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

import storemon
from benchmarks import numpy_limit
from benchmarks.measured import measured
from benchmarks.pairs import Pairs, turns
from benchmarks.rows import TIMES, duration, times
from benchmarks.scale_lakes import CSV_DAYS, LONG_DAYS, Scale
from benchmarks.scale_rows import Line
from benchmarks.scans import files_between, scan_csv, scan_parquet
from storemon.sample import NEWEST_AT

OPENING = """
import sys, time, storemon, storemon.intake.lake
started = time.perf_counter()
snapshot = storemon.Lake(sys.argv[1]).snapshot()
snapshot.newest_poll()
print(time.perf_counter() - started)
"""


def against_scan(scale: Scale) -> Iterator[Line]:
    """Time the report against a bare scan of the days that it reads."""
    lake = scale.history(CSV_DAYS[0])
    week = files_between(lake, (NEWEST_AT - timedelta(days=14)).date(), NEWEST_AT.date())
    with duckdb.connect() as con:
        pairs = turns(lambda: _report(lake), lambda: scan_parquet(con, week), rounds=30)
    yield _line(f"{_sample(scale)}: report against the bare scan of the same days' Parquet", pairs, at_most=5)


def against_numpy(scale: Scale) -> Iterator[Line]:
    """Time the report against the NumPy limit."""
    lake = scale.history(CSV_DAYS[0])
    assert_frame_equal(_report(lake), numpy_limit.report(lake))
    pairs = turns(lambda: _report(lake), lambda: numpy_limit.report(lake), rounds=30)
    yield _line(f"{_sample(scale)}: report against the NumPy limit", pairs, at_most=1.2)


def ingestion(scale: Scale, days: int, rounds: int) -> Iterator[Line]:
    """Time an ingestion into a new lake against the bare scan of the polls' CSV."""
    data, into = scale.csvs(days), scale.folder / "ingested"
    polls = data / "store_status.csv"
    shutil.rmtree(into, ignore_errors=True)
    numbers = count()
    with duckdb.connect() as con:
        pairs = turns(
            lambda: storemon.Lake(into / f"{next(numbers)}").ingest(data), lambda: scan_csv(con, polls), rounds
        )
    shutil.rmtree(into)
    yield _line(f"ingest against the bare scan of {polls.stat().st_size / 1e6:,.0f} MB of CSV", pairs, at_most=5)


def history(scale: Scale) -> Iterator[Line]:
    """Time the report with a long history against that with a short one, and how long a fresh process opens it."""
    short, long = scale.history(CSV_DAYS[0]), scale.history(LONG_DAYS)
    pairs = turns(lambda: _report(long), lambda: _report(short), rounds=20)
    what = f"{scale.few:,} stores, history {CSV_DAYS[0]} ► {LONG_DAYS:,} days"
    yield _line(f"{what}: report", pairs, at_most=1.2)
    code = [measured([sys.executable, "-c", OPENING, str(long)]) for _ in range(5)]
    opened = median(float(took.output) for took in code)
    yield Line(f"{what}: opening the lake", duration(opened), "≤ 50 ms", opened <= 0.05)


def _report(lake: Path) -> pl.DataFrame:
    return storemon.report(storemon.Lake(lake))


def _sample(scale: Scale) -> str:
    return f"{scale.few:,} stores {TIMES} {CSV_DAYS[0]} days"


def _line(what: str, pairs: Pairs, *, at_most: float) -> Line:
    subject, reference = duration(median(pairs.subject)), duration(median(pairs.reference))
    told = f"{times(pairs.ratio)} ({subject} against {reference})"
    return Line(what, told, f"≤ {at_most:g} {TIMES}", pairs.ratio <= at_most)
