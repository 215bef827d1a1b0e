"""Each rule of special hours on literal rows. October 7, 2024 is a Monday, and Chicago is five hours behind UTC."""

from collections.abc import Sequence

import pytest

from tests.calendar.schedules import SpecialHours, intervals, opened, utc, written

CHICAGO = "America/Chicago"
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WEEK = "2024-10-06 00:00", "2024-10-13 00:00"
OPEN = "10-06 00:00:00 10-13 00:00:00"
BEFORE, AFTER = "10-06 00:00:00 10-07 00:00:00", "10-08 00:00:00 10-13 00:00:00"
Shift = tuple[int, str, str]


def hours_of(special_hours: SpecialHours, store_ids: Sequence[str]) -> dict[str, list[str]]:
    """The open intervals of stores in UTC that open on Mondays and Tuesdays at 09:00, for an hour."""
    hours = [(store_id, weekday, "09:00", "10:00") for store_id in store_ids for weekday in (MON, TUE)]
    zones = dict.fromkeys(store_ids, "UTC")
    found = intervals(store_ids, hours, zones, utc(WEEK[0]), utc(WEEK[1]), special_hours=special_hours)
    return {store_id: written(found.filter(store_key=key)) for key, store_id in enumerate(store_ids)}


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        # They replace the hours of the date, whatever its weekday has.
        ([("12:00", "13:00")], ["10-07 12:00:00 10-07 13:00:00"]),
        ([("", "")], []),
        # Rules 3, 4 and 5 are theirs too.
        ([("12:00", "13:00"), ("15:00", "16:00")], ["10-07 12:00:00 10-07 13:00:00", "10-07 15:00:00 10-07 16:00:00"]),
        ([("12:00", "14:00"), ("13:00", "16:00"), ("12:00", "14:00")], ["10-07 12:00:00 10-07 16:00:00"]),
        ([("22:00", "23:59")], ["10-07 22:00:00 10-08 00:00:00"]),
        ([("22:00", "02:00")], ["10-07 22:00:00 10-08 02:00:00"]),
        ([("12:00", "12:00")], ["10-07 12:00:00 10-08 12:00:00"]),
        # One that says closed beside one that says when it is open.
        ([("", ""), ("12:00", "13:00")], ["10-07 12:00:00 10-07 13:00:00"]),
    ],
)
def test_special_hours_replace_those_of_the_date(special: list[tuple[str, str]], expected: list[str]) -> None:
    rows = [("a", "2024-10-07", *times) for times in special]
    assert opened([(MON, "09:00", "17:00")], "UTC", WEEK, rows) == expected
    assert opened([(MON, "09:00", "17:00")], "UTC", WEEK, rows[::-1]) == expected


def test_special_hours_on_a_weekday_without_any() -> None:
    special = [("a", "2024-10-09", "12:00", "13:00")]
    assert opened([(MON, "09:00", "17:00")], "UTC", WEEK, special) == [
        "10-07 09:00:00 10-07 17:00:00",
        "10-09 12:00:00 10-09 13:00:00",
    ]


def test_dates_are_local() -> None:
    every_day = [(day, "18:00", "20:00") for day in range(7)]  # from 23:00 UTC
    within = "2024-10-07 00:00", "2024-10-09 00:00"
    assert opened(every_day, CHICAGO, within, [("a", "2024-10-07", "", "")]) == [
        "10-07 00:00:00 10-07 01:00:00",
        "10-08 23:00:00 10-09 00:00:00",
    ]


def test_the_tail_of_the_night_before_is_not_touched() -> None:
    nights = [(day, "22:00", "02:00") for day in (SUN, MON, TUE)]
    sunday, tuesday = "10-06 22:00:00 10-07 02:00:00", "10-08 22:00:00 10-09 02:00:00"
    assert opened(nights, "UTC", WEEK, [("a", "2024-10-07", "", "")]) == [sunday, tuesday]
    assert opened(nights, "UTC", WEEK, [("a", "2024-10-07", "01:00", "03:00")]) == [
        "10-06 22:00:00 10-07 03:00:00",
        tuesday,
    ]
    # The tail of special hours isn't, either, by those of the date on which it ends.
    special = [("a", "2024-10-07", "23:00", "04:00"), ("a", "2024-10-08", "", "")]
    assert opened(nights, "UTC", WEEK, special) == [sunday, "10-07 23:00:00 10-08 04:00:00"]


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        # 02:30 is skipped: at UTC-6 it is 08:30 UTC.
        (("2024-03-10", "02:30", "04:00"), ["03-10 08:30:00 03-10 09:00:00"]),
        (("2024-03-10", "02:30", "03:15"), []),
        (("2024-03-10", "00:00", "24:00"), ["03-10 06:00:00 03-11 05:00:00"]),
        (("2024-03-09", "22:00", "02:30"), ["03-10 04:00:00 03-10 08:30:00"]),
        # 01:30 occurs at 06:30 and at 07:30 UTC: the first counts.
        (("2024-11-03", "01:30", "02:00"), ["11-03 06:30:00 11-03 08:00:00"]),
        (("2024-11-02", "22:00", "01:30"), ["11-03 03:00:00 11-03 06:30:00"]),
    ],
)
def test_rule_7_on_special_hours(special: tuple[str, str, str], expected: list[str]) -> None:
    spring, autumn = ("2024-03-09 00:00", "2024-03-12 00:00"), ("2024-11-02 00:00", "2024-11-05 00:00")
    within = spring if special[0] < "2024-07" else autumn
    assert opened([(WED, "09:00", "17:00")], CHICAGO, within, [("a", *special)]) == expected


def test_own_rows_win_over_those_of_every_store() -> None:
    monday, tuesday = "10-07 09:00:00 10-07 10:00:00", "10-08 09:00:00 10-08 10:00:00"
    special = [
        ("*", "2024-10-07", "12:00", "13:00"),
        ("*", "2024-10-07", "15:00", "16:00"),
        ("*", "2024-10-08", "", ""),
        ("b", "2024-10-07", "", ""),
        ("c", "2024-10-08", "20:00", "21:00"),
        ("d", "2024-10-12", "", ""),
    ]
    of_every_store = ["10-07 12:00:00 10-07 13:00:00", "10-07 15:00:00 10-07 16:00:00"]
    assert hours_of(special, ["a", "b", "c", "d"]) == {
        "a": of_every_store,
        "b": [],
        "c": [*of_every_store, "10-08 20:00:00 10-08 21:00:00"],
        "d": of_every_store,
    }
    assert hours_of(special[3:], ["a", "b"]) == {"a": [monday, tuesday], "b": [tuesday]}


def test_a_store_without_hours_closed_on_one_date() -> None:
    assert opened([], "UTC", WEEK, [("a", "2024-10-07", "", "")]) == [BEFORE, AFTER]
    assert opened([], "UTC", WEEK, [("*", "2024-10-07", "", "")]) == [BEFORE, AFTER]
    # In Chicago the date lasts from 05:00 to 05:00 UTC.
    assert opened([], CHICAGO, WEEK, [("a", "2024-10-07", "", "")]) == [
        "10-06 00:00:00 10-07 05:00:00",
        "10-08 05:00:00 10-13 00:00:00",
    ]


def test_a_store_without_hours_open_for_less_or_more_than_one_date() -> None:
    assert opened([], "UTC", WEEK, [("a", "2024-10-07", "09:00", "12:00")]) == [
        BEFORE,
        "10-07 09:00:00 10-07 12:00:00",
        AFTER,
    ]
    # The tail of special hours falls on a date that is open anyway, or closed.
    night = ("a", "2024-10-07", "22:00", "03:00")
    assert opened([], "UTC", WEEK, [night]) == [BEFORE, "10-07 22:00:00 10-13 00:00:00"]
    assert opened([], "UTC", WEEK, [night, ("a", "2024-10-08", "", "")]) == [
        BEFORE,
        "10-07 22:00:00 10-08 03:00:00",
        "10-09 00:00:00 10-13 00:00:00",
    ]


def test_a_store_without_hours_beside_one_with_special_dates() -> None:
    zones, special = {"a": "UTC"}, [("a", "2024-10-07", "", "")]
    found = intervals(["a", "b"], [], zones, utc(WEEK[0]), utc(WEEK[1]), special_hours=special)
    assert found["store_key"].to_list().count(1) == 1
    assert written(found.filter(store_key=1)) == [OPEN]
    assert written(found.filter(store_key=0)) == [BEFORE, AFTER]


def test_special_dates_that_the_stretch_cannot_touch_leave_one_interval() -> None:
    special = [("*", f"{year:04}-12-25", "", "") for year in (1, 1969, 2023, 2024, 9999)]
    found = intervals(["a"], [], {}, utc(WEEK[0]), utc(WEEK[1]), special_hours=special)
    assert len(found) == 1
    assert written(found) == [OPEN]


def test_special_hours_of_a_store_nobody_asks_about() -> None:
    assert opened([], "UTC", WEEK, [("b", "2024-10-07", "", "")]) == [OPEN]


@pytest.mark.parametrize("named", ["a", "*"])
def test_special_hours_that_repeat_the_weekly_ones_change_nothing(named: str) -> None:
    rows: list[Shift] = [
        (MON, "09:00", "12:00"),
        (MON, "22:00", "02:00"),
        (TUE, "01:00", "03:00"),
        (SUN, "22:00", "04:00"),
    ]
    special = [(named, f"2024-10-{6 + (day + 1) % 7:02}", opens, closes) for day, opens, closes in rows]
    closed = [(named, f"2024-10-{day:02}", "", "") for day in range(9, 13)]
    assert opened(rows, CHICAGO, WEEK, special + closed) == opened(rows, CHICAGO, WEEK)
    whole_days = [(named, f"2024-10-{day:02}", "00:00", "24:00") for day in range(5, 14)]
    assert opened([], CHICAGO, WEEK, whole_days) == opened([], CHICAGO, WEEK)
