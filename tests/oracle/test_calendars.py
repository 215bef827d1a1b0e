"""The oracle's windows and their parts, pinned to the page by hand.

Chicago is UTC-6 in winter and UTC-5 in summer; as-of is a Wednesday there, half past twelve.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .clocks import ZONES, clock_changes
from .exceptional_cases import exceptional_cases, now_of, written_windows
from .truth import Every, Interval, Window, bucket, parts, previous_window_of, window_of

CHICAGO = "America/Chicago"
AS_OF = datetime(2024, 10, 16, 17, 30, tzinfo=UTC)
LATER = datetime(2025, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS_AND_LONGER: st.SearchStrategy[Every] = st.sampled_from(("day", "week", "month"))


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def written(window: Interval) -> str:
    return f"{window[0]:%y-%m-%d %H:%M} {window[1]:%y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("window", "expected", "before"),
    [
        ("90m", "24-10-16 16:00 24-10-16 17:30", "24-10-16 14:30 24-10-16 16:00"),
        ("1h", "24-10-16 16:30 24-10-16 17:30", "24-10-16 15:30 24-10-16 16:30"),
        ("30d", "24-09-16 17:30 24-10-16 17:30", "24-08-17 17:30 24-09-16 17:30"),
        (timedelta(hours=24), "24-10-15 17:30 24-10-16 17:30", "24-10-14 17:30 24-10-15 17:30"),
        ((utc("2024-10-01"), utc("2024-10-03")), "24-10-01 00:00 24-10-03 00:00", "24-09-29 00:00 24-10-01 00:00"),
        # It ends at as-of, and then lasts half an hour.
        ((utc("2024-10-16 17:00"), LATER), "24-10-16 17:00 24-10-16 17:30", "24-10-16 16:30 24-10-16 17:00"),
        ((utc("2024-10-17"), LATER), "24-10-16 17:30 24-10-16 17:30", "24-10-16 17:30 24-10-16 17:30"),
        # Midnight in Chicago is 05:00 UTC. The calendar's previous one is whole, though this one ends at as-of.
        ("today", "24-10-16 05:00 24-10-16 17:30", "24-10-15 05:00 24-10-16 05:00"),
        ("yesterday", "24-10-15 05:00 24-10-16 05:00", "24-10-14 05:00 24-10-15 05:00"),
        ("this-week", "24-10-14 05:00 24-10-16 17:30", "24-10-07 05:00 24-10-14 05:00"),
        ("last-week", "24-10-07 05:00 24-10-14 05:00", "24-09-30 05:00 24-10-07 05:00"),
        ("this-month", "24-10-01 05:00 24-10-16 17:30", "24-09-01 05:00 24-10-01 05:00"),
        ("last-month", "24-09-01 05:00 24-10-01 05:00", "24-08-01 05:00 24-09-01 05:00"),
        ("2024-10-16", "24-10-16 05:00 24-10-16 17:30", "24-10-15 05:00 24-10-16 05:00"),
        ("2024-W41", "24-10-07 05:00 24-10-14 05:00", "24-09-30 05:00 24-10-07 05:00"),
        ("2024-10", "24-10-01 05:00 24-10-16 17:30", "24-09-01 05:00 24-10-01 05:00"),
        ("2024-11", "24-10-16 17:30 24-10-16 17:30", "24-10-01 05:00 24-10-16 17:30"),
        # The clocks change on March 10.
        ("2024-03", "24-03-01 06:00 24-04-01 05:00", "24-02-01 06:00 24-03-01 06:00"),
    ],
)
def test_windows_as_written(window: Window, expected: str, before: str) -> None:
    assert written(window_of(window, AS_OF, CHICAGO)) == expected
    assert written(previous_window_of(window, AS_OF, CHICAGO)) == before
    # A store with no zone is in Chicago.
    assert written(window_of(window, AS_OF)) == expected


@pytest.mark.parametrize(
    ("window", "zone", "expected"),
    [
        # Days of 23 and of 25 hours.
        ("2024-03-10", CHICAGO, "24-03-10 06:00 24-03-11 05:00"),
        ("2024-11-03", CHICAGO, "24-11-03 05:00 24-11-04 06:00"),
        # Year ends.
        ("2024-12", CHICAGO, "24-12-01 06:00 25-01-01 06:00"),
        ("2020-W53", CHICAGO, "20-12-28 06:00 21-01-04 06:00"),
        ("2021-W01", CHICAGO, "21-01-04 06:00 21-01-11 06:00"),
        ("2024-W01", CHICAGO, "24-01-01 06:00 24-01-08 06:00"),
        ("2025-W01", CHICAGO, "24-12-30 06:00 25-01-06 06:00"),
        # Midnight is skipped: at UTC-3, in force before, it is 03:00 UTC; the next one is at UTC-2.
        ("2018-11-04", "America/Sao_Paulo", "18-11-04 03:00 18-11-05 02:00"),
        # 00:00 to 01:00 is repeated, first at UTC-4, then at UTC-5.
        ("2024-11-03", "America/Havana", "24-11-03 04:00 24-11-04 05:00"),
        # 23:00 to 24:00 is repeated, first at UTC+3, then at UTC+2.
        ("2024-10-26", "Asia/Beirut", "24-10-25 21:00 24-10-26 22:00"),
        # One minute after midnight the clocks go back to 23:01: midnight occurs at UTC-2:30, then at UTC-3:30.
        ("2010-11-07", "America/St_Johns", "10-11-07 02:30 10-11-08 03:30"),
        # This day was skipped, and is empty.
        ("2011-12-30", "Pacific/Apia", "11-12-30 10:00 11-12-30 10:00"),
        ("2011-12-31", "Pacific/Apia", "11-12-30 10:00 11-12-31 10:00"),
        ("2024-10-07", "Pacific/Kiritimati", "24-10-06 10:00 24-10-07 10:00"),
    ],
)
def test_calendar_windows_go_from_midnight_to_midnight(window: str, zone: str, expected: str) -> None:
    assert written(window_of(window, LATER, zone)) == expected


def test_there_is_no_week_53_in_every_year() -> None:
    assert written(previous_window_of("2021-W01", LATER, CHICAGO)) == "20-12-28 06:00 21-01-04 06:00"
    with pytest.raises(ValueError, match="W53"):
        window_of("2021-W53", LATER, CHICAGO)


def test_today_is_what_the_wall_shows_at_as_of() -> None:
    # At midnight the day has just begun.
    assert written(window_of("today", utc("2024-10-16 05:00"), CHICAGO)) == "24-10-16 05:00 24-10-16 05:00"
    # 04:59 UTC is 23:59 the day before; on Kiritimati it is Wednesday evening.
    assert written(window_of("today", utc("2024-10-16 04:59"), CHICAGO)) == "24-10-15 05:00 24-10-16 04:59"
    assert written(window_of("today", utc("2024-10-16 04:59"), "Pacific/Kiritimati")) == "24-10-15 10:00 24-10-16 04:59"
    # Here the wall shows 23:30 of the 6th for the second time, after the first midnight of the 7th.
    assert written(window_of("today", utc("2010-11-07 03:00"), "America/St_Johns")) == "10-11-06 02:30 10-11-07 02:30"


def cut(window: tuple[str, str], every: Every, zone: str) -> list[str]:
    """Where the second part begins, and all after it."""
    return [f"{starts_at:%m-%d %H:%M}" for starts_at, _ in parts((utc(window[0]), utc(window[1])), every, zone)[1:]]


def test_days_weeks_and_months() -> None:
    weekend = "2024-11-02 12:00", "2024-11-04 12:00"
    assert cut(weekend, "day", CHICAGO) == ["11-03 05:00", "11-04 06:00"]
    assert cut(weekend, "week", CHICAGO) == ["11-04 06:00"]
    assert cut(weekend, "month", CHICAGO) == []
    assert cut(("2024-10-01 05:00", "2024-12-01 06:00"), "month", CHICAGO) == ["11-01 05:00"]
    assert cut(("2023-12-15", "2024-02-01"), "month", "UTC") == ["01-01 00:00"]
    assert cut(("2024-12-28", "2025-01-07"), "week", "UTC") == ["12-30 00:00", "01-06 00:00"]
    # The day that was skipped is no part.
    assert cut(("2011-12-29 12:00", "2011-12-31 12:00"), "day", "Pacific/Apia") == ["12-30 10:00", "12-31 10:00"]


@pytest.mark.parametrize(
    ("window", "zone", "expected"),
    [
        (("2024-10-07 05:30", "2024-10-07 07:00"), CHICAGO, ["10-07 06:00"]),
        # 01:00 is shown from 06:00 UTC and again from 07:00: two hours.
        (("2024-11-03 05:30", "2024-11-03 08:30"), CHICAGO, ["11-03 06:00", "11-03 07:00", "11-03 08:00"]),
        # After 01:00 comes 03:00.
        (("2024-03-10 07:30", "2024-03-10 09:30"), CHICAGO, ["03-10 08:00", "03-10 09:00"]),
        (("2024-10-07 00:00", "2024-10-07 02:00"), "Asia/Kathmandu", ["10-07 00:15", "10-07 01:15"]),
        # 01:00 to 02:00 at UTC+11 from 14:00 UTC; 01:30 to 02:00 at UTC+10:30 from 15:00.
        (
            ("2024-04-06 13:45", "2024-04-06 16:30"),
            "Australia/Lord_Howe",
            ["04-06 14:00", "04-06 15:00", "04-06 15:30"],
        ),
        # 00:00 for one minute, 23:01 to 24:00 again, 00:00 again.
        (
            ("2010-11-07 02:00", "2010-11-07 04:00"),
            "America/St_Johns",
            ["11-07 02:30", "11-07 02:31", "11-07 03:30"],
        ),
        (("2011-12-30 09:30", "2011-12-30 10:30"), "Pacific/Apia", ["12-30 10:00"]),
    ],
)
def test_hours_are_those_of_the_wall(window: tuple[str, str], zone: str, expected: list[str]) -> None:
    assert cut(window, "hour", zone) == expected


def test_parts_know_their_bucket() -> None:
    at = utc("2024-11-03 07:30")  # the second 01:30
    every: tuple[Every, ...] = ("hour", "day", "week", "month")
    found = [f"{bucket(at, unit, CHICAGO):%m-%d %H:%M}" for unit in every]
    assert found == ["11-03 01:00", "11-03 00:00", "10-28 00:00", "11-01 00:00"]
    assert bucket(at - HOUR, "hour", CHICAGO) == bucket(at, "hour", CHICAGO)
    # The second 23:30 of the 6th lies between the midnights of the 7th.
    assert f"{bucket(utc('2010-11-07 03:00'), 'day', 'America/St_Johns'):%m-%d}" == "11-07"
    assert f"{bucket(utc('2010-11-07 03:00'), 'hour', 'America/St_Johns'):%m-%d %H:%M}" == "11-06 23:00"


def test_clocks_change_on_whole_minutes() -> None:
    assert not [at for zone in ZONES for at in clock_changes(zone) if at.second or at.microsecond]


@settings(max_examples=examples(50), deadline=None)
@given(st.data())
def test_windows_follow_each_other_and_parts_tile_them(data: st.DataObject) -> None:
    case = data.draw(exceptional_cases(max_stores=1))
    zone, as_of = data.draw(st.sampled_from(ZONES)), now_of(case)
    for window in data.draw(written_windows(case)).values():
        starts_at, ends_at = window_of(window, as_of, zone)
        assert starts_at <= ends_at <= as_of
        assert previous_window_of(window, as_of, zone)[1] == starts_at
        every = data.draw(DAYS_AND_LONGER)
        cut_up = parts((starts_at, ends_at), every, zone)
        assert [starts_at, *(part[1] for part in cut_up)] == [*(part[0] for part in cut_up), ends_at]
        buckets = [bucket(part[0], every, zone) for part in cut_up]
        assert buckets == sorted({*buckets})


@settings(max_examples=examples(50), deadline=None)
@given(st.sampled_from(ZONES), st.data())
def test_an_hour_shows_one_hour_and_no_two_neighbours_are_one(zone: str, data: st.DataObject) -> None:
    around = data.draw(st.sampled_from([*clock_changes(zone), AS_OF]))
    window = around - data.draw(st.integers(0, 5)) * HOUR, around + timedelta(minutes=data.draw(st.integers(1, 200)))
    cut_up = parts(window, "hour", zone)
    assert all(part[1] - part[0] <= HOUR for part in cut_up)
    for starts_at, ends_at in cut_up:
        assert bucket(starts_at, "hour", zone) == bucket(ends_at - timedelta(microseconds=1), "hour", zone)
    for _, at in cut_up[:-1]:
        before = at - timedelta(minutes=1)
        jumped = bucket(at, "hour", zone) - bucket(before, "hour", zone)
        assert jumped or at in clock_changes(zone)
