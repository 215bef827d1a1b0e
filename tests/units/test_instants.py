from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storemon import InputError
from storemon.units.instants import EVER, FIRST, LAST, microseconds, parse_instant, shifted

AT = datetime(2024, 10, 14, 12, 30, tzinfo=UTC)
INSTANTS = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    "written",
    [
        *("2024-10-14T12:30:00Z", "2024-10-14T12:30Z", "2024-10-14 12:30:00 UTC", "2024-10-14 12:30:00.000000 utc"),
        *("2024-10-14T12:30", " 2024-10-14 12:30:00 ", "20241014T1230", "2024-10-14t12:30:00z", "2024-W42-1T12:30"),
        *("2024-10-14T14:30+02:00", "2024-10-14 07:30:00-05:00", "2024-10-14T18:15:00+0545", "2024-10-15T02:30+14"),
    ],
)
def test_an_instant_as_people_write_it(written: str) -> None:
    assert parse_instant(written) == AT
    assert parse_instant(written).tzinfo is UTC


def test_an_instant_is_exact_and_a_date_is_its_start() -> None:
    assert parse_instant("2024-10-14T12:30:00.000001Z") == AT + timedelta(microseconds=1)
    assert parse_instant("2024-10-14") == AT.replace(hour=0, minute=0)
    assert parse_instant("2024-10-14 UTC") == AT.replace(hour=0, minute=0)
    assert parse_instant("0001-01-01") == FIRST
    assert parse_instant("9999-12-31T23:59:59.999999") == LAST


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "UTC", "Z", "now", "NaN", "2024", "2024-10", "1728909000", "14.10.2024", "10/14/2024", "yesterday"),
        *("2024-13-01", "2024-02-30", "2023-02-29", "2024-10-14T25:00", "2024-10-14T12:60", "2024-10-14T24:00:00"),
        *("2024-10-14T12:30 CET", "2024-10-14T12:30 America/Chicago", "2024-10-14T12:30+25:00", "10000-01-01"),
        # Not in the years 1 to 9999 once it is in UTC.
        *("0001-01-01T00:00+14:00", "9999-12-31T23:59:59-12:00", "0000-12-31"),
        *("\u0662\u0660\u0662\u0664-10-14", "2024-10-14\x00", "\udcff"),
    ],
)
def test_what_is_no_instant(written: str) -> None:
    with pytest.raises(InputError, match="is not an instant; write it like 2024-10-14T23:55:18Z"):
        parse_instant(written)


@given(st.text(max_size=20) | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d([+-]\d\d:\d\d)?", fullmatch=True))
def test_nothing_but_an_input_error_ever(written: str) -> None:
    with suppress(InputError):
        assert FIRST <= parse_instant(written) <= LAST


@given(INSTANTS)
def test_an_instant_is_read_as_it_is_written(instant: datetime) -> None:
    assert parse_instant(instant.isoformat()) == instant
    assert parse_instant(f"{instant.replace(tzinfo=None)} UTC") == instant
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds(instant)) == instant


def test_microseconds_are_counted_in_utc() -> None:
    assert microseconds(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    # 01:30 in Chicago a second time.
    assert (
        microseconds(datetime(2024, 11, 3, 1, 30, fold=1, tzinfo=ZoneInfo("America/Chicago"))) == 1_730_619_000_000_000
    )
    assert microseconds(datetime(2024, 11, 3, 7, 30, tzinfo=UTC)) == 1_730_619_000_000_000


def test_time_stops_at_its_ends() -> None:
    assert datetime(1, 1, 1, tzinfo=UTC) == FIRST
    assert datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) == LAST
    assert shifted(LAST, timedelta(microseconds=1)) == LAST
    assert shifted(FIRST, timedelta.min) == FIRST
    assert shifted(AT, timedelta.max) == LAST
    assert shifted(AT, -timedelta(days=1)) == AT - timedelta(days=1)
    assert shifted(FIRST, EVER) == LAST
    assert shifted(LAST, -EVER) == FIRST
