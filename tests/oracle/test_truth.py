"""The oracle's report, pinned to the page by hand, and what must hold of every report."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .cases import Case, cases
from .truth import Figures, Policy, bounds, figures, figures_between, newest, report_csv

HOUR = 3_600_000_000
AS_OF = datetime(2024, 10, 8, 2, tzinfo=UTC)  # a Tuesday; in Chicago 21:00 on Monday
SEVEN = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,downtime_last_hour,downtime_last_day,downtime_last_week"
)
POLICIES = st.sampled_from(("carry", "nearest"))


def ago(**length: float) -> datetime:
    return AS_OF - timedelta(**length)


def test_as_of_defaults_to_the_newest_poll_of_all_stores() -> None:
    told = [("a", "active", ago(hours=3)), ("b", "inactive", AS_OF)]
    # Store a was polled three hours before: its whole last hour is carried. Store b reaches back.
    report = figures(told, [], {})
    assert report["a"]["last_hour"] == Figures(HOUR, 0, 0, HOUR)
    assert report["b"]["last_week"] == Figures(0, 168 * HOUR, 0, 168 * HOUR)
    assert figures([], [], {}) == {}


def test_stores_with_a_poll_at_or_before_as_of_in_order() -> None:
    after = AS_OF + timedelta(microseconds=1)
    told = [(store_id, "active", AS_OF) for store_id in ("b", "a", "10", "9", "\U0001f355", "\uffee", "B")]
    told.append(("after", "active", after))
    expected = ["10", "9", "B", "a", "b", "\uffee", "\U0001f355"]
    assert list(figures(told, [("hours only", 0, "09:00", "17:00")], {"zone only": "UTC"}, AS_OF)) == expected
    assert list(figures([("a", "active", AS_OF)], [], {}, ago(seconds=1))) == []


def test_figures_of_a_week() -> None:
    # Chicago (no zone given), 09:00 to 17:00 on Mondays and Tuesdays: 14:00 to 22:00 UTC. The last week holds Tuesday
    # the 1st and Monday the 7th: 16 hours; the last day Monday: 8; the last hour none.
    # Polls: the 1st at 12:00 UTC up, the 7th at 16:00 down, at 19:00 up. With a limit of two days: Tuesday all up;
    # Monday 14:00 to 16:00 unknown, 16:00 to 19:00 down, 19:00 to 22:00 up.
    told = [
        ("a", "active", datetime(2024, 10, 1, 12, tzinfo=UTC)),
        ("a", "inactive", datetime(2024, 10, 7, 16, tzinfo=UTC)),
        ("a", "active", datetime(2024, 10, 7, 19, tzinfo=UTC)),
    ]
    hours = [("a", 0, "09:00", "17:00"), ("a", 1, "09:00", "17:00")]
    report = figures(told, hours, {}, AS_OF, timedelta(days=2))["a"]
    assert report["last_hour"] == Figures(0, 0, 0, 0)
    assert report["last_day"] == Figures(3 * HOUR, 3 * HOUR, 2 * HOUR, 8 * HOUR)
    assert report["last_week"] == Figures(11 * HOUR, 3 * HOUR, 2 * HOUR, 16 * HOUR)
    assert (
        report_csv(told, hours, {}, AS_OF, timedelta(days=2)) == f"{SEVEN}\na,0.00,3.00,11.00,0.00,3.00,3.00\n".encode()
    )
    # In UTC+3 the same hours are 06:00 to 14:00 UTC: Tuesday the 1st up from 06:00 (the first poll reaches back), and
    # on Monday nothing is known before 16:00.
    report = figures(told, hours, {"a": "Etc/GMT-3"}, AS_OF, timedelta(days=2))["a"]
    assert report["last_week"] == Figures(8 * HOUR, 0, 8 * HOUR, 16 * HOUR)


@pytest.mark.parametrize(("year_month_day", "length"), [((2024, 11, 4), 25), ((2024, 3, 11), 23)])
def test_a_day_is_as_long_as_it_is(year_month_day: tuple[int, int, int], length: int) -> None:
    # Sunday in Chicago, from 24 hours by equal times; as-of is late on Monday, so a week holds all of the Sunday.
    as_of = datetime(*year_month_day, 23, tzinfo=UTC)
    report = figures([("a", "active", as_of)], [("a", 6, "00:00", "00:00")], {"a": "America/Chicago"}, as_of)
    assert report["a"]["last_week"] == Figures(length * HOUR, 0, 0, length * HOUR)


def test_report_is_printed_in_minutes_and_hours() -> None:
    told = [("a", "active", AS_OF), ("b,c", "inactive", ago(minutes=30)), ("b,c", "active", ago(minutes=15))]
    assert report_csv(told, [], {}, AS_OF, timedelta(hours=1)).decode().split("\n") == [
        SEVEN,
        # Only the hour before the one poll is known, and it is up.
        "a,60.00,1.00,1.00,0.00,0.00,0.00",
        # Down for 15 minutes and for the hour before the first poll; up for 15 minutes.
        '"b,c",15.00,0.25,0.25,45.00,1.25,1.25',
        "",
    ]
    wide = report_csv(told[:1], [], {}, AS_OF, timedelta(hours=1), wide=True).decode()
    header = f"{SEVEN},unknown_last_hour,unknown_last_day,unknown_last_week"
    assert wide == f"{header}\na,60.00,1.00,1.00,0.00,0.00,0.00,0.00,23.00,167.00\n"
    assert report_csv([], [], {}) == f"{SEVEN}\n".encode()


@pytest.mark.parametrize(
    ("downtime_us", "minutes", "hours"),
    [
        (300_000, "0.01", "0.00"),  # 0.005 minutes
        (299_999, "0.00", "0.00"),
        (18_000_000, "0.30", "0.01"),  # 0.005 hours
        (17_999_999, "0.30", "0.00"),  # 0.29999998 minutes
        (54_000_000, "0.90", "0.02"),  # 0.015 hours: up, not to the even digit
        (90_000_000, "1.50", "0.03"),  # 0.025 hours
        (60_300_000, "1.01", "0.02"),  # 1.005 minutes, which no binary fraction equals
    ],
)
def test_rounding_is_half_up_from_the_exact_value(downtime_us: int, minutes: str, hours: str) -> None:
    told = [("a", "inactive", AS_OF - timedelta(microseconds=downtime_us)), ("a", "active", ago(hours=200))]
    line = report_csv(told, [], {}, AS_OF, timedelta(days=9)).decode().split("\n")[1]
    assert line.split(",")[4:] == [minutes, hours, hours]


@given(cases(), POLICIES)
def test_figures_add_up_and_lie_within_their_bounds(case: Case, policy: Policy) -> None:
    proved = bounds(**vars(case))
    for store_id, by_window in figures(**vars(case), policy=policy).items():
        for name, (uptime, downtime, unknown, service, excluded) in by_window.items():
            assert uptime + downtime + unknown == service
            assert min(uptime, downtime, unknown) >= excluded == 0
            lowest, highest = proved[store_id][name]
            assert 0 <= lowest <= uptime <= highest <= service


@given(cases(max_stores=1), POLICIES, st.integers(1, 168 * HOUR - 1))
def test_parts_of_a_window_add_up(case: Case, policy: Policy, length: int) -> None:
    as_of = case.as_of or newest(case.polls)
    if as_of is None:
        return
    starts_at, cut = as_of - timedelta(days=7), as_of - timedelta(microseconds=length)
    zone = next(iter(case.zones.values()), None)
    whole, head, tail = (
        figures_between(case.polls, case.hours, zone, window, as_of, carry_limit=case.carry_limit, policy=policy)
        for window in ((starts_at, as_of), (starts_at, cut), (cut, as_of))
    )
    assert whole == Figures(*(one + other for one, other in zip(head, tail, strict=True)))


@given(cases(), POLICIES, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(case: Case, policy: Policy, random: Random) -> None:
    given_as_is = report_csv(**vars(case), policy=policy, wide=True)
    polls, hours = case.polls * 2, case.hours * 2
    random.shuffle(polls)
    random.shuffle(hours)
    assert report_csv(polls, hours, case.zones, case.as_of, case.carry_limit, policy=policy, wide=True) == given_as_is


@given(cases(), POLICIES)
def test_polls_after_as_of_change_nothing(case: Case, policy: Policy) -> None:
    as_of = case.as_of or datetime(2024, 11, 3, 7, tzinfo=UTC)
    heard = [poll for poll in case.polls if poll[2] <= as_of]
    found, expected = (
        figures(polls, case.hours, case.zones, as_of, case.carry_limit, policy=policy) for polls in (case.polls, heard)
    )
    assert found == expected
