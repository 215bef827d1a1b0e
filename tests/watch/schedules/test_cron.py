"""Ticks against a brute force: every minute of the local clocks, looked at one by one."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.errors import InputError
from storemon.watch.schedules.cron import Cron

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Each with a change of its clocks near the date: by an hour, by half of one, over midnight, by a day.
CHANGES = {
    "America/New_York": [date(2024, 3, 10), date(2024, 11, 3)],
    "Europe/Paris": [date(2023, 3, 26), date(2023, 10, 29)],
    "Australia/Lord_Howe": [date(2024, 4, 7), date(2024, 10, 6)],
    "America/Sao_Paulo": [date(2018, 2, 17), date(2018, 11, 4)],
    "Africa/Casablanca": [date(2024, 3, 10), date(2024, 4, 14)],
    "Pacific/Apia": [date(2011, 12, 30)],
    "Asia/Kathmandu": [date(2024, 1, 1)],
    "UTC": [date(2024, 2, 29)],
}
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def field(least: int, most: int) -> st.SearchStrategy[str]:
    one = st.integers(least, most)
    step = st.integers(1, max(2, most // 2)).map(lambda n: f"*/{n}")
    several = st.lists(one, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))
    between = st.tuples(one, one).map(lambda ends: f"{min(ends)}-{max(ends)}")
    return st.one_of(st.just("*"), step, several, between)


def numbers(written: str, least: int, most: int) -> set[int]:
    """What a field names, read as simply as can be."""
    found: set[int] = set()
    for part in written.split(","):
        of, _, step = part.partition("/")
        first, _, last = of.partition("-")
        ends = (least, most) if of == "*" else (int(first), int(last or first))
        found |= set(range(ends[0], ends[1] + 1, int(step or 1)))
    return found


def meeting(expression: str) -> Callable[[datetime], bool]:
    """Tell of a local time whether the expression names it."""
    written = expression.split()
    limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    minutes, hours, days, months, weekdays = (
        numbers(text, *within) for text, within in zip(written, limits, strict=True)
    )
    together = written[2].startswith("*") or written[4].startswith("*")

    def meets(local: datetime) -> bool:
        if local.minute not in minutes or local.hour not in hours or local.month not in months:
            return False
        on_day, on_weekday = local.day in days, local.isoweekday() % 7 in {each % 7 for each in weekdays}
        return on_day and on_weekday if together else on_day or on_weekday

    return meets


def brute_force(expression: str, zone: str, first: datetime, last: datetime) -> list[datetime]:
    """Every local minute that is named, at the first instant that shows it or a later time: the end of the gap."""
    shown = [
        (at, at.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
        for at in (first + n * MINUTE for n in range((last - first) // MINUTE + 1))
    ]
    meets, ticks = meeting(expression), set()
    reached = shown[0][1]
    for (_, _), (at, local) in pairwise(shown):
        while reached < local:  # each local minute once, in order; of those that are skipped all are reached at once
            reached += MINUTE
            if meets(reached):
                ticks.add(at)
    return sorted(ticks)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, datetime]:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    day = draw(st.sampled_from(CHANGES[zone]))
    hour = st.one_of(field(0, 23), st.sampled_from(["0", "1", "2", "3", "1-3"]))
    expression = " ".join(draw(each) for each in (field(0, 59), hour, field(1, 31), st.just("*"), field(0, 6)))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * DAY + draw(st.integers(0, 1440)) * MINUTE
    return expression, zone, start


@settings(deadline=None)
@given(cases(), st.lists(st.integers(0, 5 * 24 * 60 * 2), min_size=5, max_size=20))
def test_ticks_are_those_of_a_brute_force(case: tuple[str, str, datetime], halves: list[int]) -> None:
    expression, zone, start = case
    until, cron = start + 5 * DAY, Cron(expression, zone)
    wanted = [tick for tick in brute_force(expression, zone, start - DAY, until) if tick > start]
    found, at = [], start
    while (at := cron.after(at)) <= until:
        found.append(at)
    assert found == wanted
    for moment in [start, until, *wanted[:3], *wanted[-3:], *(start + half * MINUTE / 2 for half in halves)]:
        newest = wanted[: bisect_right(wanted, moment)]
        assert cron.last(moment, start) == (newest[-1] if newest else start)


def told(expression: str, zone: str, since: str, count: int) -> Sequence[str]:
    cron, at, found = Cron(expression, zone), datetime.fromisoformat(since), []
    for _ in range(count):
        at = cron.after(at)
        found.append(f"{at:%m-%dT%H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "since", "ticks"),
    [
        ("30 2 * * *", "America/New_York", "2024-03-09T12:00Z", ["03-10T07:00", "03-11T06:30"]),  # at 3:00
        ("0,30 2 * * *", "America/New_York", "2024-03-09T12:00Z", ["03-10T07:00", "03-11T06:00"]),
        ("30 1 * * *", "America/New_York", "2024-11-02T12:00Z", ["11-03T05:30", "11-04T06:30"]),
        ("30 * * * *", "America/New_York", "2024-11-03T04:59Z", ["11-03T05:30", "11-03T07:30"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00Z", ["11-04T03:00", "11-05T02:00"]),  # no midnight
        ("0 7 30 12 *", "Pacific/Apia", "2011-12-01T00:00Z", ["12-30T10:00", "12-29T17:00"]),  # no such day
        ("0 7 29 2 *", "UTC", "2024-03-01T00:00Z", ["02-29T07:00"]),
        ("0 7 L * *", "UTC", "2024-02-01T00:00Z", ["02-29T07:00", "03-31T07:00"]),
        ("0 7 * * mon", "America/Chicago", "2024-10-13T00:00Z", ["10-14T12:00", "10-21T12:00"]),
    ],
)
def test_ticks_worked_by_hand(expression: str, zone: str, since: str, ticks: list[str]) -> None:
    assert told(expression, zone, since, len(ticks)) == ticks


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 30 2 *", "no month that it names has a day 30"),
        ("0 0 31 4,6,9,11 *", "no month that it names has a day 31"),
        ("0 0 1 2 MON#5/2", "day of the week|step"),
        ("0 7 * * MOM", "did you mean MON"),
        ("0 7 * JAM *", "did you mean JAN"),
        ("0 25 * * *", "no hour '25'; write 0 to 23"),
        ("60 7 * * *", "no minute '60'"),
        ("0 7 * * 8", "no day of the week '8'"),
        ("0 7 * *", "five fields"),
        ("0 0 7 * * MON", "five fields"),
        ("@weekly", "five fields"),
        ("", "five fields"),
        (f"{','.join(['0'] * 200)} * * * *", "five fields"),
    ],
)
def test_what_is_no_expression_is_told(expression: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Cron(expression, "UTC")


def test_a_zone_that_there_is_not_is_told() -> None:
    with pytest.raises(InputError, match="did you mean America/Chicago"):
        Cron("0 7 * * *", "America/Chicgo")


@given(st.text(max_size=30) | st.text("0123456789*,-/#LW MONFEB", max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        cron = Cron(text, "Europe/London")
    except InputError:
        return
    first = cron.after(datetime(2024, 1, 1, tzinfo=UTC))
    assert cron.last(first, datetime(2023, 1, 1, tzinfo=UTC)) == first
    assert cron.explain()
