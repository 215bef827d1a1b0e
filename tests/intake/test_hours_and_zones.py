"""Hours and zones are replaced whole by a new file, and which files of a folder, or which one alone, are read."""

import gzip
import re
from pathlib import Path

import pytest

from storemon import FileError, Lake
from tests.lake.contents import Contents, contents, version
from tests.lake.files import AT, HOURS, MAINTENANCE, NOW, POLLS, SPECIAL_HOURS, ZONES, csv, folder, raw

A, B = f"a,active,{AT}", f"b,inactive,{AT}"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with one store's facts."""
    lake = Lake(tmp_path / "lake")
    data = folder(tmp_path / "first", polls=[A], hours=["a,0,9:00,17:00", "a,1,9:00,17:00"], zones=["a,UTC"])
    lake.ingest(data, now=NOW)
    return lake


def told(lake: Lake, path: Path) -> list[tuple[str, int, int, int, int]]:
    """Ingest; give each table's name, and its rows read, added, known and rejected."""
    tables = lake.ingest(path, now=NOW).tables
    for each in tables:
        assert each.read == each.added + each.known + each.rejected
    return [(each.table, each.read, each.added, each.known, each.rejected) for each in tables]


def stored(lake: Lake) -> Contents:
    return contents(lake.path)


def test_a_new_file_replaces_the_whole_table(lake: Lake, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", polls=[B], hours=["a,1,9:00,17:00", "b,6,22:00,2:00"], zones=["b,Asia/Tokyo"])
    assert told(lake, new) == [("zones", 1, 1, 0, 0), ("hours", 2, 1, 1, 0), ("polls", 1, 1, 0, 0)]
    assert stored(lake).hours == {("a", 1, 32_400, 61_200), ("b", 6, 79_200, 7_200)}
    assert stored(lake).zones == {("b", "Asia/Tokyo")}
    assert {store for store, _, _ in stored(lake).polls} == {"a", "b"}


def test_fewer_rows_replace_too(lake: Lake, tmp_path: Path) -> None:
    assert told(lake, csv(tmp_path, HOURS, "a,1,9:00,17:00")) == [("hours", 1, 0, 1, 0)]
    assert stored(lake).hours == {("a", 1, 32_400, 61_200)}


def test_a_file_without_rows_empties_the_table(lake: Lake, tmp_path: Path) -> None:
    assert told(lake, csv(tmp_path, ZONES)) == [("zones", 0, 0, 0, 0)]
    assert (stored(lake).zones, len(stored(lake).hours)) == (frozenset(), 2)


def test_the_same_rows_in_another_order_change_nothing(lake: Lake, tmp_path: Path) -> None:
    before = version(lake.path, "hours")
    rows = ("a,1,09:00:00,17:00", "a,0,9:00,17:00", "a,0,9:00,17:00")
    assert told(lake, csv(tmp_path, HOURS, *rows)) == [("hours", 3, 0, 3, 0)]
    assert version(lake.path, "hours") == before


def test_a_file_of_which_no_row_can_be_read_replaces_nothing(lake: Lake, tmp_path: Path) -> None:
    before = stored(lake)
    ingestion = lake.ingest(csv(tmp_path, HOURS, "a,7,9:00,17:00", "bad"), now=NOW)
    assert not ingestion.readable
    assert [(each.read, each.added, each.rejected) for each in ingestion.tables] == [(2, 0, 2)]
    assert stored(lake)._replace(rejected=before.rejected) == before
    assert len(stored(lake).rejected) == 2


def test_only_polls_leave_hours_and_zones_as_they_are(lake: Lake, tmp_path: Path) -> None:
    before = stored(lake)
    assert told(lake, folder(tmp_path / "new", polls=[A, B])) == [("polls", 2, 1, 1, 0)]
    assert stored(lake) == before._replace(polls=stored(lake).polls)
    assert len(stored(lake).polls) == 2


def test_tables_are_committed_with_the_polls_last(lake: Lake, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", polls=[A], hours=["a,0,9:00,17:00"], zones=["a,UTC"])
    assert [each.table for each in lake.ingest(new, now=NOW).tables] == ["zones", "hours", "polls"]


@pytest.mark.parametrize("table", ["polls", "hours", "zones", "special_hours", "maintenance"])
@pytest.mark.parametrize("name", ["known", "export-2024.csv", "export-2024.csv.gz", "noextension"])
def test_one_file_alone_is_known_by_its_name_or_its_columns(lake: Lake, tmp_path: Path, table: str, name: str) -> None:
    header, row, named = {
        "polls": (POLLS, B, "store_status.csv"),
        "hours": (HOURS, "b,0,9:00,17:00", "menu_hours.csv"),
        "zones": (ZONES, "b,Asia/Tokyo", "timezones.csv"),
        "special_hours": (SPECIAL_HOURS, "b,2024-12-25,,", "special_hours.csv"),
        "maintenance": (MAINTENANCE, "b,2024-12-25 00:00:00,2024-12-26 00:00:00,", "maintenance.csv"),
    }[table]
    text = f"{header}\n{row}\n".encode()
    name = named if name == "known" else name
    path = raw(tmp_path, gzip.compress(text) if name.endswith(".gz") else text, name=name)
    before = stored(lake)
    assert told(lake, path) == [(table, 1, 1, 0, 0)]
    changed = {other for other, was, now in zip(Contents._fields, before, stored(lake), strict=True) if was != now}
    assert changed == {table}


def test_a_known_name_decides(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no column timezone_str, which a timezones\.csv must have"):
        lake.ingest(csv(tmp_path, HOURS, "a,0,9:00,17:00", name="timezones.csv"), now=NOW)


def test_gzipped_files_in_a_folder(tmp_path: Path) -> None:
    plain = folder(tmp_path / "plain", polls=[A], hours=["a,0,9:00,17:00"], zones=["a,UTC"])
    zipped = folder(tmp_path / "zipped")
    for path in plain.iterdir():
        (zipped / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("plain", "zipped"):
        Lake(tmp_path / f"lake {name}").ingest(tmp_path / name, now=NOW)
    assert contents(tmp_path / "lake zipped") == contents(tmp_path / "lake plain")
    assert all(contents(tmp_path / "lake zipped")[:3])


@pytest.mark.parametrize("name", ["store_status.csv", "menu_hours.csv", "timezones.csv"])
def test_plain_and_gzipped_at_once(lake: Lake, tmp_path: Path, name: str) -> None:
    new = folder(tmp_path / "new", polls=[B], hours=["b,0,9:00,17:00"], zones=["b,UTC"])
    (new / f"{name}.gz").write_bytes(gzip.compress((new / name).read_bytes()))
    before = stored(lake)
    with pytest.raises(FileError, match=re.escape(f"has both {name} and {name}.gz; remove the one")):
        lake.ingest(new, now=NOW)
    assert stored(lake) == before


def test_a_folder_without_polls(lake: Lake, tmp_path: Path) -> None:
    new = folder(tmp_path / "new", hours=["b,0,9:00,17:00"], zones=["b,UTC"])
    before = stored(lake)
    with pytest.raises(FileError, match=r"has no store_status\.csv; .* name it: storemon ingest") as error:
        lake.ingest(new, now=NOW)
    assert str(new) in str(error.value)
    assert stored(lake) == before


def test_a_folder_that_is_not_there(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        lake.ingest(tmp_path / "nowhere", now=NOW)
