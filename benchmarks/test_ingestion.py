"""Ingestion: all CSVs into a new lake, and an hour's polls more into a lake that is there."""

import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from statistics import median

import duckdb
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.later_polls import later_hours
from benchmarks.pairs import in_turns, timed
from benchmarks.rows import Row, duration
from benchmarks.scans import scan_csv


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
        typed.row(10, "ingest the CSVs into a new lake", "bare DuckDB scan of store_status.csv", at_most=7),
        text.row(11, "the same", "the same scan, all columns as text"),
    ]


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


def test_help(benchmark: BenchmarkFixture, rows: list[Row]) -> None:
    command = [sys.executable, "-m", "storemon", "--help"]
    seconds = timed(benchmark, lambda: subprocess.run(command, check=True, capture_output=True), rounds=10)
    rows.append(Row(90, "a whole process of storemon --help", duration(median(seconds))))
