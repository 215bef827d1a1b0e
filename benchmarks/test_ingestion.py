"""Ingestion: all CSVs into a new lake, and an hour's polls more into a lake that is there."""

import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from statistics import median

import duckdb
import polars as pl
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.conftest import LONG_DAYS, STORES
from benchmarks.later_polls import later_hours
from benchmarks.pairs import in_turns, timed
from benchmarks.rows import Row, duration
from benchmarks.scans import scan_csv
from storemon.sample import write_sample


def test_new_lake(
    benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, data: Path, con: duckdb.DuckDBPyConnection
) -> None:
    numbers = count()
    polls = data / "store_status.csv"
    heights = set[int]()

    def ingest() -> None:
        for table in storemon.Lake(workspace / f"new-{next(numbers)}").ingest(data).tables:
            assert table.rejected == 0
            heights.add(table.read)

    typed, text = in_turns(
        benchmark,
        ingest,
        lambda: heights.add(scan_csv(con, polls)),
        lambda: heights.add(scan_csv(con, polls, all_varchar=True)),
        rounds=7,
    )
    assert len(heights) == 4  # of tags, zones, hours and polls, which all have read alike
    rows += [
        typed.row(10, "ingest the CSVs into a new lake", "bare DuckDB scan of store_status.csv", at_most=5),
        text.row(11, "the same", "the same scan, all columns as text"),
    ]


def test_large_csv(
    benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, con: duckdb.DuckDBPyConnection
) -> None:
    folder, lakes = workspace / "large", count()
    write_sample(folder / "data", stores=STORES, days=LONG_DAYS, seed=1)
    polls = folder / "data" / "store_status.csv"

    def ingest() -> None:
        lake = folder / f"lake-{next(lakes)}"
        assert storemon.Lake(lake).ingest(polls).tables[0].added
        shutil.rmtree(lake)

    (pairs,) = in_turns(benchmark, ingest, lambda: scan_csv(con, polls), rounds=2)
    size = polls.stat().st_size / 1e9
    rows.append(pairs.row(12, f"ingest {size:.1f} GB of polls", "bare DuckDB scan of the CSV", at_most=5))
    shutil.rmtree(folder)


def test_hour_at_a_million_stores(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path) -> None:
    folder, rounds = workspace / "million", 3
    folder.mkdir()
    store_ids = pl.Series([f"{n:08x}-a5bf-46f4-9e91-{n * 7919 % 16**12:012x}" for n in range(1_000_000)])
    hours = later_hours(folder, store_ids)
    lake = storemon.Lake(folder / "lake")
    lake.ingest(next(hours))
    ready = iter(list(islice(hours, rounds + 1)))

    def ingest() -> None:
        assert lake.ingest(next(ready)).tables[0].added == len(store_ids)

    seconds = median(timed(benchmark, ingest, rounds=rounds))
    row = Row(61, "ingest an hour of 1,000,000 stores more", duration(seconds), must_be="≤ 5 s", met=seconds <= 5)
    rows.append(row)
    shutil.rmtree(folder)


def test_hour_more(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, lake: Path) -> None:
    growing, folder, rounds = workspace / "growing", workspace / "hours", 15
    shutil.copytree(lake, growing)
    folder.mkdir()
    store_ids = storemon.report(storemon.Lake(lake))["store_id"]
    hours = iter(list(islice(later_hours(folder, store_ids), 2 * (rounds + 1))))

    def ingest() -> None:
        (polls,) = storemon.Lake(growing).ingest(next(hours)).tables
        assert polls.added == len(store_ids)

    def run_process() -> None:
        command = [sys.executable, "-m", "storemon", "ingest", str(next(hours)), "--lake", str(growing)]
        assert f"{len(store_ids):,} added" in subprocess.run(command, check=True, capture_output=True, text=True).stdout

    (pairs,) = in_turns(benchmark, ingest, run_process, rounds=rounds)
    row = pairs.row(60, f"ingest an hour's {len(store_ids):,} polls more", "a whole process of storemon ingest")
    rows.append(replace(row, ratio=f"{pairs.ratio:.0%} of it"))
