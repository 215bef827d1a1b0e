"""The number of a lake's format: one that is not known is refused in words, whoever asks or writes."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, Schema

from storemon import Lake, LakeError, report
from tests.lake.files import AT, NOW, folder

FIRST = f"{0:020}.json"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return folder(tmp_path / "data", polls=[f"a,active,{AT}"], hours=["a,0,9:00,17:00"], zones=["a,UTC"])


@pytest.fixture
def lake(data: Path, tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.ingest(data, now=NOW)
    return lake


def described(lake: Lake, table: str, description: str | None) -> Path:
    """Say something else in the log of a table; give a copy of the lake, which no process has opened yet."""
    other = shutil.copytree(lake.path, lake.path.with_name("other"))
    first = other / table / "_delta_log" / FIRST
    actions = [json.loads(line) for line in first.read_text().splitlines()]
    for action in actions:
        if "metaData" in action:
            action["metaData"]["description"] = description
    first.write_text("".join(f"{json.dumps(action)}\n" for action in actions))
    return other


def test_every_table_tells_it(lake: Lake) -> None:
    tables = [folder for folder in lake.path.iterdir() if folder.is_dir()]
    assert {DeltaTable(table).metadata().description for table in tables} == {"storemon lake, format 1"}


def test_a_lake_without_a_number_is_the_first(lake: Lake, data: Path) -> None:
    other = Lake(described(lake, "polls", None))
    assert report(other).equals(report(lake))
    other.ingest(folder(data, polls=[f"b,active,{AT}"]), now=NOW)
    assert len(report(other)) == 2
    other.compact()
    assert len(report(other)) == 2


@pytest.mark.parametrize("table", ["polls", "hours", "zones"])
def test_a_newer_one_is_refused(lake: Lake, data: Path, table: str) -> None:
    newer = Lake(described(lake, table, "storemon lake, format 12"))
    more = folder(data, polls=[f"b,active,{AT}"], hours=["b,0,9:00,17:00"], zones=["b,UTC"], stores=["store_id,x"])
    for use in (lambda: report(newer), lambda: newer.ingest(more, now=NOW)):
        with pytest.raises(LakeError) as error:
            use()
        assert str(error.value) == (
            f"{newer.path}: the table {table!r} is of lake format 12, and this storemon reads format 1; upgrade "
            "storemon to the version that wrote it, or newer"
        )


def test_no_table_is_made_beside_newer_polls(lake: Lake, data: Path) -> None:
    newer = Lake(described(lake, "polls", "storemon lake, format 2"))
    more = folder(data, stores=["store_id,brand", "a,x"])
    with pytest.raises(LakeError, match="is of lake format 2"):
        newer.ingest(more, now=NOW)
    assert not (newer.path / "tags" / "_delta_log").exists()


def test_an_older_one_is_told_by_name(tmp_path: Path) -> None:
    columns = pl.DataFrame(schema={"store_id": pl.String, "polled_at": pl.Datetime("us", "UTC"), "polled_on": pl.Date})
    schema = Schema.from_arrow(columns.to_arrow(compat_level=pl.CompatLevel.oldest()).schema)
    DeltaTable.create(tmp_path / "old" / "polls", schema, partition_by="polled_on")
    with pytest.raises(LakeError) as error:
        report(Lake(tmp_path / "old"))
    assert str(error.value) == (
        f"{tmp_path / 'old'}: the table 'polls' is of lake format 0, and this storemon reads format 1; ingest your "
        "files anew into another place with --lake, and let go of this one"
    )
