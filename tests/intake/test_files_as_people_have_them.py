"""Files in the words, forms and kinds that people have: the same rows, and the same rejected ones, from each."""

from datetime import UTC, datetime, time
from pathlib import Path

import openpyxl
import pytest

from storemon import FileError, InputError, Lake
from storemon.lake.tables import _opened
from tests.intake.written import KINDS
from tests.lake.contents import contents, files
from tests.lake.files import NOW, csv

HOURS = (
    ("Store ID", "Day of Week", "Start time local", "End time local"),
    [
        ("a", "Monday", "9:00 AM", "5:00 PM"),
        ("a", "Tue", "12:30 PM", "12:15 AM"),
        ("a", "Montag", "nine", "five"),
        ("b", "6", "09:00:00", "24:00"),
        ("*", "1", "09:00", "17:00"),
    ],
)
POLLS = (
    ("store", "state", "Checked at"),
    [
        ("a", "UP", "2024-10-14T09:00:00.123456789Z"),
        ("b", "offline", "1728907200000"),
        ("a", "ok", "2024-10-14 12:00:00"),
        ("a", "Degraded", "2024-10-14 15:00:00+02:00"),
        ("a", "broken", "2024-10-14 15:00:00"),
    ],
)
ZONES = (("STORE_ID", "tz"), [("a", "america/new_york"), ("b", "Central Standard Time"), ("c", "3/4")])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_from_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    write, data = KINDS[kind], tmp_path / "data"
    data.mkdir()
    hours, polls, zones = (
        write(data / name, *table) for name, table in (("opening", HOURS), ("checks", POLLS), ("where", ZONES))
    )
    lake = Lake(tmp_path / "lake")
    done = lake.ingest(
        data,
        columns={"timestamp_utc": "Checked at"},
        statuses={"active": ["ok"], "inactive": ["degraded"]},
        now=NOW,
    )
    assert [(table.table, table.file, table.added, table.rejected) for table in done.tables] == [
        ("zones", str(zones), 2, 1),
        ("hours", str(hours), 3, 2),
        ("polls", str(polls), 4, 1),
    ]
    kept = contents(lake.path)
    assert kept.zones == {("a", "America/New_York"), ("b", "America/Chicago")}
    assert kept.hours == {("a", 0, 32_400, 61_200), ("a", 1, 45_000, 900), ("b", 6, 32_400, 86_400)}
    at = {store: first for _, store, first, _ in lake.snapshot().stores().rows()}
    assert at == {
        "a": datetime(2024, 10, 14, 9, 0, 0, 123_456, tzinfo=UTC),
        "b": datetime(2024, 10, 14, 12, tzinfo=UTC),
    }
    header_lines = 0 if kind in {"ndjson", "parquet", "zipped parquet"} else 1
    rejected = lake.rejected().sort("file", "line").select("file", "line", "reason").rows()
    assert rejected == sorted(
        [
            (str(zones), 3 + header_lines, "timezone_str is not a zone of the IANA database, like America/Chicago"),
            (str(hours), 3 + header_lines, "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon"),
            (str(hours), 5 + header_lines, "* is every store, which is not one that can have this row"),
            (str(polls), 5 + header_lines, "status is neither active nor inactive"),
        ]
    )
    assert all("Montag" in row or "3/4" in row or "*" in row or "broken" in row for row in lake.rejected()["row"])
    assert done.taken == (
        f"{zones}: 'STORE_ID' is store_id, 'tz' is timezone_str",
        (
            f"{hours}: 'Store ID' is store_id, 'Day of Week' is dayOfWeek, 'Start time local' is start_time_local, "
            "'End time local' is end_time_local"
        ),
        (
            f"{polls}: 'store' is store_id, 'state' is status, 'Checked at' is timestamp_utc, "
            "whole numbers are Unix time in milliseconds"
        ),
    )
    again = lake.ingest(data, columns={"timestamp_utc": "Checked at"}, statuses={"active": ["ok"]}, now=NOW)
    assert [table.added for table in again.tables] == [0, 0, 0]
    assert [table.rejected for table in again.tables] == [1, 2, 2]


def test_a_file_beside_the_polls_is_never_passed_over(tmp_path: Path) -> None:
    csv(tmp_path, "store_id,status,timestamp_utc", "a,active,2024-10-14 13:00:00", name="store_status.csv")
    csv(tmp_path, "store_id,day_of_week,start_time_local,end_time_local", "a,0,9:00,17:00", name="business_hours.csv")
    csv(tmp_path, "store_id,opens", "a,9:00", name="opening.csv")
    csv(tmp_path, "store_id,name", "a,Acme", name="names.csv")
    (tmp_path / "notes.md").write_text("nothing")
    (tmp_path / "broken.xlsx").write_text("nothing")
    (tmp_path / ".hidden").write_text("nothing")
    (tmp_path / "older").mkdir()
    done = Lake(tmp_path / "older" / "lake").ingest(tmp_path, now=NOW)
    assert [Path(table.file).name for table in done.tables] == ["business_hours.csv", "store_status.csv"]
    unused = dict(zip(("broken.xlsx", "names.csv", "notes.md", "older", "opening.csv"), done.unused, strict=True))
    assert unused["broken.xlsx"].startswith(f"{tmp_path / 'broken.xlsx'} is not a workbook, or a damaged one")
    assert "(a file of stores' tags is called stores.csv)" in unused["names.csv"]
    assert unused["notes.md"] == f"{tmp_path / 'notes.md'} is no CSV, NDJSON, Parquet or Excel file, by its ending"
    assert unused["older"] == f"{tmp_path / 'older'} is a folder; load it by itself: storemon ingest FOLDER"
    assert "has no column dayOfWeek or day and none called end_time_local" in unused["opening.csv"]
    assert done.weaknesses == (
        (
            "1 of 1 polled stores has no time zone and counts as in America/Chicago (a): the lake has none at all; is "
            "timezones.csv missing? broken.xlsx, names.csv, notes.md, older, opening.csv were not used"
        ),
    )


def test_two_files_for_one_table(tmp_path: Path) -> None:
    for name in ("store_status.csv", "status_of_stores.csv"):
        csv(tmp_path, "store_id,status,timestamp_utc", "a,active,2024-10-14 13:00:00", name=name)
    lake = Lake(tmp_path / "lake")
    with pytest.raises(FileError, match=r"has both status_of_stores.csv and store_status.csv; .* read as polls"):
        lake.ingest(tmp_path, now=NOW)
    assert not lake.path.exists()


def test_a_column_that_no_file_has(tmp_path: Path) -> None:
    path = csv(tmp_path, "store_id,status,timestamp_utc", "a,active,2024-10-14 13:00:00")
    with pytest.raises(InputError, match="no file has a column 'When', which was named for timestamp_utc"):
        Lake(tmp_path / "lake").ingest(path, columns={"timestamp_utc": "When"}, now=NOW)
    with pytest.raises(InputError, match="there is no column 'when' to be named; there are: store_id, status"):
        Lake(tmp_path / "lake").ingest(path, columns={"when": "timestamp_utc"}, now=NOW)


@pytest.mark.parametrize(
    ("statuses", "says"),
    [
        ({"closed": ["x"]}, "there is no status 'closed'"),
        ({"active": ["x"], "inactive": ["X"]}, "the status 'x' cannot mean both"),
        ({"active": ["inactive"]}, "'inactive' is a status itself"),
    ],
)
def test_statuses_that_cannot_be(tmp_path: Path, statuses: dict[str, list[str]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Lake(tmp_path / "lake").ingest(tmp_path, statuses=statuses, now=NOW)


def test_a_word_can_be_given_another_meaning(tmp_path: Path) -> None:
    """0 is the code of success to some."""
    path = csv(tmp_path, "store_id,status,timestamp_utc", "a,0,2024-10-14 13:00:00", "b,1,2024-10-14 13:00:00")
    lake = Lake(tmp_path / "lake")
    lake.ingest(path, statuses={"active": ["0"], "inactive": ["1"]}, now=NOW)
    assert lake.snapshot().stores().select("store_id", "active").rows() == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("polled", "kept", "says"),
    [
        ("257000000000000.0", "2.57E+14", "1 may be spelled otherwise there, '2.57E+14' for '257000000000000.0'"),
        ("A-7", "a7", "1 may be spelled otherwise there, 'a7' for 'A-7'"),
        ("7", "007", "1 may be spelled otherwise there, '007' for '7'"),
        ("7", "8", "menu_hours.csv has no row for them"),
    ],
)
def test_the_likeliest_reason(tmp_path: Path, polled: str, kept: str, says: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    csv(data, "store_id,status,timestamp_utc", f"{polled},active,2024-10-14 13:00:00", name="store_status.csv")
    csv(data, "store_id,day,start_time_local,end_time_local", f"{kept},0,9:00,17:00", name="menu_hours.csv")
    csv(data, "store_id,timezone_str", f"{polled},UTC", name="timezones.csv")
    done = Lake(tmp_path / "lake").ingest(data, now=NOW)
    weak = f"1 of 1 polled stores has no hours and counts as open round the clock ({polled}): {says}"
    assert done.weaknesses[-1] == weak
    spoiled = [each for each in done.weaknesses if each.startswith("ids look like numbers that a spreadsheet rounded")]
    assert len(spoiled) == len(done.weaknesses) - 1 == (1 if "." in polled else 0)


def test_a_store_whose_only_hours_were_rejected(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    csv(data, "store_id,status,timestamp_utc", "a,active,2024-10-14 13:00:00", name="store_status.csv")
    hours = csv(data, "store_id,day,start_time_local,end_time_local", "a,0,nine,five", "b,0,9:00,17:00", name="h.csv")
    csv(data, "store_id,timezone_str", "a,UTC", name="timezones.csv")
    lake = Lake(tmp_path / "lake")
    assert lake.ingest(data, now=NOW).weaknesses == (
        "the only rows with the hours of a were rejected, so it counts as open round the clock: storemon rejected",
        "1 of 1 polled stores has no hours and counts as open round the clock (a): all their rows were rejected",
    )
    hours.write_text(hours.read_text().replace("nine,five", "9:00,17:00"))
    assert lake.ingest(data, now=NOW).weaknesses == ()
    assert lake.rejected().is_empty()


def test_rejected_rows_are_cleared(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    files = [
        csv(tmp_path, "store_id,status,timestamp_utc", "bad", f"a,active,2024-10-14 1{n}:00:00", name=f"{n}.csv")
        for n in range(3)
    ]
    for file in files:
        lake.ingest(file, now=NOW)
    assert lake.clear_rejected("unknown.csv") == 0
    assert lake.clear_rejected(str(files[1])) == 1
    assert lake.rejected()["file"].to_list() == [str(files[0]), str(files[2])]
    assert lake.clear_rejected() == 2
    assert lake.rejected().is_empty()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not json\n", "is empty"),
        (b'{"store_id": "a"}\n', "has no column status and none called timestamp_utc"),
        (b"", "is empty"),
    ],
)
def test_lines_that_are_no_polls(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "store_status.ndjson"
    path.write_bytes(content)
    with pytest.raises(FileError, match=says):
        Lake(tmp_path / "lake").ingest(path, now=NOW)


def test_damaged_lines_cost_no_other(tmp_path: Path) -> None:
    path = tmp_path / "polls.jsonl"
    good = '{"store_id": 7, "status": true, "timestamp_utc": 1728896400}'
    nested = '{"store_id": ["7"], "status": 1, "timestamp_utc": 1728896400}'
    path.write_text(f"{good}\n\n{{cut off\n[1]\n{nested}\n{good.replace('7', '8', 1)}\n")
    lake = Lake(tmp_path / "lake")
    lake.ingest(path, now=NOW)
    assert lake.snapshot().stores()["store_id"].to_list() == ["7", "8"]
    rejected = lake.rejected().select("line", "row", "reason").rows()
    assert [(line, row) for line, row, _ in rejected] == [(3, "{cut off"), (4, "[1]"), (5, nested)]
    assert [reason.split(":")[0] for _, _, reason in rejected] == [
        "not JSON",
        "not a JSON object",
        "store_id is neither text nor a number",
    ]


def test_a_column_named_for_a_table_that_is_not_there(tmp_path: Path) -> None:
    path = csv(tmp_path, "store_id,timezone_str,Checked at", "a,UTC,x", name="timezones.csv")
    with pytest.raises(InputError, match="no file has a column 'Checked at', which was named for timestamp_utc"):
        Lake(tmp_path / "lake").ingest(path, columns={"timestamp_utc": "Checked at"}, now=NOW)


def test_a_sheet_without_a_workbook(tmp_path: Path) -> None:
    path = csv(tmp_path, "store_id,timezone_str", "a,UTC", name="timezones.csv")
    with pytest.raises(InputError, match="there is no workbook to have a sheet 'Zones'"):
        Lake(tmp_path / "lake").ingest(path, sheet="Zones", now=NOW)


def test_each_sheet_has_its_own_rejected_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    sheets: dict[str, list[tuple[object, ...]]] = {
        "Zones": [("store_id", "tz"), ("a", "UTC"), ("b", "Mars")],
        "Hours": [("store_id", "day", "opens", "closes"), ("a", "Mon", time(9), time(17, 30)), ("a", "x", "y", "z")],
    }
    for name, rows in sheets.items():
        for row in rows:
            (book[name] if name in book.sheetnames else book.create_sheet(name)).append(row)
    book.save(path := tmp_path / "book.xlsx")
    lake = Lake(tmp_path / "lake")
    with pytest.raises(FileError, match=r"has several sheets; name one: --sheet 'Zones' \(there are: Zones, Hours\)"):
        lake.ingest(path, now=NOW)
    with pytest.raises(FileError, match="has no sheet 'Polls'; there are: Zones, Hours"):
        lake.ingest(path, sheet="Polls", now=NOW)
    for sheet in ("Zones", "Hours"):
        lake.ingest(path, sheet=sheet, now=NOW)
    assert contents(lake.path).hours == {("a", 0, 32_400, 63_000)}
    assert lake.rejected()["file"].to_list() == [f"{path} [Hours]", f"{path} [Zones]"]


def test_a_damaged_table_is_told_after_the_polls_are_in(tmp_path: Path) -> None:
    data = csv(tmp_path, "store_id,day,start_time_local,end_time_local", "a,0,9:00,17:00", name="menu_hours.csv")
    polls = csv(tmp_path, "store_id,status,timestamp_utc", "a,active,2024-10-14 13:00:00", name="polls.csv")
    lake = Lake(tmp_path / "lake")
    lake.ingest(data, now=NOW)
    for file in files(lake.path, "hours"):
        file.unlink()
    _opened.cache_clear()
    done = lake.ingest(polls, now=NOW)
    assert done.tables[0].added == 1
    assert [weak.split(": ")[0] for weak in done.weaknesses] == ["what else weakens the figures cannot be told"]
