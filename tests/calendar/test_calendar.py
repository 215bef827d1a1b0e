"""Where local hours, days, weeks and months begin, by hand and against the oracle.

Chicago's clocks go from 02:00 back to 01:00 on Sunday, November 3, 2024 (07:00 UTC). In Beirut and Sao Paulo midnight
is skipped, in Havana it occurs twice; in St John's clocks went from a minute past midnight back to the evening before;
and Apia skipped Friday, December 30, 2011.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.calendar.periods import Unit, beginning, bucket, cuts, first_date, midnight, utc_offset, wall
from storemon.units.instants import FIRST, LAST
from tests.examples import examples
from tests.oracle import calendars
from tests.oracle.clocks import ZONES, clock_changes
from tests.oracle.truth import bucket as bucket_of_oracle
from tests.oracle.truth import parts

CHICAGO, HAVANA, APIA, ST_JOHNS = "America/Chicago", "America/Havana", "Pacific/Apia", "America/St_Johns"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF_DAYS: tuple[Unit, ...] = ("day", "week", "month")


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", "2024-10-14", "2024-10-14 00:00"),
        (CHICAGO, "2024-11-03", "2024-11-03 05:00"),
        (CHICAGO, "2024-11-04", "2024-11-04 06:00"),
        ("Asia/Kathmandu", "2024-10-14", "2024-10-13 18:15"),
        ("Pacific/Kiritimati", "2024-10-14", "2024-10-13 10:00"),
        # Skipped: the date begins at the end of the gap.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00"),
        ("Asia/Beirut", "2024-03-31", "2024-03-30 22:00"),
        # Twice: it begins the first time.
        (HAVANA, "2024-11-03", "2024-11-03 04:00"),
        (ST_JOHNS, "2010-11-07", "2010-11-07 02:30"),
        # A date that never was begins and ends at one instant.
        (APIA, "2011-12-29", "2011-12-29 10:00"),
        (APIA, "2011-12-30", "2011-12-30 10:00"),
        (APIA, "2011-12-31", "2011-12-30 10:00"),
        # Chicago's first offset, 5:50:36 behind; and dates that begin beyond the calendar.
        (CHICAGO, "0001-01-01", "0001-01-01 05:50:36"),
        ("Asia/Kathmandu", "0001-01-01", "0001-01-01 00:00"),
        ("Pacific/Kiritimati", "9999-12-31", "9999-12-30 10:00"),
        ("Etc/GMT+12", "9999-12-31", "9999-12-31 12:00"),
    ],
)
def test_midnight(zone: str, day: str, begins: str) -> None:
    assert midnight(date.fromisoformat(day), zone) == utc(begins)


def test_first_dates() -> None:
    thursday = date(2024, 2, 29)
    firsts = [first_date(thursday, unit) for unit in ("hour", *OF_DAYS)]
    assert firsts == [thursday, thursday, date(2024, 2, 26), date(2024, 2, 1)]
    assert first_date(date(2024, 2, 26), "week") == date(2024, 2, 26)
    # The first day of all is a Monday, the last one a Friday.
    assert {first_date(date.min, unit) for unit in OF_DAYS} == {date.min}
    assert first_date(date.max, "week") == date(9999, 12, 27)


@pytest.mark.parametrize(
    ("first", "unit", "later", "begins"),
    [
        ("2024-11-03", "day", 0, "2024-11-03 05:00"),
        ("2024-11-03", "day", 1, "2024-11-04 06:00"),
        ("2024-11-04", "week", -1, "2024-10-28 05:00"),
        ("2024-01-01", "month", -1, "2023-12-01 06:00"),
        ("2024-01-01", "month", 11, "2024-12-01 06:00"),
        ("2024-01-01", "month", -13, "2022-12-01 06:00"),
        ("0001-01-01", "day", -1, "0001-01-01"),
        ("0001-01-01", "week", -1, "0001-01-01"),
        ("0001-01-01", "month", -1, "0001-01-01"),
        ("0001-02-01", "month", -1, "0001-01-01 05:50:36"),
        ("9999-12-31", "day", 0, "9999-12-31 06:00"),
        ("9999-12-31", "day", 1, "9999-12-31 23:59:59.999999"),
        ("9999-12-27", "week", 1, "9999-12-31 23:59:59.999999"),
        ("9999-12-01", "month", 1, "9999-12-31 23:59:59.999999"),
        ("9999-12-01", "month", 10**6, "9999-12-31 23:59:59.999999"),
    ],
)
def test_beginning(first: str, unit: Unit, later: int, begins: str) -> None:
    assert beginning(date.fromisoformat(first), unit, later, CHICAGO) == utc(begins)


@pytest.mark.parametrize(
    ("zone", "at", "shown"),
    [
        (CHICAGO, "2024-11-03 06:30", "2024-11-03 01:30"),
        (CHICAGO, "2024-11-03 07:30", "2024-11-03 01:30"),
        (CHICAGO, "2024-11-03 08:30", "2024-11-03 02:30"),
        (APIA, "2011-12-30 09:59:59", "2011-12-29 23:59:59"),
        (APIA, "2011-12-30 10:00", "2011-12-31"),
        (CHICAGO, "0001-01-01 06:50:36", "0001-01-01 01:00"),
        # The calendar has no year 0 and no year 10000.
        (CHICAGO, "0001-01-01 05:00", "0001-01-01"),
        ("Pacific/Kiritimati", "9999-12-31 09:00", "9999-12-31 23:00"),
        ("Pacific/Kiritimati", "9999-12-31 11:00", "9999-12-31 23:59:59.999999"),
    ],
)
def test_what_the_clocks_show(zone: str, at: str, shown: str) -> None:
    assert wall(utc(at), zone) == datetime.fromisoformat(shown)


def test_offsets_at_the_ends_of_time() -> None:
    assert utc_offset(FIRST, CHICAGO) == -timedelta(hours=5, minutes=50, seconds=36)
    assert utc_offset(LAST, CHICAGO) == -6 * HOUR
    assert utc_offset(LAST, "Pacific/Kiritimati") == 14 * HOUR


@pytest.mark.parametrize(
    ("zone", "starts_at", "ends_at", "unit", "found"),
    [
        # The hour from 01:00 is there twice.
        (CHICAGO, "11-03 05:30", "11-03 08:30", "hour", ["11-03 06:00", "11-03 07:00", "11-03 08:00"]),
        ("Asia/Kathmandu", "10-14 00:00", "10-14 02:00", "hour", ["10-14 00:15", "10-14 01:15"]),
        # Half an hour skipped: from 02:00 to 02:30, which is then shown at once.
        ("Australia/Lord_Howe", "10-05 15:00", "10-05 17:00", "hour", ["10-05 15:30", "10-05 16:00"]),
        # Half an hour repeated: from 01:30 to 02:00.
        ("Australia/Lord_Howe", "04-06 14:00", "04-06 16:00", "hour", ["04-06 15:00", "04-06 15:30"]),
        (CHICAGO, "11-02 05:00", "11-05 06:00", "day", ["11-03 05:00", "11-04 06:00"]),
        (CHICAGO, "11-02 04:59", "11-02 05:01", "day", ["11-02 05:00"]),
        (CHICAGO, "10-27 05:00", "11-11 06:00", "week", ["10-28 05:00", "11-04 06:00"]),
        (CHICAGO, "10-01 05:00", "12-01 06:00", "month", ["11-01 05:00"]),
        ("Asia/Beirut", "03-29 12:00", "04-01 12:00", "day", ["03-29 22:00", "03-30 22:00", "03-31 21:00"]),
        (HAVANA, "11-03 00:00", "11-04 12:00", "day", ["11-03 04:00", "11-04 05:00"]),
        # An empty window, and one that ends where the first part does.
        (CHICAGO, "11-03 05:00", "11-03 05:00", "day", []),
        (CHICAGO, "11-03 05:00", "11-04 06:00", "day", []),
    ],
)
def test_cuts(zone: str, starts_at: str, ends_at: str, unit: Unit, found: list[str]) -> None:
    cut_at = cuts(utc(f"2024-{starts_at}"), utc(f"2024-{ends_at}"), unit, zone)
    assert [f"{at:%m-%d %H:%M}" for at in cut_at] == found


def test_a_skipped_day_has_no_part() -> None:
    window = utc("2011-12-28 10:00"), utc("2012-01-01 10:00")
    assert cuts(*window, "day", APIA) == [window[0] + DAY, window[0] + 2 * DAY, window[0] + 3 * DAY]
    assert [f"{bucket(window[0] + n * DAY, 'day', APIA):%d}" for n in range(4)] == ["28", "29", "31", "01"]


def test_cuts_at_the_ends_of_time() -> None:
    assert cuts(FIRST, FIRST + 2 * DAY, "day", "UTC") == [FIRST + DAY]
    assert cuts(FIRST, FIRST + 9 * DAY, "week", "UTC") == [FIRST + 7 * DAY]
    assert cuts(FIRST, FIRST + 40 * DAY, "month", "UTC") == [FIRST + 31 * DAY]
    midnights = [utc("0001-01-01 05:50:36"), utc("0001-01-02 05:50:36")]
    assert cuts(FIRST, FIRST + 2 * DAY, "day", CHICAGO) == midnights
    last_midnight = utc("9999-12-31")
    assert cuts(LAST - DAY, LAST, "day", "UTC") == [last_midnight]
    assert cuts(LAST - 7 * DAY, LAST, "week", "UTC") == [last_midnight - 4 * DAY]
    assert cuts(LAST - 31 * DAY, LAST, "month", "UTC") == [last_midnight - 30 * DAY]
    assert cuts(LAST - 2 * DAY, LAST, "day", "Pacific/Kiritimati") == [utc("9999-12-30 10:00")]
    assert cuts(LAST, LAST, "day", "UTC") == cuts(FIRST, FIRST, "month", CHICAGO) == []


@pytest.mark.parametrize("zone", [CHICAGO, "UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_hours_at_the_ends_of_time(zone: str) -> None:
    for starts_at, ends_at in ((FIRST, FIRST + DAY), (LAST - DAY, LAST)):
        edges = [starts_at, *cuts(starts_at, ends_at, "hour", zone), ends_at]
        assert {later - at for at, later in pairwise(edges[1:-1])} == {HOUR}
        assert max(edges[1] - edges[0], edges[-1] - edges[-2]) <= HOUR
        within = [at for at in edges[1:-1] if FIRST + 15 * HOUR < at < LAST - 15 * HOUR]
        assert {wall(at, zone).minute for at in within} == {0}


@pytest.mark.parametrize(
    ("zone", "at", "unit", "begins"),
    [
        (CHICAGO, "2024-11-03 06:30", "hour", "2024-11-03 01:00"),
        (CHICAGO, "2024-11-03 07:30", "hour", "2024-11-03 01:00"),
        (CHICAGO, "2024-11-03 04:59", "day", "2024-11-02"),
        (CHICAGO, "2024-11-03 05:00", "day", "2024-11-03"),
        (CHICAGO, "2024-11-03 05:00", "week", "2024-10-28"),
        (CHICAGO, "2024-11-01 04:59", "month", "2024-10-01"),
        ("Australia/Lord_Howe", "2024-10-05 15:45", "hour", "2024-10-06 02:00"),
        (HAVANA, "2024-11-03 04:30", "day", "2024-11-03"),
        (HAVANA, "2024-11-03 05:30", "day", "2024-11-03"),
        (HAVANA, "2024-11-03 05:30", "hour", "2024-11-03 00:00"),
        # The clocks show the evening before once more; the date has begun all the same.
        (ST_JOHNS, "2010-11-07 02:45", "hour", "2010-11-06 23:00"),
        (ST_JOHNS, "2010-11-07 02:45", "day", "2010-11-07"),
        (ST_JOHNS, "2010-11-07 02:45", "week", "2010-11-01"),
        ("UTC", "0001-01-01", "week", "0001-01-01"),
        (CHICAGO, "0001-01-01", "day", "0001-01-01"),
        ("UTC", "9999-12-31 23:59:59.999999", "hour", "9999-12-31 23:00"),
        ("UTC", "9999-12-31 23:59:59.999999", "day", "9999-12-31"),
        ("Pacific/Kiritimati", "9999-12-31 23:59", "month", "9999-12-01"),
    ],
)
def test_bucket(zone: str, at: str, unit: Unit, begins: str) -> None:
    assert bucket(utc(at), unit, zone) == datetime.fromisoformat(begins)


NUDGES = st.sampled_from((timedelta(0), timedelta(microseconds=-1), timedelta(minutes=-1), HOUR, -HOUR, DAY, -DAY))
ANYWHEN = st.datetimes(datetime(2010, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant at a change of its clocks, near it, or anywhere."""
    zone = draw(st.sampled_from(ZONES))
    changes = clock_changes(zone)
    return zone, draw(st.sampled_from(changes) if changes else ANYWHEN) + draw(NUDGES | st.just(-DAY / 3))


@settings(max_examples=examples(150), deadline=None)
@given(moments(), st.integers(-400, 400))
def test_midnight_is_the_oracle_s(moment: tuple[str, datetime], days: int) -> None:
    zone, at = moment
    day = at.date() + days * DAY
    assert midnight(day, zone) == calendars.midnight(day, zone)
    assert first_date(day, "week") == calendars.first_date("week", day)
    assert first_date(day, "month") == calendars.first_date("month", day)


@settings(max_examples=examples(200), deadline=None)
@given(moments(), st.sampled_from(("hour", *OF_DAYS)))
def test_bucket_is_the_oracle_s(moment: tuple[str, datetime], unit: Unit) -> None:
    zone, at = moment
    assert bucket(at, unit, zone) == bucket_of_oracle(at, unit, zone)


@settings(max_examples=examples(150), deadline=None)
@given(
    moments(), st.sampled_from(OF_DAYS), st.timedeltas(timedelta(0), 100 * DAY), st.timedeltas(timedelta(0), 9 * DAY)
)
def test_parts_are_the_oracle_s(moment: tuple[str, datetime], unit: Unit, before: timedelta, after: timedelta) -> None:
    zone, at = moment
    assert_cut_as_the_oracle_does(zone, at - before, at + after, unit)


@settings(max_examples=examples(60), deadline=None)
@given(moments(), st.timedeltas(timedelta(0), DAY), st.timedeltas(timedelta(0), DAY))
def test_hours_are_the_oracle_s(moment: tuple[str, datetime], before: timedelta, after: timedelta) -> None:
    zone, at = moment
    assert_cut_as_the_oracle_does(zone, at - before, at + after, "hour")


def assert_cut_as_the_oracle_does(zone: str, starts_at: datetime, ends_at: datetime, unit: Unit) -> None:
    expected = parts((starts_at, ends_at), unit, zone)
    assert cuts(starts_at, ends_at, unit, zone) == [ends for _, ends in expected[:-1]]
