"""A sample straight into a lake: the same as its CSVs, ingested and compacted."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from storemon import InputError, Lake, LakeError, audit, outages, report, sample
from storemon.lake.tables import Tables
from storemon.sample import days as of_days
from storemon.sample import lake as of_lake
from storemon.sample import lives, write_lake, write_sample
from tests.lake.contents import contents, day_of, files
from tests.printed import report_csv

TABLES = ("tags", "zones", "hours", "polls")


@pytest.fixture(params=[(300, 20, 1, False), (300, 4, 2, True), (1, 1, 3, False)], ids=str)
def lakes(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Make two lakes of one sample, by its CSVs and straight; several chunks and files, and many doubled polls."""
    stores, days, seed, hourly = request.param
    monkeypatch.setattr(lives, "_TWIN", 100)
    monkeypatch.setattr(of_days, "CHUNK_ROWS", 2_000)
    monkeypatch.setattr(of_lake, "STORES_A_CHUNK", 40)
    monkeypatch.setattr(of_lake, "STORES_A_FILE", 100)
    by_csv, straight = Lake(tmp_path / "by csv"), Lake(tmp_path / "straight")
    write_sample(tmp_path / "data", stores=stores, days=days, seed=seed, hourly=hourly)
    by_csv.ingest(tmp_path / "data", strict=True)
    by_csv.compact()
    summary = write_lake(Tables(straight.path), stores=stores, days=days, seed=seed, hourly=hourly)
    held = contents(by_csv.path)
    assert summary.polls == len(held.polls)
    assert (summary.hours, summary.zones) == (len(held.hours), len(held.zones))
    return by_csv.path, straight.path


def test_the_files_hold_the_same_rows_in_the_same_order(lakes: tuple[Path, Path]) -> None:
    by_csv, straight = lakes
    assert contents(straight) == contents(by_csv)
    for table in TABLES:
        one, other = (in_files(lake, table) for lake in lakes)
        assert one.keys() == other.keys()
        for folder, rows in one.items():
            assert other[folder].equals(rows), folder
    assert len(in_files(straight, "polls")) == len(files(straight, "polls")), "there is one file in each folder"


def in_files(lake: Path, table: str) -> dict[Path, pl.DataFrame]:
    """Read the rows of each folder in their order, file after file."""
    parts: dict[Path, list[pl.DataFrame]] = {}
    for path in files(lake, table):
        rows = pl.read_parquet(path, hive_partitioning=False)
        parts.setdefault(path.parent.relative_to(lake), []).append(rows)
    return {folder: pl.concat(sorted(each, key=lambda rows: rows.row(0))) for folder, each in parts.items()}


def test_the_answers_are_the_same(lakes: tuple[Path, Path]) -> None:
    by_csv, straight = (Lake(path) for path in lakes)
    assert report_csv(report(straight)) == report_csv(report(by_csv))
    assert outages(straight, windows=["3d"]).equals(outages(by_csv, windows=["3d"]))
    for one, other in zip(audit(straight), audit(by_csv), strict=True):
        assert one.count == other.count
        assert one.examples.equals(other.examples)


def test_hourly_is_a_poll_an_hour_from_first_to_last(tmp_path: Path) -> None:
    write_lake(Tables(tmp_path / "lake"), stores=200, days=10, seed=1, hourly=True)
    polls = pl.concat(
        pl.read_parquet(path, hive_partitioning=False) for path in files(tmp_path / "lake", "polls") if day_of(path)
    )
    age = (sample.NEWEST_AT - pl.col("polled_at") - timedelta(microseconds=1)).dt.total_hours()
    slots = polls.with_columns(slot=age).group_by("store_key").agg(pl.col("slot").n_unique(), span=pl.col("slot").max())
    counts = polls.group_by("store_key").len()
    assert counts["len"].max() == 240
    assert counts["len"].median() == 240
    assert slots.height == 200


@pytest.mark.parametrize("table", TABLES)
def test_a_lake_with_a_table_is_left_alone(tmp_path: Path, table: str) -> None:
    lake = tmp_path / "lake"
    write_lake(Tables(tmp_path / "other"), stores=2, days=1)
    lake.mkdir()
    (tmp_path / "other" / table).rename(lake / table)
    before = sorted(lake.rglob("*"))
    with pytest.raises(InputError, match=f"lake: the lake has {table} already, and a sample needs a new one"):
        write_lake(Tables(lake), stores=2, days=1)
    assert sorted(lake.rglob("*")) == before


def test_a_lake_that_is_cut_off_has_no_polls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polled = lives.polled

    def breaks(slots: pl.DataFrame, seed: int, *, hourly: bool) -> pl.DataFrame:
        polls = polled(slots, seed, hourly=hourly)
        if len(polls) and polls["polled_at"].dt.date().min() == sample.NEWEST_AT.date():
            raise OSError(28, "No space left on device")
        return polls

    monkeypatch.setattr(of_days, "polled", breaks)
    with pytest.raises(LakeError, match=r"'polls' cannot be written: .*No space left"):
        write_lake(Tables(tmp_path), stores=20, days=8)
    assert Lake(tmp_path).snapshot().newest_poll() is None
    assert not list((tmp_path / "polls").rglob("*.parquet"))
