"""Windows as people write them, and where they lie."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import InputError
from storemon.calendar.periods import Unit
from storemon.calendar.windows import (
    DEFAULT_WINDOWS,
    Absolute,
    Calendar,
    Rolling,
    Span,
    Window,
    between,
    parse_window,
    realise,
)
from storemon.units.instants import FIRST, LAST, microseconds
from tests.examples import examples

CHICAGO, KATHMANDU = "America/Chicago", "Asia/Kathmandu"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2024, 10, 16, 12, 30, tzinfo=UTC)
"""A Wednesday: 07:30 in Chicago, 18:15 in Kathmandu."""


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "name", "span"),
    [
        ("30d", "last_30d", Rolling(timedelta(days=30))),
        ("90m", "last_90m", Rolling(timedelta(minutes=90))),
        (" 1d12h ", "last_1d12h", Rolling(timedelta(hours=36))),
        ("last_hour", "last_hour", Rolling(HOUR)),
        ("last_day", "last_day", Rolling(DAY)),
        ("last_week", "last_week", Rolling(timedelta(days=7))),
        ("today", "today", Calendar("day")),
        ("yesterday", "yesterday", Calendar("day", -1)),
        ("this-week", "this-week", Calendar("week")),
        ("last-week", "last-week", Calendar("week", -1)),
        ("this-month", "this-month", Calendar("month")),
        ("last-month", "last-month", Calendar("month", -1)),
        ("2024-10-14", "2024-10-14", Calendar("day", day=date(2024, 10, 14))),
        ("2024-02-29", "2024-02-29", Calendar("day", day=date(2024, 2, 29))),
        ("2024-W41", "2024-W41", Calendar("week", day=date(2024, 10, 7))),
        ("2020-W53", "2020-W53", Calendar("week", day=date(2020, 12, 28))),
        ("2024-10", "2024-10", Calendar("month", day=date(2024, 10, 1))),
        ("0001-01", "0001-01", Calendar("month", day=date.min)),
        ("9999-12-31", "9999-12-31", Calendar("day", day=date.max)),
        ("month=30d", "month", Rolling(timedelta(days=30))),
        (" sale day = 2024-10-14 ", "sale day", Calendar("day", day=date(2024, 10, 14))),
        ("a=b=today", "a=b", Calendar("day")),
    ],
)
def test_a_window_as_people_write_it(written: str, name: str, span: Span) -> None:
    assert parse_window(written) == Window(name, span)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("yesterdy", r"'yesterdy' is not a window; did you mean yesterday or last_day\? Write a length"),
        ("Today", r"did you mean today( or \S+)?\?"),
        ("lastweek", r"did you mean (last-week or last_week|last_week or last-week)\?"),
        ("thismonth", r"did you mean this-month or last-month\?"),
        ("", "'' is not a window; write a length like 90m, 1h or 30d"),
        ("x=", "'' is not a window"),
        ("2024", "a week like 2024-W41, a month like 2024-10, or one of: last_hour, last_day, last_week, today, "),
        ("30", "'30' is not a window"),
        ("-1d", "'-1d' is not a window"),
        ("1y", "'1y' is not a window"),
        ("14.10.2024", "is not a window"),
        ("2024-10-14T12:00", "is not a window"),
        ("2024-13", "there is no 2024-13 in the calendar"),
        ("2024-00", "there is no 2024-00 in the calendar"),
        ("2023-02-29", "there is no 2023-02-29 in the calendar"),
        ("2024-W53", "there is no 2024-W53 in the calendar"),
        ("2024-W00", "there is no 2024-W00 in the calendar"),
        ("0000-01", "there is no 0000-01 in the calendar"),
        ("\u0662\u0660\u0662\u0664-10", "in the calendar"),
        ("0h", "'0h' is no time at all"),
        ("999999999999d", "'999999999999d' is too long a duration"),
        ("=30d", "'=30d' gives a window an empty name; write it like last_month=30d"),
    ],
)
def test_what_is_no_window(written: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_window(written)


@given(st.text(max_size=12) | st.from_regex(r"\d{4}-W?\d\d(-\d\d)?|\d{1,6}[mhdw]", fullmatch=True))
def test_nothing_but_an_input_error_ever(written: str) -> None:
    with suppress(InputError):
        parse_window(written)


def test_between_two_instants() -> None:
    assert between("2024-10-14", "2024-10-15T06:00+02:00") == Window(
        "window", Absolute(utc("2024-10-14"), utc("2024-10-15 04:00"))
    )
    assert between("2024-10-14", None) == Window("window", Absolute(utc("2024-10-14"), None))


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "told"),
    [
        (None, "2024-10-14", "a window needs a start; say from when on with --from"),
        (None, None, "a window needs a start"),
        ("2024-10-14", "2024-10-14", "the window from 2024-10-14 to 2024-10-14 ends before it starts; swap the two"),
        ("2024-10-14T12:00Z", "2024-10-14T12:00+01:00", "ends before it starts"),
        ("monday", None, "'monday' is not an instant"),
        ("2024-10-14", "tomorrow", "'tomorrow' is not an instant"),
    ],
)
def test_between_what_is_no_window(starts_at: str | None, ends_at: str | None, told: str) -> None:
    with pytest.raises(InputError, match=told):
        between(starts_at, ends_at)


@pytest.mark.parametrize(
    ("span", "is_short"),
    [
        (Rolling(HOUR), True),
        (Rolling(DAY - timedelta(microseconds=1)), True),
        (Rolling(DAY), False),
        (Absolute(AT - HOUR, AT), True),
        (Absolute(AT - DAY, AT), False),
        (Absolute(AT - HOUR), False),
        # 23 and 24 hours, as the clocks show 24 and 25: to Sunday, March 10, and to Sunday, November 3.
        (Absolute(*(datetime(2024, 3, day, 12, tzinfo=ZoneInfo(CHICAGO)) for day in (9, 10))), True),
        (Absolute(*(datetime(2024, 11, 3, hour, tzinfo=ZoneInfo(CHICAGO)) for hour in (0, 23))), False),
        (Calendar("day"), False),
    ],
)
def test_windows_shorter_than_a_day(span: Span, is_short: bool) -> None:  # noqa: FBT001 - a case's own
    assert span.is_short() == is_short


@pytest.mark.parametrize(
    ("written", "back", "zone", "starts_at", "ends_at"),
    [
        ("90m", 0, CHICAGO, "2024-10-16 11:00", "2024-10-16 12:30"),
        ("90m", 2, CHICAGO, "2024-10-16 08:00", "2024-10-16 09:30"),
        ("today", 0, CHICAGO, "2024-10-16 05:00", "2024-10-16 12:30"),
        ("today", 1, CHICAGO, "2024-10-15 05:00", "2024-10-16 05:00"),
        ("today", 0, KATHMANDU, "2024-10-15 18:15", "2024-10-16 12:30"),
        ("yesterday", 0, CHICAGO, "2024-10-15 05:00", "2024-10-16 05:00"),
        ("yesterday", 0, "Pacific/Kiritimati", "2024-10-15 10:00", "2024-10-16 10:00"),
        ("this-week", 0, CHICAGO, "2024-10-14 05:00", "2024-10-16 12:30"),
        ("last-week", 0, CHICAGO, "2024-10-07 05:00", "2024-10-14 05:00"),
        ("last-week", 1, KATHMANDU, "2024-09-29 18:15", "2024-10-06 18:15"),
        ("this-month", 0, CHICAGO, "2024-10-01 05:00", "2024-10-16 12:30"),
        ("last-month", 0, KATHMANDU, "2024-08-31 18:15", "2024-09-30 18:15"),
        ("2024-10-14", 0, CHICAGO, "2024-10-14 05:00", "2024-10-15 05:00"),
        ("2024-10-14", 14, CHICAGO, "2024-09-30 05:00", "2024-10-01 05:00"),
        ("2024-W41", 0, CHICAGO, "2024-10-07 05:00", "2024-10-14 05:00"),
        ("2023-11", 0, CHICAGO, "2023-11-01 05:00", "2023-12-01 06:00"),
        ("2023-11", 1, CHICAGO, "2023-10-01 05:00", "2023-11-01 05:00"),
        # Days of 23 and 25 hours.
        ("2024-03-10", 0, CHICAGO, "2024-03-10 06:00", "2024-03-11 05:00"),
        ("2023-11-05", 0, CHICAGO, "2023-11-05 05:00", "2023-11-06 06:00"),
        # Past as-of a window ends there, or is empty; the one before it is whole.
        ("2024-10-16", 0, CHICAGO, "2024-10-16 05:00", "2024-10-16 12:30"),
        ("2024-12", 0, CHICAGO, "2024-10-16 12:30", "2024-10-16 12:30"),
        ("2024-12", 2, CHICAGO, "2024-10-01 05:00", "2024-10-16 12:30"),
        ("2024-12", 3, CHICAGO, "2024-09-01 05:00", "2024-10-01 05:00"),
        # A day that never was.
        ("2011-12-30", 0, "Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00"),
        ("0001-01-01", 0, "UTC", "0001-01-01", "0001-01-02"),
        ("0001-01-01", 1, "UTC", "0001-01-01", "0001-01-01"),
        ("0001-01", 1, CHICAGO, "0001-01-01", "0001-01-01 05:50:36"),
        ("9999-12-31", 0, "UTC", "2024-10-16 12:30", "2024-10-16 12:30"),
    ],
)
def test_where_a_window_lies(written: str, back: int, zone: str, starts_at: str, ends_at: str) -> None:
    assert parse_window(written).span.bounds(AT, zone, back) == (utc(starts_at), utc(ends_at))


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "back", "found"),
    [
        (AT - DAY, AT - HOUR, 0, (AT - DAY, AT - HOUR)),
        (AT - DAY, AT - HOUR, 1, (AT - DAY - 23 * HOUR, AT - DAY)),
        (AT - DAY, None, 0, (AT - DAY, AT)),
        (AT - DAY, AT + DAY, 0, (AT - DAY, AT)),
        # The one before is as long as what lies before as-of.
        (AT - DAY, AT + DAY, 1, (AT - 2 * DAY, AT - DAY)),
        (AT + DAY, None, 0, (AT, AT)),
        (AT + DAY, AT + 2 * DAY, 1, (AT, AT)),
        (FIRST + DAY, FIRST + 3 * DAY, 1, (FIRST, FIRST + DAY)),
        (FIRST + DAY, FIRST + 3 * DAY, 2, (FIRST, FIRST)),
    ],
)
def test_where_an_absolute_window_lies(
    starts_at: datetime, ends_at: datetime | None, back: int, found: tuple[datetime, datetime]
) -> None:
    assert Absolute(starts_at, ends_at).bounds(AT, CHICAGO, back) == found
    there = ZoneInfo(KATHMANDU)
    local = Absolute(starts_at.astimezone(there), ends_at and ends_at.astimezone(there))
    assert local.bounds(AT, CHICAGO, back) == found


def test_an_absolute_window_lasts_as_long_as_it_does() -> None:
    """From 00:00 to 03:00 on the night on which the clocks go back are four hours."""
    local = (datetime(2024, 11, 3, hour, tzinfo=ZoneInfo(CHICAGO)) for hour in (0, 3))
    at = utc("2024-11-03 09:00")
    assert Absolute(*local).bounds(at + DAY, "UTC", 1) == (at - 8 * HOUR, at - 4 * HOUR)


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_calendar_windows_at_the_ends_of_time(unit: Unit) -> None:
    this, last = Calendar(unit), Calendar(unit, -1)
    for zone in ("UTC", CHICAGO, "Pacific/Kiritimati", "Etc/GMT+12"):
        for as_of in (FIRST, FIRST + HOUR, FIRST + 2 * DAY, LAST, LAST - 20 * HOUR):
            starts_at, ends_at = this.bounds(as_of, zone, 0)
            assert FIRST <= starts_at <= ends_at <= as_of
            assert last.bounds(as_of, zone, 0) == this.bounds(as_of, zone, 1)
            assert last.bounds(as_of, zone, 0)[1] == starts_at
            assert this.bounds(as_of, zone, 10**7)[1] == FIRST
    first = {"day": datetime(9999, 12, 31), "week": datetime(9999, 12, 27), "month": datetime(9999, 12, 1)}[unit]  # noqa: DTZ001
    assert this.bounds(LAST, "UTC", 0) == (first.replace(tzinfo=UTC), LAST)


def test_rolling_windows_at_the_ends_of_time() -> None:
    early = FIRST + 2 * HOUR
    assert [window.span.bounds(early, CHICAGO, 0) for window in DEFAULT_WINDOWS] == [
        (FIRST + HOUR, early),
        (FIRST, early),
        (FIRST, early),
    ]
    assert Rolling(timedelta.max).bounds(LAST, CHICAGO, 0) == (FIRST, LAST)
    assert Rolling(timedelta.max).bounds(LAST, CHICAGO, 1) == (FIRST, FIRST)


def test_windows_as_rows() -> None:
    windows = [parse_window("yesterday"), parse_window("1h")]
    frame = realise(windows, AT, [KATHMANDU, "UTC"])
    assert frame.rows() == [
        (0, 0, 0, microseconds(utc("2024-10-14 18:15")), microseconds(utc("2024-10-15 18:15")), None),
        (1, 0, 1, microseconds(utc("2024-10-15")), microseconds(utc("2024-10-16")), None),
        (2, 1, 0, microseconds(AT - HOUR), microseconds(AT), None),
        (3, 1, 1, microseconds(AT - HOUR), microseconds(AT), None),
    ]
    assert dict(frame.schema) == {
        "part": pl.Int32(),
        "window": pl.Int32(),
        "zone_key": pl.Int32(),
        "starts_at": pl.Int64(),
        "ends_at": pl.Int64(),
        "bucket": pl.Datetime("us"),
    }
    for none in (realise([], AT, ["UTC"]), realise(windows, AT, [])):
        assert none.is_empty()
        assert none.schema == frame.schema


def test_parts_as_rows() -> None:
    windows = [Window("w", Absolute(utc("2024-10-14 17:00"), utc("2024-10-15 19:00")))]
    edges = ["2024-10-14 17:00", "2024-10-14 18:15", "2024-10-15 18:15", "2024-10-15 19:00"]
    starts_at, *others = (microseconds(utc(edge)) for edge in edges)
    frame = realise(windows, AT, [KATHMANDU], "day")
    assert frame["part"].to_list() == [0, 1, 2]
    assert frame["starts_at"].to_list() == [starts_at, *others[:-1]]
    assert frame["ends_at"].to_list() == others
    assert frame["bucket"].to_list() == [datetime(2024, 10, day) for day in (14, 15, 16)]  # noqa: DTZ001


@pytest.mark.parametrize("every", ["hour", "day", "week", "month"])
def test_an_empty_window_is_one_row_and_has_no_parts(every: Unit) -> None:
    windows = [parse_window("2024-12"), parse_window("2011-12-30")]
    assert realise(windows, AT, ["Pacific/Apia"]).height == 2
    assert realise(windows, AT, ["Pacific/Apia"], every).is_empty()


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(("today", "last-week", "this-month", "2024-11", "40d", "3h")),
    st.sampled_from((CHICAGO, KATHMANDU, "America/Havana", "Australia/Lord_Howe")),
    st.sampled_from(("hour", "day", "week", "month")),
    st.datetimes(datetime(2024, 10, 30), datetime(2024, 11, 12), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 2),
)
def test_parts_fill_a_window(written: str, zone: str, every: Unit, as_of: datetime, back: int) -> None:
    window = Window("w", parse_window(written).span, back)
    whole, parts = realise([window], as_of, [zone]), realise([window], as_of, [zone], every)
    edges = [*parts["starts_at"], *parts["ends_at"][-1:]] or whole["starts_at"].to_list()
    assert [edges[0], edges[-1]] == [whole["starts_at"][0], whole["ends_at"][0]]
    assert parts["ends_at"].to_list() == edges[1:]
    assert (parts["starts_at"] < parts["ends_at"]).all()
