"""The report: against a bare scan, NumPy, plain Python, and itself over a longer history."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks import numpy_limit, plain_python
from benchmarks.pairs import Pairs, in_turns
from benchmarks.parsed import parsed_stores, write_some
from benchmarks.rows import TIMES, Row
from benchmarks.scans import scan_parquet
from storemon.sample import NEWEST_AT

PLAIN_STORES = 100


def test_against_scan(
    benchmark: BenchmarkFixture,
    rows: list[Row],
    report: Callable[[], pl.DataFrame],
    con: duckdb.DuckDBPyConnection,
    week_files: list[str],
) -> None:
    assert len(week_files) == 30  # of 15 days, each with its decisive polls apart
    (pairs,) = in_turns(benchmark, report, lambda: scan_parquet(con, week_files), rounds=40)
    rows.append(pairs.row(20, "report, lake on disk ► frame", "bare DuckDB scan of the same days' Parquet", at_most=5))


def test_against_numpy(
    benchmark: BenchmarkFixture, rows: list[Row], report: Callable[[], pl.DataFrame], lake: Path
) -> None:
    assert_frame_equal(report(), numpy_limit.report(lake))
    (pairs,) = in_turns(benchmark, report, lambda: numpy_limit.report(lake), rounds=40)
    rows.append(pairs.row(30, "report", "the best straight NumPy, from the same files", at_most=1.25))


def test_against_plain_python(
    benchmark: BenchmarkFixture, rows: list[Row], report: Callable[[], pl.DataFrame], data: Path, tmp_path: Path
) -> None:
    made = report()
    some = made.gather_every(len(made) // PLAIN_STORES).head(PLAIN_STORES)
    write_some(data, tmp_path, some["store_id"].to_list())
    stores = parsed_stores(tmp_path)

    def one_by_one(stores: list[plain_python.Store]) -> list[dict[str, object]]:
        return [{"store_id": store.store_id, **plain_python.figures(store, NEWEST_AT)} for store in stores]

    assert_frame_equal(pl.DataFrame(one_by_one(stores), schema=made.schema).sort("store_id"), some)
    from_disk, from_memory = in_turns(
        benchmark, report, lambda: one_by_one(parsed_stores(tmp_path)), lambda: one_by_one(stores), rounds=15
    )
    scale = len(made) / PLAIN_STORES
    for order, pairs, what in ((40, from_disk, "from the CSVs"), (41, from_memory, "from lists, all read before")):
        all_stores = Pairs(pairs.subject, [scale * taken for taken in pairs.reference])
        faster = 1 / all_stores.ratio
        reference = f"plain Python, store by store, {what} ({PLAIN_STORES} stores, scaled to {len(made):,})"
        row = replace(all_stores.row(order, "report", reference), ratio=f"{faster:.0f} {TIMES} faster")
        if pairs is from_disk:
            row = replace(row, must_be=f"≥ 50 {TIMES} faster", met=faster >= 50)
        rows.append(row)


def test_history(
    benchmark: BenchmarkFixture, rows: list[Row], report: Callable[[], pl.DataFrame], long_lake: Path
) -> None:
    assert len(storemon.report(storemon.Lake(long_lake))) == len(report())
    (pairs,) = in_turns(benchmark, lambda: storemon.report(storemon.Lake(long_lake)), report, rounds=40)
    rows.append(pairs.row(70, "report, with 600 days of history", "report, with 60 days", at_most=1.2))
