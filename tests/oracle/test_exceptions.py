"""The oracle's special hours and maintenance, pinned to the page by hand.

October 7, 2024 is a Monday. In Chicago the clocks go from 02:00 to 03:00 on Sunday, March 10, 2024 (08:00 UTC).
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .cases import Case, cases
from .exceptional_cases import exceptional_cases, now_of, stores_of, written_windows
from .truth import Figures, Maintenance, Policy, Row, SpecialRow, bounds, figures, figures_between, timeline_between

CHICAGO = "America/Chicago"
HOUR = 3_600_000_000
WEEK = "2024-10-06", "2024-10-13"
MON, TUE, SAT, SUN = 0, 1, 5, 6
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def opened(
    rows: list[tuple[int, str, str]], special_hours: list[SpecialRow], zone: str = "UTC", within: tuple[str, str] = WEEK
) -> list[str]:
    hours = [("a", *row) for row in rows]
    window = utc(within[0]), utc(within[1])
    timeline = timeline_between([], hours, zone, window, special_hours=special_hours)
    return [f"{starts_at:%m-%d %H:%M} {ends_at:%m-%d %H:%M}" for starts_at, ends_at, _ in timeline]


NIGHTS = [(MON, "22:00", "02:00"), (TUE, "22:00", "02:00")]


def test_special_rows_replace_the_weekly_ones_of_their_date_only() -> None:
    assert opened(NIGHTS, [("a", "2024-10-08", "10:00", "11:00")]) == [
        "10-07 22:00 10-08 02:00",  # the tail of Monday is Monday's
        "10-08 10:00 10-08 11:00",
    ]
    assert opened(NIGHTS, [("a", "2024-10-07", "10:00", "11:00")]) == [
        "10-07 10:00 10-07 11:00",  # and Tuesday has no tail before it then
        "10-08 22:00 10-09 02:00",
    ]
    # Several rows, read as weekly ones are: union, overnight, the last minute.
    rows = [("a", "2024-10-08", *times) for times in (("9:00", "10:00"), ("09:30", "12:00"), ("23:00", "23:59"))]
    expected = ["10-07 22:00 10-08 02:00", "10-08 09:00 10-08 12:00", "10-08 23:00 10-09 00:00"]
    assert opened(NIGHTS, rows) == expected
    # A weekday that is closed is opened; its tail reaches into the next, and meets what is there.
    assert opened([(MON, "00:00", "03:00")], [("a", "2024-10-06", "23:00", "01:00")]) == ["10-06 23:00 10-07 03:00"]


def test_both_times_empty_means_closed_that_day() -> None:
    assert opened(NIGHTS, [("a", "2024-10-08", "", "")]) == ["10-07 22:00 10-08 02:00"]
    # A row with times opens it all the same.
    rows = [("a", "2024-10-08", "", ""), ("a", "2024-10-08", "10:00", "11:00")]
    assert opened(NIGHTS, rows) == ["10-07 22:00 10-08 02:00", "10-08 10:00 10-08 11:00"]


def test_own_rows_win_over_those_of_every_store() -> None:
    every, own = ("*", "2024-10-08", "", ""), ("a", "2024-10-08", "10:00", "11:00")
    assert opened(NIGHTS, [every]) == ["10-07 22:00 10-08 02:00"]
    expected = ["10-07 22:00 10-08 02:00", "10-08 10:00 10-08 11:00"]
    assert opened(NIGHTS, [every, own]) == expected == opened(NIGHTS, [own, every])
    assert opened(NIGHTS, [("*", "2024-10-08", "05:00", "06:00"), own]) == expected
    # For that date: another date of every store stays.
    other = ("*", "2024-10-07", "05:00", "06:00")
    assert opened(NIGHTS, [other, own]) == ["10-07 05:00 10-07 06:00", "10-08 10:00 10-08 11:00"]


def test_a_store_open_24_by_7_has_its_dates_replaced_too() -> None:
    assert opened([], [("a", "2024-10-08", "", "")]) == ["10-06 00:00 10-08 00:00", "10-09 00:00 10-13 00:00"]
    assert opened([], [("a", "2024-10-08", "", "")], CHICAGO) == ["10-06 00:00 10-08 05:00", "10-09 05:00 10-13 00:00"]
    assert opened([], [("a", "2024-10-08", "22:00", "02:00")]) == [
        "10-06 00:00 10-08 00:00",
        "10-08 22:00 10-13 00:00",
    ]


def test_special_dates_on_which_the_clocks_change() -> None:
    spring = "2024-03-09", "2024-03-12"
    # A day of 23 hours closed, from 06:00 UTC to 05:00 UTC.
    assert opened([], [("a", "2024-03-10", "", "")], CHICAGO, spring) == [
        "03-09 00:00 03-10 06:00",
        "03-11 05:00 03-12 00:00",
    ]
    # 02:30 is skipped: at UTC-6 it is 08:30 UTC; 03:15 is 08:15 UTC, and a row that comes out reversed is dropped.
    assert opened([(SUN, "1:00", "5:00")], [("a", "2024-03-10", "02:30", "04:00")], CHICAGO, spring) == [
        "03-10 08:30 03-10 09:00"
    ]
    assert opened([(SUN, "1:00", "5:00")], [("a", "2024-03-10", "02:30", "03:15")], CHICAGO, spring) == []
    # The tail of Saturday, until 02:30, is not touched.
    assert opened([(SAT, "22:00", "02:30")], [("a", "2024-03-10", "", "")], CHICAGO, spring) == [
        "03-10 04:00 03-10 08:30"
    ]


def maintained(*rows: tuple[str, str, str], window: tuple[str, str] = WEEK) -> Figures:
    """Of a store that is open on Monday from 10:00 to 20:00, up until 16:00, down until 18:00, then unknown."""
    maintenance = [(store_id, utc(f"2024-10-{starts}"), utc(f"2024-10-{ends}")) for store_id, starts, ends in rows]
    told = [("a", "active", utc("2024-10-07 12:00")), ("a", "inactive", utc("2024-10-07 16:00"))]
    hours = [("a", MON, "10:00", "20:00")]
    between = utc(window[0]), utc(window[1])
    limit = timedelta(hours=2)
    return figures_between(told, hours, "UTC", between, carry_limit=limit, maintenance=maintenance)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Up from 10 to 14 (two hours to each side of the poll), unknown to 16, down to 18, unknown to 20.
        ([], (4, 2, 4, 10, 0)),
        ([("a", "07 13:00", "07 17:00")], (3, 1, 2, 6, 4)),
        # Overlaps count once, and so do rows for every store; some of it may be closed.
        ([("a", "07 13:00", "07 16:00"), ("*", "07 14:00", "07 17:00")], (3, 1, 2, 6, 4)),
        ([("a", "07 13:00", "07 17:00"), ("a", "07 13:00", "07 17:00")], (3, 1, 2, 6, 4)),
        ([("a", "07 01:00", "07 11:00")], (3, 2, 4, 9, 1)),
        # Beside open time, touching it, there is nothing to take out.
        ([("a", "07 01:00", "07 10:00"), ("a", "07 20:00", "08 10:00")], (4, 2, 4, 10, 0)),
        ([("a", "07 11:00", "07 11:00"), ("a", "07 13:00", "07 12:00")], (4, 2, 4, 10, 0)),
        ([("*", "01 00:00", "30 00:00")], (0, 0, 0, 0, 10)),
    ],
)
def test_maintenance_is_taken_out(rows: list[tuple[str, str, str]], expected: tuple[int, ...]) -> None:
    assert maintained(*rows) == Figures(*(hours * HOUR for hours in expected))


def test_maintenance_is_cut_at_the_window_and_at_as_of() -> None:
    row = "a", "07 13:00", "07 17:00"
    found = maintained(row, window=("2024-10-07 12:00", "2024-10-07 14:00"))
    assert found == Figures(HOUR, 0, 0, HOUR, HOUR)
    maintenance = [("a", utc("2024-10-07 13:00"), utc("2024-10-07 17:00"))]
    told = [("a", "active", utc("2024-10-07 12:00"))]
    between, as_of = (utc("2024-10-07 12:00"), utc("2024-10-08")), utc("2024-10-07 15:00")
    found = figures_between(told, [], "UTC", between, as_of, maintenance=maintenance)
    assert found == Figures(HOUR, 0, 0, HOUR, 2 * HOUR)


def test_a_report_gives_each_store_its_own_exceptions_and_those_of_every_store() -> None:
    as_of = utc("2024-10-08")
    told = [(store_id, "active", as_of - timedelta(hours=12)) for store_id in ("a", "b")]
    maintenance = [
        ("a", as_of - timedelta(hours=3), as_of),
        ("*", as_of - timedelta(hours=4), as_of - timedelta(hours=2)),
    ]
    special_hours = [("b", "2024-10-07", "00:00", "23:00"), ("*", "2024-10-07", "00:00", "21:00")]
    zones = {"a": "UTC", "b": "UTC"}
    report = figures(told, [], zones, as_of, special_hours=special_hours, maintenance=maintenance)
    # Store a is open until 21:00, and its last hour is excluded; b until 23:00, excluded from 20:00 to 22:00.
    assert report["a"]["last_day"] == Figures(20 * HOUR, 0, 0, 20 * HOUR, HOUR)
    assert report["b"]["last_day"] == Figures(21 * HOUR, 0, 0, 21 * HOUR, 2 * HOUR)


@settings(max_examples=examples(60), deadline=None)
@given(st.data(), POLICIES)
def test_figures_add_up_to_the_schedule_before_exclusion(data: st.DataObject, policy: Policy) -> None:
    case = data.draw(exceptional_cases())
    windows = data.draw(written_windows(case, max_size=2))
    proved = bounds(**vars(case), windows=windows)
    without = figures(**vars(replace(case, maintenance=[])), policy=policy, windows=windows)
    for store_id, by_window in figures(**vars(case), policy=policy, windows=windows).items():
        for name, (uptime, downtime, unknown, service, excluded) in by_window.items():
            assert uptime + downtime + unknown == service
            assert service + excluded == without[store_id][name].service_us
            lowest, highest = proved[store_id][name]
            assert 0 <= lowest <= uptime <= highest <= service


@settings(max_examples=examples(30), deadline=None)
@given(cases(), POLICIES)
def test_maintenance_over_all_time_leaves_only_excluded(case: Case, policy: Policy) -> None:
    always = [("*", utc("1990-01-01"), utc("2100-01-01"))]
    before = figures(**vars(case), policy=policy)
    after = figures(**vars(replace(case, maintenance=always)), policy=policy)
    assert after == {
        store_id: {name: Figures(0, 0, 0, 0, one.service_us) for name, one in by_window.items()}
        for store_id, by_window in before.items()
    }


def repeated(case: Case, store_id: str, day: date) -> list[SpecialRow]:
    hours = [row for row in case.hours if row[0] == store_id]
    of_day: list[Row] = [row for row in hours if row[1] == day.weekday()]
    times = [row[2:] for row in of_day] or [("", "")] if hours else [("00:00", "24:00")]
    return [(store_id, f"{day}", *pair) for pair in times]


@settings(max_examples=examples(40), deadline=None)
@given(cases(max_stores=2), st.data())
def test_special_hours_that_repeat_the_weekly_ones_change_nothing(case: Case, data: st.DataObject) -> None:
    today = now_of(case).date()
    days = [today - timedelta(days=n) for n in range(-2, 10)]
    chosen = data.draw(st.just(days) | st.lists(st.sampled_from(days), unique=True))
    rows = [row for store_id in stores_of(case) for day in chosen for row in repeated(case, store_id, day)]
    assert figures(**vars(replace(case, special_hours=rows))) == figures(**vars(case))


SPANS = st.tuples(st.integers(0, 10080), st.integers(1, 3000))


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1438), st.integers(1, 1438)), max_size=3), st.lists(SPANS))
def test_in_utc_every_minute_is_told_by_the_rows(
    rows: list[tuple[int, int, int]], spans: list[tuple[int, int]]
) -> None:
    """Another way to the same: mark the minutes of one week in which only special dates are open."""
    monday, minute = utc("2024-10-07"), timedelta(minutes=1)
    marked: set[int] = set()
    special_hours: list[SpecialRow] = []
    for day, opens, closes in rows:
        length = (closes - opens - 1) % 1440 + 1
        marked.update(range(day * 1440 + opens, min(day * 1440 + opens + length, 10080)))
        times = [f"{at // 60:02d}:{at % 60:02d}" for at in (opens, closes)]
        special_hours.append(("a", f"{monday + timedelta(days=day):%Y-%m-%d}", times[0], times[1]))
    taken = {at for starts, length in spans for at in range(starts, starts + length)}
    maintenance: list[Maintenance] = [
        ("*", monday + starts * minute, monday + (starts + length) * minute) for starts, length in spans
    ]
    never = [("a", day, "12:00", "12:01") for day in range(7)]
    closed = [("*", f"{monday + timedelta(days=day):%Y-%m-%d}", "", "") for day in range(-4, 11)]
    found = figures_between(
        *([], never, "UTC", (monday, monday + timedelta(days=7))),
        special_hours=special_hours + closed,
        maintenance=maintenance,
    )
    assert found[3:] == (len(marked - taken) * HOUR // 60, len(marked & taken) * HOUR // 60)
