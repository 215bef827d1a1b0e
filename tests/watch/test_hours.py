from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.errors import InputError
from storemon.units.zones import zone_info
from storemon.watch.hours import EXAMPLE, Hours
from tests.examples import examples

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
minutes = st.integers(0, 24 * 60 - 2)
parts = st.tuples(st.integers(0, 6), st.integers(0, 6), minutes, minutes)


def written(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def text_of(week: list[tuple[int, int, int, int]]) -> str:
    return ", ".join(f"{DAYS[a]}-{DAYS[b]} {written(opens)}-{written(closes)}" for a, b, opens, closes in week)


def open_minutes(week: list[tuple[int, int, int, int]], zone: str, first: datetime, days: int) -> set[datetime]:
    """Every minute in UTC that is open, by looking at each of them."""
    found = set()
    for nth in range(-3, days + 3):
        day = first.date() + timedelta(days=nth)
        for a, b, opens, closes in week:
            if (day.weekday() - a) % 7 > (b - a) % 7:
                continue
            midnight = datetime.combine(day, time())
            lasts = closes if closes > opens else closes + 24 * 60
            at, end = ((midnight + n * MINUTE).replace(tzinfo=zone_info(zone)).astimezone(UTC) for n in (opens, lasts))
            while at < end:
                found.add(at)
                at += MINUTE
    return found


@given(
    week=st.lists(parts, min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    day=st.sampled_from(["2024-03-08", "2024-03-29", "2024-11-01", "2024-10-25", "2024-04-05", "2024-06-12"]),
    at=st.integers(0, 4 * 24 * 60 * 60),
)
@settings(max_examples=examples(200), deadline=None)
def test_it_opens_when_the_clocks_say_so(week: list[tuple[int, int, int, int]], zone: str, day: str, at: int) -> None:
    hours, first = Hours.read(text_of(week), zone), datetime.fromisoformat(f"{day}T00:00Z")
    known, instant = open_minutes(week, zone, first, 14), first + timedelta(seconds=at)
    minute = instant.replace(second=0)
    opens_at = instant
    if minute not in known:
        opens_at = min(each for each in known if each > minute)
    assert hours.next_open(instant) == opens_at
    since = hours.opened_at(instant)
    assert (since is not None) == (minute in known)
    if since is not None and instant - since < timedelta(days=3):
        assert since in known
        assert since - MINUTE not in known
        assert all(since + n * MINUTE in known for n in range((minute - since) // MINUTE))


@pytest.mark.parametrize(
    ("text", "at", "opens_at"),
    [
        (EXAMPLE, "2024-10-14T07:59", "2024-10-14T08:00"),  # a Monday
        (EXAMPLE, "2024-10-18T20:00", "2024-10-19T10:00"),
        (EXAMPLE, "2024-10-19T14:00", "2024-10-21T08:00"),
        ("22:00-06:00", "2024-10-14T05:59:59", "2024-10-14T05:59:59"),
        ("22:00-06:00", "2024-10-14T06:00", "2024-10-14T22:00"),
        ("Fri 22:00-06:00", "2024-10-19T05:00", "2024-10-19T05:00"),
        ("Fri-Mon 09:00-10:00", "2024-10-15T00:00", "2024-10-18T09:00"),
        ("monday - friday 8:00 - 24:00", "2024-10-14T23:59:59", "2024-10-14T23:59:59"),
        ("Sun 02:30-02:45", "2024-03-09T00:00", "2024-03-10T08:30"),  # skipped: 02:30 by the offset before the gap
    ],
)
def test_hours_of_a_week(text: str, at: str, opens_at: str) -> None:
    zone = "America/Chicago" if "02:30" in text else "UTC"
    instants = [datetime.fromisoformat(f"{each}+00:00") for each in (at, opens_at)]
    assert Hours.read(text, zone).next_open(instants[0]) == instants[1]


def test_what_is_always_open_is_one_stretch() -> None:
    at = datetime(2024, 10, 14, 12, tzinfo=UTC)
    since = Hours.read("Mon-Sun 00:00-24:00", "UTC").opened_at(at)
    assert since is not None
    assert at - since > timedelta(days=7)


@pytest.mark.parametrize(
    ("text", "zone", "why"),
    [
        ("Mon-Fri", "UTC", "'Mon-Fri' is not a part of hours; write them like"),
        ("", "UTC", "not a part of hours"),
        ("Mon-Fri 8-20", "UTC", "not a part of hours"),
        ("Mnn-Fri 08:00-20:00", "UTC", "no weekday in 'Mnn'"),
        ("Mon 08:60-20:00", "UTC", "no time of day in 08:60"),
        ("Mon 08:00-24:01", "UTC", "no time of day in 24:01"),
        ("Mon 24:00-08:00", "UTC", "opens at 24:00"),
        ("Mon 08:00-20:00", "America/Chicgo", "no time zone 'America/Chicgo'"),
    ],
)
def test_what_can_not_be_hours(text: str, zone: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Hours.read(text, zone)
