"""The rows of special_hours.csv and maintenance.csv that are read, and those that are not."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.lake.files import AT, MAINTENANCE, SPECIAL_HOURS, csv, ids, read, rejects

NO_DATE = "date is not a date like 2024-12-25"
NO_START, NO_END = (
    f"{edge}_time_local is not a time of day from 00:00 to 24:00; on a closed day both times are empty"
    for edge in ("start", "end")
)
OPENED = "another row gives this store hours on this date, so it is not closed"

DATES = {
    "2024-12-25": date(2024, 12, 25),
    " 2024-02-29 ": date(2024, 2, 29),
    "0001-01-01": date.min,
    "9999-12-31": date.max,
}
NO_DATES = (
    *("", "2024-2-9", "24-12-25", "2024/12/25", "25.12.2024", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10"),
    *("0000-01-01", "-0001-01-01", "10000-01-01", "2024-12-25 00:00:01", "2024-12", "2024-W52", "infinity", "today"),
)
ENDS = {
    "2024-10-04 06:00:00.25 UTC": datetime(2024, 10, 4, 6, 0, 0, 250_000, UTC),
    "2024-10-04T06:00:00Z": datetime(2024, 10, 4, 6, tzinfo=UTC),
    "2024-10-04T06:00:00-05:00": datetime(2024, 10, 4, 11, tzinfo=UTC),
    " 2024-10-04 06:00:00 ": datetime(2024, 10, 4, 6, tzinfo=UTC),
    "9999-12-31 23:59:59.999999 UTC": datetime.max.replace(tzinfo=UTC),
}


def test_special_hours(tmp_path: Path) -> None:
    rows = (
        *("a,2024-12-24,9:00,14:00", "a,2024-12-24,16:00,24:00:00", "a,2024-12-25,,"),
        *("*,2024-12-25, 22:00 , 4:00", "b,2024-12-24,9:00,09:00:00"),
    )
    loaded = read(csv(tmp_path, SPECIAL_HOURS, *rows))
    assert rejects(loaded) == []
    eve, day = date(2024, 12, 24), date(2024, 12, 25)
    assert loaded.accepted.cast({"store_id": str}).rows() == [
        ("a", eve, 32_400, 50_400),
        ("a", eve, 57_600, 86_400),
        ("a", day, None, None),
        ("*", day, 79_200, 14_400),
        ("b", eve, 32_400, 32_400),
    ]


def test_closed_dates(tmp_path: Path) -> None:
    """However the two times are left empty, and whichever way the file is read."""
    rows = ("a,2024-12-25,,", 'b,2024-12-25,"",""', "c,2024-12-25, ,  ", 'd,2024-12-25,"  ",')
    for more in ((), ("bad",)):
        loaded = read(csv(tmp_path, SPECIAL_HOURS, *rows, *more))
        assert ids(loaded) == [*"abcd"]
        assert loaded.accepted.select("opens_local", "closes_local").rows() == [(None, None)] * 4


def test_dates(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, SPECIAL_HOURS, *(f"s,{text},9:00,17:00" for text in DATES)))
    assert rejects(loaded) == []
    assert dict(zip(DATES, loaded.accepted["date"], strict=True)) == DATES


def test_no_dates(tmp_path: Path) -> None:
    rows = [f"s,{text},9:00,17:00" for text in NO_DATES]
    assert rejects(read(csv(tmp_path, SPECIAL_HOURS, *rows))) == [(n, row, NO_DATE) for n, row in enumerate(rows, 2)]


@pytest.mark.parametrize(
    ("times", "reason"),
    [("9:00,", NO_END), (",17:00", NO_START), ("9:00,25:00", NO_END), ("x,", NO_START), ("9:00, ", NO_END)]
    + [(f'"{empty}",17:00', NO_START) for empty in ("", " ")],
)
def test_one_time_alone_is_no_closed_date(tmp_path: Path, times: str, reason: str) -> None:
    row = f"a,2024-12-25,{times}"
    assert rejects(read(csv(tmp_path, SPECIAL_HOURS, row))) == [(2, row, reason)]


def test_a_closed_date_that_other_rows_open(tmp_path: Path) -> None:
    """The rows that open count, wherever they stand; one that cannot be read opens nothing."""
    rows = (
        *("a,2024-12-25,,", "a,2024-12-25,9:00,14:00", "a,2024-12-25,,", "a,2024-12-26,,", "b,2024-12-25,,"),
        *("*,2024-12-25,9:00,14:00", "c,2024-12-25,9:00,25:00", "c,2024-12-25,,", "c,2024-12-25,,"),
    )
    loaded = read(csv(tmp_path, SPECIAL_HOURS, *rows))
    assert rejects(loaded) == [(2, rows[0], OPENED), (4, rows[2], OPENED), (8, rows[6], NO_END)]
    assert ids(loaded) == [*"aab*cc"]


def test_a_contradiction_far_apart(tmp_path: Path) -> None:
    others = [f"s{n},2024-12-25,," for n in range(110_000)]
    loaded = read(csv(tmp_path, SPECIAL_HOURS, "s,2024-12-25,,", *others, "s,2024-12-25,9:00,17:00"))
    assert rejects(loaded) == [(2, "s,2024-12-25,,", OPENED)]
    assert len(loaded.accepted) == 110_001


def test_maintenance(tmp_path: Path) -> None:
    rows = (f"a,{AT},2024-10-04 01:00:00 UTC,new till", f'*,{AT},2024-10-04 01:00:00 UTC," a, ""b"" "')
    loaded = read(csv(tmp_path, MAINTENANCE, *rows))
    assert rejects(loaded) == []
    starts_at, ends_at = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC), datetime(2024, 10, 4, 1, tzinfo=UTC)
    assert loaded.accepted.cast({"store_id": str}).rows() == [
        ("a", starts_at, ends_at, "new till"),
        ("*", starts_at, ends_at, 'a, "b"'),
    ]


def test_the_reason_may_be_empty_and_is_no_verdict(tmp_path: Path) -> None:
    rows = (f"a,{AT},2025-01-01T00:00:00Z,", f'b,{AT},2025-01-01T00:00:00Z,"  "', f"c,{AT},2025-01-01T00:00:00Z,x")
    loaded = read(csv(tmp_path, MAINTENANCE, *rows, "bad"))
    assert (ids(loaded), loaded.accepted["reason"].to_list()) == ([*"abc"], ["", "", "x"])
    assert rejects(loaded) == [(5, "bad", "1 fields where the header has 4")]


def test_instants_of_maintenance(tmp_path: Path) -> None:
    """It may be far in the future, unlike a poll."""
    loaded = read(csv(tmp_path, MAINTENANCE, *(f"s,{AT},{text}," for text in ENDS)))
    assert rejects(loaded) == []
    assert dict(zip(ENDS, loaded.accepted["ends_at"], strict=True)) == ENDS


@pytest.mark.parametrize(
    ("instants", "reason"),
    [
        (f"soon,{AT}", "starts_at_utc is not an instant like 2024-10-03 23:33:20.412748 UTC"),
        (f"{AT},", "ends_at_utc is not an instant like 2024-10-03 23:33:20.412748 UTC"),
        (f"2024-10-03,{AT}", "starts_at_utc is not an instant like 2024-10-03 23:33:20.412748 UTC"),
        (f"{AT},{AT}", "ends_at_utc is not after starts_at_utc"),
        (f"{AT},2024-10-03 23:33:19.999999 UTC", "ends_at_utc is not after starts_at_utc"),
        ("2024-10-03T12:00:00Z,2024-10-03T13:00:00+01:00", "ends_at_utc is not after starts_at_utc"),
        (f"0000-12-31 23:59:59 UTC,{AT}", "starts_at_utc is not in the years 1 to 9999"),
        (f"{AT},9999-12-31T23:59:59-01:00", "ends_at_utc is not in the years 1 to 9999"),
    ],
)
def test_no_maintenance(tmp_path: Path, instants: str, reason: str) -> None:
    row = f"a,{instants},why"
    assert rejects(read(csv(tmp_path, MAINTENANCE, row))) == [(2, row, reason)]


@pytest.mark.parametrize("header", [SPECIAL_HOURS, MAINTENANCE])
def test_a_store_must_be_named(tmp_path: Path, header: str) -> None:
    row = ",2024-12-25,," if header == SPECIAL_HOURS else f" ,{AT},2025-01-01T00:00:00Z,x"
    assert rejects(read(csv(tmp_path, header, row))) == [(2, row, "store_id is empty")]
