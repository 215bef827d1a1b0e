"""The oracle's service time, pinned to the page by hand.

Chicago is UTC-6 in winter and UTC-5 in summer. In 2024 its clocks go from 02:00 to 03:00 on Sunday, March 10
(08:00 UTC) and from 02:00 back to 01:00 on Sunday, November 3 (07:00 UTC). October 7, 2024 is a Monday.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .cases import Case, cases
from .truth import open_intervals

CHICAGO = "America/Chicago"
MON, TUE, THU, FRI, SAT, SUN = 0, 1, 3, 4, 5, 6
WEEK = "2024-10-06 00:00", "2024-10-13 00:00"
SPRING = "2024-03-09 00:00", "2024-03-12 00:00"
AUTUMN = "2024-11-02 00:00", "2024-11-05 00:00"


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def opened(rows: list[tuple[int, str, str]], zone: str | None, within: tuple[str, str]) -> list[str]:
    hours = [("a", *row) for row in rows]
    intervals = open_intervals(hours, zone, utc(within[0]), utc(within[1]))
    return [f"{opens_at:%m-%d %H:%M:%S} {closes_at:%m-%d %H:%M:%S}" for opens_at, closes_at in intervals]


def test_rule_1_weekdays_are_local() -> None:
    # 09:00 to 17:00 in Chicago, in summer: five hours later in UTC.
    assert opened([(MON, "09:00", "17:00")], CHICAGO, WEEK) == ["10-07 14:00:00 10-07 22:00:00"]
    assert opened([(SUN, "09:00", "17:00")], CHICAGO, WEEK) == ["10-06 14:00:00 10-06 22:00:00"]
    # On Kiritimati (UTC+14) Monday begins at 10:00 UTC on Sunday.
    assert opened([(MON, "0:00", "1:00")], "Pacific/Kiritimati", WEEK) == ["10-06 10:00:00 10-06 11:00:00"]


def test_rule_2_without_rows_always_open_with_rows_closed_on_other_days() -> None:
    assert opened([], CHICAGO, WEEK) == ["10-06 00:00:00 10-13 00:00:00"]
    assert opened([(MON, "09:00", "17:00")], CHICAGO, ("2024-10-08 00:00", "2024-10-14 14:00")) == []


def test_rule_3_split_shifts_and_union() -> None:
    split = [(MON, "13:00", "17:00"), (MON, "09:00", "12:00")]
    assert opened(split, "UTC", WEEK) == ["10-07 09:00:00 10-07 12:00:00", "10-07 13:00:00 10-07 17:00:00"]
    once = ["10-07 09:00:00 10-07 14:00:00"]
    assert opened([(MON, "09:00", "12:00"), (MON, "11:00", "14:00")], "UTC", WEEK) == once
    assert opened([(MON, "09:00", "14:00"), (MON, "10:00", "11:00")], "UTC", WEEK) == once
    assert opened([(MON, "09:00", "14:00"), (MON, "9:00", "14:00:00")], "UTC", WEEK) == once
    assert opened([(MON, "09:00", "12:00"), (MON, "12:00", "14:00")], "UTC", WEEK) == once


@pytest.mark.parametrize("closing", ["23:59", "23:59:00", "23:59:30", "23:59:59", "24:00:00", "24:00"])
def test_rule_4_the_last_minute_means_midnight(closing: str) -> None:
    assert opened([(MON, "22:00", closing)], "UTC", WEEK) == ["10-07 22:00:00 10-08 00:00:00"]


def test_rule_4_any_other_time_is_literal() -> None:
    assert opened([(MON, "22:00", "23:58:59")], "UTC", WEEK) == ["10-07 22:00:00 10-07 23:58:59"]
    # Only a closing time is read that way.
    assert opened([(MON, "23:59:00", "00:30")], "UTC", WEEK) == ["10-07 23:59:00 10-08 00:30:00"]
    # And it is read that way before it is compared with the opening time.
    assert opened([(MON, "23:59:00", "23:59:00")], "UTC", WEEK) == ["10-07 23:59:00 10-08 00:00:00"]
    assert opened([(MON, "23:59:30", "23:59:00")], "UTC", WEEK) == ["10-07 23:59:30 10-08 00:00:00"]


def test_rule_5_overnight_and_equal_times() -> None:
    assert opened([(MON, "22:00", "02:00")], "UTC", WEEK) == ["10-07 22:00:00 10-08 02:00:00"]
    assert opened([(MON, "22:00", "00:00")], "UTC", WEEK) == ["10-07 22:00:00 10-08 00:00:00"]
    assert opened([(MON, "00:00", "00:00")], "UTC", WEEK) == ["10-07 00:00:00 10-08 00:00:00"]
    assert opened([(MON, "10:00", "10:00")], "UTC", WEEK) == ["10-07 10:00:00 10-08 10:00:00"]
    # The tail is Monday's: it meets Tuesday's own hours, and a Sunday's tail opens a closed Monday.
    tail = [(MON, "22:00", "02:00"), (TUE, "01:00", "03:00")]
    assert opened(tail, "UTC", WEEK) == ["10-07 22:00:00 10-08 03:00:00"]
    assert opened([(SUN, "22:00", "02:00")], "UTC", ("2024-10-07 00:00", "2024-10-08 00:00")) == [
        "10-07 00:00:00 10-07 02:00:00"
    ]
    # In UTC-12 Monday 23:00 is Tuesday 11:00 UTC, so the tail lasts until Wednesday 11:00 UTC, two dates on.
    wednesday = "2024-10-09 10:00", "2024-10-10 00:00"
    assert opened([(MON, "23:00", "23:00")], "Etc/GMT+12", wednesday) == ["10-09 10:00:00 10-09 11:00:00"]


def test_rule_6_without_a_zone_in_chicago() -> None:
    assert opened([(MON, "09:00", "17:00")], None, WEEK) == ["10-07 14:00:00 10-07 22:00:00"]


@pytest.mark.parametrize(
    ("row", "within", "expected"),
    [
        # A day of 23 hours: 00:00 is 06:00 UTC, 24:00 is 05:00 UTC.
        ((SUN, "00:00", "24:00:00"), SPRING, ["03-10 06:00:00 03-11 05:00:00"]),
        ((SUN, "00:00", "00:00"), SPRING, ["03-10 06:00:00 03-11 05:00:00"]),
        # One of 25: 00:00 is 05:00 UTC, 24:00 is 06:00 UTC.
        ((SUN, "00:00", "23:59:59"), AUTUMN, ["11-03 05:00:00 11-04 06:00:00"]),
        # 02:30 is skipped: at UTC-6 it is 08:30 UTC, which the clocks show as 03:30.
        ((SUN, "02:30", "04:00"), SPRING, ["03-10 08:30:00 03-10 09:00:00"]),
        ((SUN, "01:00", "02:30"), SPRING, ["03-10 07:00:00 03-10 08:30:00"]),
        # 02:30 as 08:30 UTC, 03:15 as 08:15 UTC: reversed. 02:00 and 03:00, both 08:00 UTC: empty.
        ((SUN, "02:30", "03:15"), SPRING, []),
        ((SUN, "02:00", "03:00"), SPRING, []),
        # 01:30 occurs at 06:30 and at 07:30 UTC: the first counts. 02:00 occurs once, at 08:00 UTC.
        ((SUN, "00:00", "01:30"), AUTUMN, ["11-03 05:00:00 11-03 06:30:00"]),
        ((SUN, "01:30", "02:00"), AUTUMN, ["11-03 06:30:00 11-03 08:00:00"]),
        # Overnight into the change: 22:00 is 04:00 UTC in winter, 03:00 UTC in summer.
        ((SAT, "22:00", "03:00"), SPRING, ["03-10 04:00:00 03-10 08:00:00"]),
        ((SAT, "22:00", "02:30"), SPRING, ["03-10 04:00:00 03-10 08:30:00"]),
        ((SAT, "22:00", "01:30"), AUTUMN, ["11-03 03:00:00 11-03 06:30:00"]),
        ((SAT, "22:00", "02:00"), AUTUMN, ["11-03 03:00:00 11-03 08:00:00"]),
        # Equal times across the change: 24 hours on the clock, 23 and 25 in truth.
        ((SAT, "12:00", "12:00"), SPRING, ["03-09 18:00:00 03-10 17:00:00"]),
        ((SAT, "12:00", "12:00"), AUTUMN, ["11-02 17:00:00 11-03 18:00:00"]),
        # Equal times at a skipped time: 02:30 of Saturday is 08:30 UTC, so is that of Sunday, and Monday's is 07:30.
        ((SAT, "02:30", "02:30"), SPRING, ["03-09 08:30:00 03-10 08:30:00"]),
        ((SUN, "02:30", "02:30"), SPRING, ["03-10 08:30:00 03-11 07:30:00"]),
    ],
)
def test_rule_7_chicago(row: tuple[int, str, str], within: tuple[str, str], expected: list[str]) -> None:
    assert opened([row], CHICAGO, within) == expected


def test_rule_7_a_reversed_row_takes_nothing_from_another() -> None:
    rows = [(SUN, "02:30", "03:15"), (SUN, "01:00", "03:20")]
    # 01:00 is 07:00 UTC, 03:20 is 08:20 UTC.
    assert opened(rows, CHICAGO, SPRING) == ["03-10 07:00:00 03-10 08:20:00"]


def test_rule_7_elsewhere() -> None:
    # Lord Howe, 2024-04-07: at 02:00 (UTC+11) the clocks show 01:30 (UTC+10:30). 01:45 occurs first at 14:45 UTC.
    day = "2024-04-06 00:00", "2024-04-07 00:00"
    assert opened([(SUN, "01:45", "03:00")], "Australia/Lord_Howe", day) == ["04-06 14:45:00 04-06 16:30:00"]
    # Sao Paulo, 2018-11-04: midnight is skipped; at UTC-3 it is 03:00 UTC, and the day has 23 hours.
    day = "2018-11-03 00:00", "2018-11-06 00:00"
    assert opened([(SUN, "00:00", "24:00")], "America/Sao_Paulo", day) == ["11-04 03:00:00 11-05 02:00:00"]
    # Beirut, 2024-10-27: at 24:00 (UTC+3) the clocks show 23:00 (UTC+2), so Saturday has 25 hours.
    day = "2024-10-25 00:00", "2024-10-28 00:00"
    assert opened([(SAT, "00:00", "24:00")], "Asia/Beirut", day) == ["10-25 21:00:00 10-26 22:00:00"]


def test_rule_7_a_whole_day_skipped() -> None:
    # Apia went from 2011-12-29 24:00 (UTC-10) to 2011-12-31 00:00 (UTC+14), both 2011-12-30 10:00 UTC. Each time of
    # Friday the 30th is read at UTC-10: 09:00 is 19:00 UTC, 17:00 is 03:00 UTC on the 31st, 24:00 exists: 10:00 UTC.
    days = "2011-12-29 12:00", "2012-01-02 00:00"
    assert opened([(FRI, "09:00", "17:00")], "Pacific/Apia", days) == ["12-30 19:00:00 12-31 03:00:00"]
    assert opened([(FRI, "09:00", "24:00")], "Pacific/Apia", days) == []
    assert opened([(FRI, "00:00", "24:00")], "Pacific/Apia", days) == []
    # Thursday's last hour ends with Thursday. Overnight, 02:00 of the 30th is 12:00 UTC, which is the 31st at 02:00.
    assert opened([(THU, "23:00", "24:00")], "Pacific/Apia", days) == ["12-30 09:00:00 12-30 10:00:00"]
    assert opened([(THU, "23:00", "02:00")], "Pacific/Apia", days) == ["12-30 09:00:00 12-30 12:00:00"]
    # Overnight from the day that was skipped: 22:00 of the 30th is 08:00 UTC on the 31st, 02:00 of the 31st (UTC+14)
    # is 12:00 UTC on the 30th.
    assert opened([(FRI, "22:00", "02:00")], "Pacific/Apia", days) == []


@given(cases())
def test_intervals_are_disjoint_ordered_and_inside(case: Case) -> None:
    starts_at, ends_at = utc("2024-10-20 12:34"), utc("2024-11-10 00:01")
    for store_id in {row[0] for row in case.hours}:
        rows = [row for row in case.hours if row[0] == store_id]
        intervals = open_intervals(rows, case.zones.get(store_id), starts_at, ends_at)
        edges = [starts_at, *(edge for interval in intervals for edge in interval), ends_at]
        assert edges == sorted(edges)
        assert len({*edges[1:-1]}) == len(edges) - 2


@given(cases(max_stores=1), st.integers(0, 30 * 24 * 60))
def test_every_day_from_midnight_to_midnight_is_always(case: Case, minutes: int) -> None:
    zone = next(iter(case.zones.values()), None)
    starts_at = (case.as_of or utc("2024-11-03 06:00")) - timedelta(minutes=minutes)
    ends_at = starts_at + timedelta(days=10)
    rows = [("a", day, "00:00", "24:00:00") for day in range(7)]
    assert open_intervals(rows, zone, starts_at, ends_at) == [(starts_at, ends_at)]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1438), st.integers(0, 1438)), min_size=1, max_size=6))
def test_in_utc_every_minute_of_the_week_is_told_by_the_rows(rows: list[tuple[int, int, int]]) -> None:
    """Another way to the same: mark the minutes of one week, the tail of its last day at its head."""
    marked = set()
    for day, opens, closes in rows:
        length = (closes - opens - 1) % 1440 + 1
        marked |= {(day * 1440 + opens + minute) % 10080 for minute in range(length)}
    hours = [
        ("a", day, f"{opens // 60}:{opens % 60:02d}", f"{closes // 60}:{closes % 60:02d}")
        for day, opens, closes in rows
    ]
    monday = utc("2024-10-07 00:00")
    minute = timedelta(minutes=1)
    found: set[int] = set()
    for opens_at, closes_at in open_intervals(hours, "UTC", monday, monday + timedelta(days=7)):
        found.update(range((opens_at - monday) // minute, (closes_at - monday) // minute))
    assert found == marked
