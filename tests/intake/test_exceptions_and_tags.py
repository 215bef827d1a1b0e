"""Special hours, maintenance and tags in a lake: replaced whole by a new file, each file on its own."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from deltalake import DeltaTable

from storemon import FileError, Lake, LakeError, RejectedRowsError
from storemon.lake import tables
from storemon.lake.snapshot import Snapshot
from tests.lake.contents import Contents, contents, version
from tests.lake.files import AT, MAINTENANCE, NOW, SPECIAL_HOURS, csv, folder

Given = dict[str, list[str]]
STORES = "store_id,brand,region"
GIVEN: Given = {
    "polls": [f"a,active,{AT}"],
    "hours": ["a,0,9:00,17:00"],
    "zones": ["a,UTC"],
    "special_hours": ["a,2024-12-24,9:00,14:00", "*,2024-12-25,,"],
    "maintenance": [f"*,{AT},2024-10-04 00:00:00 UTC,moving", f"a,{AT},2024-10-05 00:00:00 UTC,"],
    "stores": [STORES, "a,Burger,West", "b,,East", "c,,"],
}
NEW = ("special_hours", "maintenance", "tags")
POLLED = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "first", **GIVEN), now=NOW)
    return lake


def told(lake: Lake, path: Path) -> list[tuple[str, int, int, int, int]]:
    """Ingest; give each table's name, and its rows read, added, known and rejected."""
    summaries = lake.ingest(path, now=NOW).tables
    for each in summaries:
        assert each.read == each.added + each.known + each.rejected
    return [(each.table, each.read, each.added, each.known, each.rejected) for each in summaries]


def read(snapshot: Snapshot) -> tuple[pl.DataFrame, ...]:
    exceptions = snapshot.special_hours(), snapshot.maintenance()
    return *exceptions, snapshot.tags(), snapshot.hours(), snapshot.zones(), snapshot.rejected()


def changed(lake: Lake, before: Contents) -> set[str]:
    now = contents(lake.path)
    return {name for name, was, stored in zip(Contents._fields, before, now, strict=True) if was != stored}


def test_a_snapshot_reads_what_was_written(lake: Lake) -> None:
    snapshot = lake.snapshot()
    special_hours, maintenance, tags = snapshot.special_hours(), snapshot.maintenance(), snapshot.tags()
    assert special_hours.schema == {
        "store_id": pl.String,
        "date": pl.Date,
        "opens_local": pl.Int32,
        "closes_local": pl.Int32,
    }
    assert set(special_hours.rows()) == {
        ("a", date(2024, 12, 24), 32_400, 50_400),
        ("*", date(2024, 12, 25), None, None),
    }
    instant = pl.Datetime("us", "UTC")
    assert maintenance.schema == {"store_id": pl.String, "starts_at": instant, "ends_at": instant, "reason": pl.String}
    assert set(maintenance.rows()) == {
        ("*", POLLED, datetime(2024, 10, 4, tzinfo=UTC), "moving"),
        ("a", POLLED, datetime(2024, 10, 5, tzinfo=UTC), ""),
    }
    assert tags.schema == {"store_id": pl.String, "tag": pl.String, "value": pl.String}
    assert set(tags.rows()) == {("a", "brand", "Burger"), ("a", "region", "West"), ("b", "region", "East")}
    stored = contents(lake.path)
    assert [set(getattr(stored, name)) for name in NEW] == [
        set(each.rows()) for each in (special_hours, maintenance, tags)
    ]


def test_they_are_committed_before_the_polls(tmp_path: Path) -> None:
    assert told(Lake(tmp_path / "lake"), folder(tmp_path / "data", **GIVEN)) == [
        ("tags", 3, 2, 1, 0),  # the third store has no tag: nothing is new about it
        ("maintenance", 2, 2, 0, 0),
        ("special_hours", 2, 2, 0, 0),
        ("zones", 1, 1, 0, 0),
        ("hours", 1, 1, 0, 0),
        ("polls", 1, 1, 0, 0),
    ]


def test_unchanged_files_commit_nothing(lake: Lake, tmp_path: Path) -> None:
    """In another order, with repeats, and written in another way, they are unchanged all the same."""
    same: Given = {
        "polls": GIVEN["polls"],
        "special_hours": ["*,2024-12-25,,", "a,2024-12-24,09:00:00,14:00", '*,2024-12-25,""," "'],
        "maintenance": [*reversed(GIVEN["maintenance"]), f"a,{AT.replace(' UTC', '+00:00')},2024-10-05T00:00:00Z,  "],
        "stores": ["brand,store_id,region,more", ",b,East,", "Burger,a,West,", " Burger , a,West,"],
    }
    before = {name: version(lake.path, name) for name in Contents._fields}
    assert told(lake, folder(tmp_path / "same", **same)) == [
        ("tags", 3, 0, 3, 0),
        ("maintenance", 3, 0, 3, 0),
        ("special_hours", 3, 0, 3, 0),
        ("polls", 1, 0, 1, 0),
    ]
    assert {name: version(lake.path, name) for name in Contents._fields} == before


def test_a_new_file_replaces_the_whole_table(lake: Lake, tmp_path: Path) -> None:
    before = contents(lake.path)
    new = csv(tmp_path, SPECIAL_HOURS, "*,2024-12-25,,", "b,2025-01-01,10:00,12:00", "b,2025-01-01,,")
    assert told(lake, new) == [("special_hours", 3, 1, 1, 1)]
    christmas, new_year = date(2024, 12, 25), date(2025, 1, 1)
    assert contents(lake.path).special_hours == {("*", christmas, None, None), ("b", new_year, 36_000, 43_200)}
    assert told(lake, csv(tmp_path, MAINTENANCE, GIVEN["maintenance"][1])) == [("maintenance", 1, 0, 1, 0)]
    assert contents(lake.path).maintenance == {("a", POLLED, datetime(2024, 10, 5, tzinfo=UTC), "")}
    assert changed(lake, before) == {"special_hours", "maintenance"}  # another file of that name rejected nothing


def test_a_store_is_new_if_anything_is_said_of_it_that_was_not(lake: Lake, tmp_path: Path) -> None:
    rows = ("a,Burger,,x", "b,,East,", "c,Tacos,,", "d,,,")  # a has another tag and lacks one; b is as it was
    new = csv(tmp_path, f"{STORES},size", *rows, name="stores.csv")
    assert told(lake, new) == [("tags", 4, 2, 2, 0)]
    assert contents(lake.path).tags == {
        *(("a", "brand", "Burger"), ("a", "size", "x")),
        *(("b", "region", "East"), ("c", "brand", "Tacos")),
    }
    assert told(lake, csv(tmp_path, STORES, "b,,East", name="stores.csv")) == [("tags", 1, 0, 1, 0)]
    assert contents(lake.path).tags == {("b", "region", "East")}
    assert told(lake, csv(tmp_path, STORES, "b,,", name="stores.csv")) == [("tags", 1, 1, 0, 0)]
    assert contents(lake.path).tags == frozenset()


@pytest.mark.parametrize(("table", "rows"), [("special_hours", 0), ("maintenance", 0), ("stores", 1)])
def test_a_file_without_rows_empties_its_table(lake: Lake, tmp_path: Path, table: str, rows: int) -> None:
    before = contents(lake.path)
    lake.ingest(folder(tmp_path / "new", polls=GIVEN["polls"], **{table: GIVEN[table][:rows]}), now=NOW)
    name = "tags" if table == "stores" else table
    assert changed(lake, before) == {name}
    assert getattr(contents(lake.path), name) == frozenset()


def test_only_the_files_that_are_there_count(lake: Lake, tmp_path: Path) -> None:
    before = contents(lake.path)
    lake.ingest(folder(tmp_path / "new", polls=[f"b,active,{AT}"]), now=NOW)
    assert changed(lake, before) == {"polls"}


def test_gzipped_in_a_folder_and_alone(tmp_path: Path) -> None:
    plain = folder(tmp_path / "plain", **GIVEN)
    zipped = folder(tmp_path / "zipped")
    for path in plain.iterdir():
        (zipped / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("plain", "zipped"):
        Lake(tmp_path / f"lake {name}").ingest(tmp_path / name, now=NOW)
    assert contents(tmp_path / "lake zipped") == contents(tmp_path / "lake plain")
    assert all(getattr(contents(tmp_path / "lake zipped"), name) for name in NEW)
    alone = Lake(tmp_path / "alone")
    assert told(alone, zipped / "stores.csv.gz") == [("tags", 3, 2, 1, 0)]
    csv(zipped, STORES, name="stores.csv")
    with pytest.raises(FileError, match=r"has both stores\.csv and stores\.csv\.gz; remove the one"):
        alone.ingest(zipped, now=NOW)


BAD = {"special_hours": "a,2024-12-26,9:00,", "maintenance": f"a,{AT},{AT},", "stores": "a,Tacos,West"}


@pytest.mark.parametrize("name", BAD)
def test_rejected_rows_are_kept_or_strictly_stop_everything(lake: Lake, tmp_path: Path, name: str) -> None:
    before = contents(lake.path)
    data = folder(tmp_path / "data", **GIVEN | {name: [*GIVEN[name], BAD[name]], "zones": ["a,Asia/Tokyo"]})
    line = len(GIVEN[name]) + (1 if name == "stores" else 2)
    with pytest.raises(RejectedRowsError, match=rf"1 rows cannot be read.*\n.*{name}\.csv:{line}: "):
        lake.ingest(data, strict=True, now=NOW)
    assert changed(lake, before) == set()
    summary = next(each for each in lake.ingest(data, now=NOW).tables if each.rejected)
    assert [(at, row) for at, row, _ in summary.examples] == [(line, BAD[name])]
    assert list(summary.reasons.values()) == [1]
    assert lake.rejected().select("file", "line", "row").rows() == [(str(data / f"{name}.csv"), line, BAD[name])]
    assert lake.snapshot().rejected().equals(lake.rejected())
    assert changed(lake, before) == {"rejected", "zones"}


def test_a_file_of_which_no_row_can_be_read_replaces_nothing(lake: Lake, tmp_path: Path) -> None:
    before = contents(lake.path)
    for path in (
        csv(tmp_path, SPECIAL_HOURS, "a,2024-12-26,9:00,"),
        csv(tmp_path, MAINTENANCE, "a,,,"),
        csv(tmp_path, STORES, "*,Burger,West", name="stores.csv"),
    ):
        assert not lake.ingest(path, now=NOW).readable
    assert changed(lake, before) == {"rejected"}


def test_a_header_that_cannot_be_used_stops_everything(lake: Lake, tmp_path: Path) -> None:
    before = contents(lake.path)
    for name, header in (
        ("stores", "store_id,a,a"),
        ("special_hours", "store_id,date"),
        ("maintenance", "store_id,reason"),
    ):
        data = folder(tmp_path / name, **GIVEN | {"polls": [f"b,active,{AT}"]})
        csv(data, header, "b,x,y", name=f"{name}.csv")
        with pytest.raises(FileError, match=rf"{name}\.csv"):
            lake.ingest(data, now=NOW)
    assert changed(lake, before) == set()


def test_a_snapshot_by_its_versions(lake: Lake, tmp_path: Path) -> None:
    snapshot = lake.snapshot()
    assert snapshot.versions == {
        **dict.fromkeys(("polls", "hours", "zones", "special_hours", "maintenance", "tags"), 0),
        "rejected": -1,
    }
    was = read(snapshot)
    new: Given = {
        "polls": [f"b,active,{AT}", "bad"],
        "special_hours": ["*,2025-12-25,,"],
        "maintenance": [],
        "stores": ["store_id,city", "a,Ulm"],
    }
    lake.ingest(folder(tmp_path / "new", **new), now=NOW)
    again = read(lake.snapshot(snapshot.versions))
    assert all(now.equals(then) for now, then in zip(again, was, strict=True))
    newest = lake.snapshot()
    assert newest.versions == {
        **dict.fromkeys(("hours", "zones", "rejected"), 0),
        **dict.fromkeys(("polls", *NEW), 1),
    }
    assert newest.tags().rows() == [("a", "city", "Ulm")]
    assert (len(newest.maintenance()), len(newest.rejected())) == (0, 1)


def test_a_table_that_the_versions_do_not_name_has_no_rows(lake: Lake) -> None:
    """They were written down when there was no such table."""
    old = lake.snapshot({"polls": 0, "hours": 0, "zones": 0})
    assert [len(read()) for read in (old.stores, old.hours, old.zones)] == [1, 1, 1]
    assert [len(read()) for read in (old.special_hours, old.maintenance, old.tags, old.rejected)] == [0] * 4
    assert {name: old.versions[name] for name in NEW} == dict.fromkeys(NEW, -1)
    assert lake.snapshot({}).versions == lake.snapshot().versions
    with pytest.raises(LakeError, match="there is no table 'tags' at version 7"):
        lake.snapshot({"polls": 0, "tags": 7})


def test_a_table_is_opened_when_it_is_first_read(tmp_path: Path) -> None:
    """What nobody asks for, or nobody has written yet, costs a look at a folder."""
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "data", polls=GIVEN["polls"], stores=GIVEN["stores"]), now=NOW)
    with patch.object(tables, "DeltaTable", wraps=DeltaTable) as opened:
        snapshot = lake.snapshot()
        assert [len(read()) for read in (snapshot.hours, snapshot.special_hours, snapshot.maintenance)] == [0, 0, 0]
        assert opened.call_count == 0
        assert (len(snapshot.tags()), len(snapshot.tags())) == (3, 3)
        assert [call.args[0].rsplit("/", 1)[1] for call in opened.call_args_list] == ["tags"]
