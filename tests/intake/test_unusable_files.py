"""Files that stop an ingestion: with a message of what is wrong where, and what to do."""

import gzip
import re
from pathlib import Path

import pytest

from storemon import FileError, Lake
from storemon.intake.forms.known import HOURS_FORM, POLLS_FORM
from storemon.intake.load import load
from tests.lake.contents import contents
from tests.lake.files import AT, HOURS, NOW, POLLS, ZONES, csv, folder, raw
from tests.users import ordinary_user

A = f"a,active,{AT}"


def refused(path: Path, says: str) -> None:
    with pytest.raises(FileError, match=says) as error:
        load(path, now=NOW)
    assert str(path) in str(error.value)


def test_missing(tmp_path: Path) -> None:
    refused(tmp_path / "store_status.csv", "does not exist; check the name")


def test_a_directory(tmp_path: Path) -> None:
    for name in ("store_status.csv", "store_status.csv.gz"):
        (tmp_path / name).mkdir()
        refused(tmp_path / name, "is a folder where a file should be")


@pytest.mark.parametrize("content", ["", "\n", "\r\n\r\n", "\N{BYTE ORDER MARK}", "   \n", ",,\n", '""\n'])
def test_no_header(tmp_path: Path, content: str) -> None:
    refused(raw(tmp_path, content), "is empty; its first line must name the columns")


def test_other_encodings(tmp_path: Path) -> None:
    refused(raw(tmp_path, f"{POLLS}\n{A}\n".encode("utf-32")), "is not a CSV: .*binary.* save it as text in UTF-8")


def test_binary(tmp_path: Path) -> None:
    refused(raw(tmp_path, f"{POLLS}\n{A}\n\0\1\2\n"), "is not a CSV")
    refused(raw(tmp_path, b"PAR1\x15\x00\x15\x12"), "is not a CSV")
    refused(raw(tmp_path, gzip.compress(f"{POLLS}\n{A}\n".encode())), "is not a CSV")
    refused(raw(tmp_path, bytes(range(128, 256)) * 4_000), "has no column store_id")


def test_the_message_stays_readable(tmp_path: Path) -> None:
    with pytest.raises(FileError) as error:
        load(raw(tmp_path, b"\x1b[31m" + b"x\x07," * 30_000), now=NOW)
    text = str(error.value)
    assert text.isprintable()
    assert len(text.removeprefix(str(tmp_path))) < 500


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("store_id,status", "has no column timestamp_utc, which a store_status.csv must have"),
        ("store_id,day,start_time_local", "has no column end_time_local, which a menu_hours.csv must have"),
        ("id,timezone_str", "has no column store_id, which a timezones.csv must have"),
        ("store_id,start_time_local,end_time_local", "has no column dayOfWeek or day, which a menu_hours.csv"),
        ("store_id:status:timestamp_utc", "its columns are: store_id:status:timestamp_utc"),
        ("STOREID,STATUS,WHEN", "its columns are: STOREID, STATUS, WHEN"),
        ('store_id,status,"timestamp_utc', "has no column timestamp_utc"),
    ],
)
def test_a_missing_column(tmp_path: Path, header: str, says: str) -> None:
    refused(csv(tmp_path, header, "a,b,c,d"), re.escape(says))


def test_all_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no column store_id and none called status and none called timestamp_utc"):
        load(csv(tmp_path, "a,b,c"), now=NOW, form=POLLS_FORM)
    with pytest.raises(FileError, match=r"which a menu_hours\.csv must have"):
        load(csv(tmp_path, POLLS, A), now=NOW, form=HOURS_FORM)


def test_columns_of_several_files(tmp_path: Path) -> None:
    path = csv(tmp_path, f"{POLLS},timezone_str", f"{A},UTC")
    refused(path, "columns of several files; name it store_status.csv or timezones.csv")
    assert len(load(path, now=NOW, form=POLLS_FORM).accepted) == 1


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([POLLS, *(f"s{n},active,{AT}" for n in range(20_000))]).encode())
    for left in (1, 9, 40, len(whole) // 3, len(whole) - 9, len(whole) - 8, len(whole) - 1):
        refused(raw(tmp_path, whole[:left], name="some.csv.gz"), "cannot be read")
    refused(raw(tmp_path, f"{POLLS}\n{A}\n", name="some.csv.gz"), "cannot be read: Not a gzipped file")
    refused(raw(tmp_path, whole + b"more", name="some.csv.gz"), "cannot be read")


def test_no_permission(open_folder: Path) -> None:
    data = folder(open_folder / "data", polls=[A], hours=["a,0,9:00,17:00"])
    lake = Lake(open_folder / "lake")
    for closed in (data / "store_status.csv", data / "menu_hours.csv", data):
        mode = closed.stat().st_mode
        closed.chmod(0)
        with ordinary_user(), pytest.raises(FileError, match=r"cannot be read: .*Permission denied") as error:
            lake.ingest(data, now=NOW)
        assert str(closed) in str(error.value)
        closed.chmod(mode)
    assert not lake.path.exists()
    with ordinary_user():
        assert len(load(data / "store_status.csv", now=NOW).accepted) == 1


@pytest.mark.parametrize("broken", ["store_status.csv", "menu_hours.csv", "timezones.csv"])
@pytest.mark.parametrize("how", ["empty", "missing column", "directory", "binary"])
def test_nothing_is_changed(tmp_path: Path, broken: str, how: str) -> None:
    """Whichever file it is: all are read before the first is committed."""
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "old", polls=[A], hours=["a,0,9:00,17:00"], zones=["a,UTC"]), now=NOW)
    before = contents(lake.path)
    new = folder(tmp_path / "new", polls=[f"b,active,{AT}"], hours=["b,1,9:00,17:00"], zones=["b,Asia/Tokyo"])
    (new / broken).unlink()
    if how == "directory":
        (new / broken).mkdir()
    else:
        text = {"empty": "", "missing column": "store_id,x\na,b\n", "binary": f"{ZONES}\0{HOURS}"}[how]
        (new / broken).write_text(text)
    with pytest.raises(FileError, match=re.escape(str(new / broken))):
        lake.ingest(new, now=NOW)
    assert contents(lake.path) == before
