"""An ingestion within a budget: whatever is put aside or cut, the lake is the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from storemon import Lake, RejectedRowsError, report
from storemon.lake import polls, upkeep
from storemon.lake.decisive import told_by_decisive
from storemon.lake.polls import as_kept
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables
from tests.examples import examples
from tests.lake.contents import contents
from tests.lake.files import NOW, csv, folder
from tests.lake.files import POLLS as HEADER
from tests.lake.test_writers_at_once import interrupted

SMALL = 1600
"""Bytes of which a hundred may be held."""


@pytest.fixture
def wholly(exports: tuple[Path, Path], tmp_path: Path) -> Lake:
    """Two exports that were read with all the memory there is."""
    lake = Lake(tmp_path / "wholly")
    for export in exports:
        lake.ingest(export)
    return lake


@pytest.mark.parametrize("at_once", [polls.AT_ONCE, 16_000 // examples(160)])
def test_the_same_lake(exports: tuple[Path, Path], wholly: Lake, tmp_path: Path, at_once: int) -> None:
    lake = Lake(tmp_path / "lake")
    with patch("storemon.intake.load._BATCH", 500), patch.object(polls, "AT_ONCE", at_once):
        counts = [
            [(table.read, table.added, table.known, table.reasons, table.examples) for table in ingestion.tables]
            for export in exports
            for ingestion in [lake.ingest(export, memory=SMALL)]
        ]
        again = lake.ingest(exports[1], memory=SMALL)
    assert all(table.added == 0 for table in again.tables)
    assert contents(lake.path) == contents(wholly.path)
    other = Lake(tmp_path / "other")
    assert counts == [
        [(table.read, table.added, table.known, table.reasons, table.examples) for table in other.ingest(export).tables]
        for export in exports
    ]
    assert report(lake).equals(report(wholly))


def test_a_large_day_is_in_files_of_stores(tmp_path: Path) -> None:
    at = datetime(2024, 10, 3, tzinfo=UTC)
    rows = [f"{store},active,{at + timedelta(hours=hour):%F %T}" for hour in range(10) for store in "abcdefgh"]
    lake = Lake(tmp_path / "lake")
    with patch.object(polls, "AT_ONCE", 25), patch.object(upkeep, "AT_ONCE", 25):
        lake.ingest(csv(tmp_path, HEADER, *rows), now=NOW)
        lake.ingest(csv(tmp_path, HEADER, *rows, f"a,active,{at + timedelta(days=1):%F %T}"), now=NOW)
        files = lake.snapshot().opened["polls"].files.filter(pl.col("polled_on") == at.date())
        stores = files.group_by("min.store_key", "max.store_key").agg(pl.col("rows").sum()).sort(pl.all())
        assert stores.rows() == [(0, 1, 20), (2, 4, 30), (5, 6, 20), (7, 7, 10)]
        assert told_by_decisive(files).all(), "no two have polls of one store"
        assert lake.compact().days == 0, "it is in no more files than it needs"
    assert len(contents(lake.path).polls) == len(rows) + 1


def test_another_writer_in_between(tmp_path: Path) -> None:
    """What was put aside is read again for the second try."""
    lake = Lake(tmp_path / "lake")
    rows = [f"{store},active,2024-10-{day:02} 12:00:00" for day in range(1, 10) for store in range(30)]
    mine = csv(tmp_path, HEADER, *rows, "bad", name="mine.csv")
    theirs = csv(tmp_path, HEADER, *rows[::3], name="theirs.csv")
    with (
        patch("storemon.intake.load._BATCH", 50),
        interrupted("polls", lambda: lake.ingest(theirs, now=NOW)),
    ):
        (summary,) = lake.ingest(mine, now=NOW, memory=SMALL).tables
    assert (summary.added, summary.known, summary.rejected) == (180, 90, 1)
    assert len(contents(lake.path).polls) == 270


def test_many_rejected_rows(tmp_path: Path) -> None:
    rows = [f"bad {n}" for n in range(1000)]
    lake, path = Lake(tmp_path / "lake"), csv(tmp_path, HEADER, *rows)
    with patch("storemon.intake.load._BATCH", 100):
        with pytest.raises(RejectedRowsError, match="1000 rows cannot be read") as error:
            lake.ingest(path, strict=True, memory=SMALL, now=NOW)
        assert str(error.value).splitlines()[1:] == [
            *(f"{path}:{line}: 1 fields where the header has 3" for line in range(2, 7)),
            "… and 995 more",
        ]
        for _ in range(2):
            (summary,) = lake.ingest(path, memory=SMALL, now=NOW).tables
            assert (summary.rejected, len(summary.examples)) == (1000, 3)
            assert list(summary.reasons.values()) == [1000]
    assert lake.rejected()["row"].to_list() == rows


def test_nothing_is_left_where_a_file_cannot_be_written(tmp_path: Path) -> None:
    lake, failing = Lake(tmp_path / "lake"), iter([None, None])
    data = folder(tmp_path / "data", polls=[f"a,active,2024-10-{day:02} 12:00:00" for day in range(1, 6)])
    write = pl.DataFrame.write_parquet

    def fail(frame: pl.DataFrame, *where: Path, **how: object) -> None:
        write(frame, *where, **how)  # type: ignore[arg-type]
        if next(failing, "fail"):
            raise OSError(28, "No space left on device")

    with patch.object(pl.DataFrame, "write_parquet", fail), pytest.raises(Exception, match="No space left on device"):
        lake.ingest(data, now=NOW)
    assert not list(lake.path.rglob("*.parquet"))
    assert Tables(lake.path).open(POLLS).version == -1


def test_nothing_is_left_where_the_rows_of_a_file_cannot_be_made(tmp_path: Path) -> None:
    """Not even of those that are still being written then."""
    lake, days = Lake(tmp_path / "lake"), iter([None] * 3)
    data = folder(tmp_path / "data", polls=[f"a,active,2024-10-{day:02} 12:00:00" for day in range(1, 6)])

    def fail(rows: pl.DataFrame) -> list[pl.DataFrame]:
        if next(days, "fail"):
            raise RuntimeError("no rows")
        return as_kept(rows)

    with patch.object(polls, "as_kept", fail), pytest.raises(RuntimeError, match="no rows"):
        lake.ingest(data, now=NOW)
    assert not list(lake.path.rglob("*.parquet"))
    assert Tables(lake.path).open(POLLS).version == -1
