"""Each rule of "Service time" on literal hours. October 7, 2024 is a Monday, and Chicago is five hours behind UTC."""

import polars as pl
import pytest

from storemon.calendar.schedule import with_clock, with_zones
from tests.calendar.schedules import intervals, opened, utc

CHICAGO = "America/Chicago"
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
WEEK = "2024-10-06 00:00", "2024-10-13 00:00"


@pytest.mark.parametrize(
    ("row", "zone", "expected"),
    [
        ((MON, "09:00", "17:00"), CHICAGO, ["10-07 14:00:00 10-07 22:00:00"]),
        ((SUN, "09:00", "17:00"), CHICAGO, ["10-06 14:00:00 10-06 22:00:00"]),
        ((SAT, "09:00", "17:00"), CHICAGO, ["10-12 14:00:00 10-12 22:00:00"]),
        # Monday begins at 10:00 UTC on Sunday on Kiritimati, and ends at 12:00 UTC on Tuesday on Baker Island.
        ((MON, "00:00", "01:00"), "Pacific/Kiritimati", ["10-06 10:00:00 10-06 11:00:00"]),
        ((MON, "23:00", "24:00"), "Etc/GMT+12", ["10-08 11:00:00 10-08 12:00:00"]),
        ((MON, "09:00", "17:00"), "Asia/Kathmandu", ["10-07 03:15:00 10-07 11:15:00"]),
    ],
)
def test_rule_1_weekdays_are_local(row: tuple[int, str, str], zone: str, expected: list[str]) -> None:
    assert opened([row], zone, WEEK) == expected


def test_rule_2_without_hours_always_open() -> None:
    assert opened([], CHICAGO, WEEK) == ["10-06 00:00:00 10-13 00:00:00"]
    assert opened([], None, ("2024-10-06 01:02:03", "2024-10-06 01:02:04")) == ["10-06 01:02:03 10-06 01:02:04"]
    assert opened([], None, ("2024-10-06 00:00", "2024-10-06 00:00")) == []


def test_rule_2_with_hours_closed_on_the_other_days() -> None:
    assert opened([(MON, "09:00", "17:00")], CHICAGO, ("2024-10-08 00:00", "2024-10-14 14:00")) == []
    within = "2024-10-08 00:00", "2024-10-15 00:00"
    assert opened([(MON, "09:00", "17:00")], CHICAGO, within) == ["10-14 14:00:00 10-14 22:00:00"]


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([("13:00", "17:00"), ("09:00", "12:00")], ["09:00:00 10-07 12:00:00", "13:00:00 10-07 17:00:00"]),
        ([("09:00", "12:00"), ("11:00", "14:00")], ["09:00:00 10-07 14:00:00"]),
        ([("09:00", "14:00"), ("10:00", "11:00")], ["09:00:00 10-07 14:00:00"]),
        ([("09:00", "14:00"), ("09:00", "11:00")], ["09:00:00 10-07 14:00:00"]),
        ([("09:00", "14:00"), ("9:00", "14:00:00")], ["09:00:00 10-07 14:00:00"]),
        # The one that closes last counts, wherever it stands.
        ([("09:00", "14:00"), ("10:00", "11:00"), ("13:00", "15:00")], ["09:00:00 10-07 15:00:00"]),
        ([("09:00", "10:00"), ("09:30", "14:00"), ("13:00", "15:00")], ["09:00:00 10-07 15:00:00"]),
        ([("09:00", "12:00"), ("12:00", "14:00")], ["09:00:00 10-07 14:00:00"]),
    ],
)
def test_rule_3_split_shifts_count_once(shifts: list[tuple[str, str]], expected: list[str]) -> None:
    rows = [(MON, *shift) for shift in shifts]
    assert opened(rows, "UTC", WEEK) == [f"10-07 {times}" for times in expected]
    assert opened(rows[::-1], "UTC", WEEK) == [f"10-07 {times}" for times in expected]


@pytest.mark.parametrize(
    ("opens", "closes", "expected"),
    [
        *(("22:00", closes, "22:00:00 10-08 00:00:00") for closes in ("23:59", "23:59:00", "23:59:01", "23:59:59")),
        *(("22:00", closes, "22:00:00 10-08 00:00:00") for closes in ("24:00", "24:00:00", "00:00", "0:00:00")),
        ("22:00", "23:58:59", "22:00:00 10-07 23:58:59"),
        ("00:00", "00:01", "00:00:00 10-07 00:01:00"),
        # An opening time is taken literally, and a closing time is read before the two are compared.
        ("23:59:30", "00:30", "23:59:30 10-08 00:30:00"),
        ("23:59:30", "23:59:00", "23:59:30 10-08 00:00:00"),
        ("23:59:00", "23:59:00", "23:59:00 10-08 00:00:00"),
    ],
)
def test_rule_4_the_last_minute_means_midnight(opens: str, closes: str, expected: str) -> None:
    assert opened([(MON, opens, closes)], "UTC", WEEK) == [f"10-07 {expected}"]


@pytest.mark.parametrize(
    ("opens", "closes", "expected"),
    [
        ("22:00", "02:00", "22:00:00 10-08 02:00:00"),
        ("22:00", "21:59:59", "22:00:00 10-08 21:59:59"),
        ("10:00", "10:00", "10:00:00 10-08 10:00:00"),
        ("00:00", "00:00", "00:00:00 10-08 00:00:00"),
    ],
)
def test_rule_5_overnight_and_equal_times(opens: str, closes: str, expected: str) -> None:
    assert opened([(MON, opens, closes)], "UTC", WEEK) == [f"10-07 {expected}"]


def test_rule_5_opening_at_the_end_of_the_day() -> None:
    assert opened([(MON, "24:00", "02:00")], "UTC", WEEK) == ["10-08 00:00:00 10-08 02:00:00"]
    # Equal times mean 24 hours: the ones after the end of Monday.
    assert opened([(MON, "24:00", "24:00")], "UTC", WEEK) == ["10-08 00:00:00 10-09 00:00:00"]
    assert opened([(MON, "24:00", "24:00")], "UTC", ("2024-10-08 23:00", "2024-10-10 00:00")) == [
        "10-08 23:00:00 10-09 00:00:00"
    ]


def test_rule_5_the_tail_belongs_to_the_day_of_opening() -> None:
    monday = "2024-10-07 00:00", "2024-10-08 00:00"
    assert opened([(SUN, "22:00", "02:00")], "UTC", monday) == ["10-07 00:00:00 10-07 02:00:00"]
    # It meets Tuesday's own hours, and they count once.
    assert opened([(MON, "22:00", "02:00"), (TUE, "01:00", "03:00")], "UTC", WEEK) == ["10-07 22:00:00 10-08 03:00:00"]
    # Its last instant may lie on the third UTC date.
    assert opened([(MON, "23:00", "23:00")], "Etc/GMT+12", ("2024-10-09 10:00", "2024-10-10 00:00")) == [
        "10-09 10:00:00 10-09 11:00:00"
    ]


def test_rule_6_without_a_zone_in_chicago() -> None:
    assert opened([(MON, "09:00", "17:00")], None, WEEK) == opened([(MON, "09:00", "17:00")], CHICAGO, WEEK)


def test_zones_are_added_to_stores_in_their_order() -> None:
    stores = pl.DataFrame({"store_id": ["d", "a", "c", "b"], "store_key": [1, 3, 2, 4]})
    zones = pl.DataFrame({"store_id": ["a", "b", "z", "d"], "zone": ["UTC", "Asia/Tokyo", "Europe/Rome", "Etc/GMT+12"]})
    located = with_zones(stores, zones)
    assert located.drop("zone").equals(stores)
    assert located["zone"].to_list() == ["Etc/GMT+12", "UTC", CHICAGO, "Asia/Tokyo"]


def test_the_business_clock_is_the_running_sum() -> None:
    hours = [
        *(("b", MON, "09:00", "12:00"), ("b", MON, "11:00", "13:00"), ("b", TUE, "09:00", "10:00")),
        ("closed", SAT, "09:00", "17:00"),
    ]
    starts_at, ends_at = utc("2024-10-07 09:30"), utc("2024-10-08 09:15:00.000001")
    found = with_clock(intervals(["always", "b", "closed"], hours, {"b": "UTC"}, starts_at, ends_at))
    hour = 3_600_000_000
    assert found["store_key"].to_list() == [0, 1, 1, 1]
    assert (found["closes_at"] - found["opens_at"]).to_list() == [23.75 * hour + 1, 2.5 * hour, hour, hour / 4 + 1]
    assert found["clock_us"].to_list() == [0, 0, 2.5 * hour, 3.5 * hour]


def test_the_business_clock_of_stores_whose_sum_does_not_fit_into_64_bits() -> None:
    length = 5_000 * 365 * 86_400_000_000
    edges = {"opens_at": [-length, 1] * 99, "closes_at": [0, length] * 99}
    found = pl.DataFrame({"store_key": [store_key for store_key in range(99) for _ in range(2)]} | edges)
    assert with_clock(found)["clock_us"].to_list() == [0, length] * 99


def test_nobody_is_asked_about() -> None:
    assert intervals([], [("a", MON, "09:00", "12:00")], {"a": "UTC"}, utc(WEEK[0]), utc(WEEK[1])).is_empty()
