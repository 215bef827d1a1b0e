"""Rows that can't be read are kept with file, line, row, reason and time; or, strictly, stop everything."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from storemon import Lake, RejectedRowsError
from tests.lake.contents import contents, version
from tests.lake.files import AT, NOW, POLLS, csv, folder

GOOD = {"polls": [f"a,active,{AT}"], "hours": ["a,0,9:00,17:00"], "zones": ["a,UTC"]}
BAD = {"polls": ["a,ok,now", "a", "b"], "hours": ["a,7,9:00,17:00"], "zones": ["a,Mars"]}
NO_STATUS = "status is neither active nor inactive"
NO_DAY = "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon"
NO_ZONE = "timezone_str is not a zone of the IANA database, like America/Chicago"
TOO_FEW = "1 fields where the header has 3"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return folder(tmp_path / "data", **{name: GOOD[name] + BAD[name] for name in GOOD})


def test_kept_with_all_that_is_known_of_them(lake: Lake, data: Path) -> None:
    lake.ingest(data, now=NOW)
    rejected = lake.rejected()
    assert rejected.columns == ["file", "line", "row", "reason", "rejected_at"]
    assert rejected["rejected_at"].to_list() == [NOW] * 5
    polls = str(data / "store_status.csv")
    assert set(rejected.drop("rejected_at").rows()) == {
        (polls, 3, "a,ok,now", NO_STATUS),
        (polls, 4, "a", TOO_FEW),
        (polls, 5, "b", TOO_FEW),
        (
            str(data / "menu_hours.csv"),
            3,
            "a,7,9:00,17:00",
            "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon",
        ),
        (
            str(data / "timezones.csv"),
            3,
            "a,Mars",
            NO_ZONE,
        ),
    }
    assert [len(table) for table in contents(lake.path)] == [1, 1, 1, 5, 0, 0, 0]


def test_counted_by_reason_and_the_first_few_shown(lake: Lake, data: Path) -> None:
    ingestion = lake.ingest(data, now=NOW)
    assert ingestion.readable
    polls = ingestion.tables[2]
    assert (polls.file, polls.rejected) == (str(data / "store_status.csv"), 3)
    assert list(polls.reasons.items()) == [(TOO_FEW, 2), (NO_STATUS, 1)]
    assert polls.examples == ((3, "a,ok,now", NO_STATUS), (4, "a", TOO_FEW), (5, "b", TOO_FEW))
    many = lake.ingest(csv(data, POLLS, *"abcdefgh"), now=NOW).tables[0]
    assert [line for line, _, _ in many.examples] == [2, 3, 4]


def test_a_rerun_does_not_double_them(lake: Lake, data: Path) -> None:
    lake.ingest(data, now=NOW)
    before, version_before = lake.rejected(), version(lake.path, "rejected")
    again = lake.ingest(data, now=NOW + timedelta(hours=1))
    assert [table.rejected for table in again.tables] == [1, 1, 3]
    assert lake.rejected().equals(before)
    assert version(lake.path, "rejected") == version_before


def test_the_next_export_replaces_what_was_rejected_of_the_same_file(lake: Lake, data: Path) -> None:
    lake.ingest(data, now=NOW)
    (data / "store_status.csv").write_text(f"{POLLS}\na,ok,now\nnew,ok,now\n")
    later = NOW + timedelta(hours=1)
    lake.ingest(data, now=later)
    assert lake.rejected().filter(pl.col("rejected_at") == later).select("line", "row").rows() == [
        (2, "a,ok,now"),
        (3, "new,ok,now"),
    ]
    assert len(lake.rejected()) == 2 + 2  # of the hours and the zones as before


def test_oldest_first(lake: Lake, data: Path) -> None:
    for hours in (3, 1, 2):
        lake.ingest(csv(data, POLLS, f"bad {hours}", "worse", name=f"{hours}.csv"), now=NOW + timedelta(hours=hours))
    assert lake.rejected().select(pl.col("rejected_at").dt.hour(), "line").rows() == [
        (hour, line) for hour in (1, 2, 3) for line in (2, 3)
    ]


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=-11)), timezone(timedelta(hours=13))])
def test_the_time_is_in_utc(lake: Lake, data: Path, zone: timezone | None) -> None:
    lake.ingest(data, now=NOW.astimezone(zone) if zone else NOW.replace(tzinfo=None))
    assert lake.rejected()["rejected_at"].unique().to_list() == [datetime(2024, 10, 15, tzinfo=UTC)]


def test_none_before_the_first_ingestion(lake: Lake) -> None:
    assert lake.rejected().columns == ["file", "line", "row", "reason", "rejected_at"]
    assert lake.rejected().is_empty()
    assert not lake.path.exists()


@pytest.mark.parametrize("where", ["polls", "hours", "zones"])
def test_strictly_one_stops_everything(lake: Lake, tmp_path: Path, where: str) -> None:
    lake.ingest(folder(tmp_path / "first", **GOOD), now=NOW)
    before = contents(lake.path)
    new = {"polls": [f"b,active,{AT}"], "hours": ["b,0,9:00,17:00"], "zones": ["b,UTC"]}
    data = folder(tmp_path / "data", **new | {where: new[where] + BAD[where]})
    with pytest.raises(RejectedRowsError, match=rf"{len(BAD[where])} rows? cannot be read, so nothing was changed"):
        lake.ingest(data, strict=True, now=NOW)
    assert contents(lake.path) == before
    lake.ingest(folder(tmp_path / "data", **new), strict=True, now=NOW)
    assert {store for store, _ in contents(lake.path).zones} == {"b"}


def test_strictly_the_first_few_are_named(lake: Lake, tmp_path: Path) -> None:
    path = csv(tmp_path, POLLS, f"a,active,{AT}", *"bcdefgh")
    with pytest.raises(RejectedRowsError) as error:
        lake.ingest(path, strict=True, now=NOW)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("7 rows cannot be read, so nothing was changed")
    assert lines[1:6] == [f"{path}:{line}: {TOO_FEW}" for line in range(3, 8)]
    assert lines[6:] == ["… and 2 more"]
    assert not lake.path.exists()


def test_readable_is_whether_anything_could_be_used(lake: Lake, tmp_path: Path) -> None:
    assert not lake.ingest(csv(tmp_path, POLLS, "bad"), now=NOW).readable
    assert lake.ingest(csv(tmp_path, POLLS), now=NOW).readable
    assert lake.ingest(folder(tmp_path / "some", polls=["bad"], zones=["a,UTC"]), now=NOW).readable
    assert not lake.ingest(folder(tmp_path / "none", polls=["bad"], zones=["a,Mars"]), now=NOW).readable
