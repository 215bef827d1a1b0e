"""Windows as people write them, and the local hours, days, weeks and months that a series cuts them into."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from .service_time import DEFAULT_ZONE, MICROSECOND, Interval, cut_at, instant, micros, resolve

Window = timedelta | Interval | str
"""A length back from as-of; two instants; or as people write it: `30d`, `last-week`, `2024-10-14`, `2024-W41`."""
Unit = Literal["day", "week", "month"]
Every = Literal["hour", "day", "week", "month"]

DAY = timedelta(days=1)
MINUTE, QUARTER = (timedelta(minutes=minutes) // MICROSECOND for minutes in (1, 15))
LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY}
WORDS: dict[str, tuple[Unit, int]] = {
    "today": ("day", 0),
    "yesterday": ("day", 1),
    "this-week": ("week", 0),
    "last-week": ("week", 1),
    "this-month": ("month", 0),
    "last-month": ("month", 1),
}


def first_date(unit: Unit, day: date) -> date:
    """The first date of the day, week or month that a date lies in."""
    if unit == "week":
        return day - day.weekday() * DAY
    return day.replace(day=1) if unit == "month" else day


def next_first_date(unit: Unit, first: date) -> date:
    longer_than_any = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY}[unit]
    return first_date(unit, first + longer_than_any)


def wall(at: datetime, zone: str) -> datetime:
    """What a zone's clocks show."""
    return at.astimezone(ZoneInfo(zone))


def midnight(local_date: date, zone: str) -> datetime:
    """Where a local date begins; read like any wall time, where midnight is skipped or occurs twice."""
    return instant(resolve(local_date, 0, zone))


def calendar(written: str, today: date) -> tuple[Unit, date, int]:
    """The unit, a date inside, and how many units to go back from there."""
    if written in WORDS:
        unit, back = WORDS[written]
        return unit, today, back
    if re.fullmatch(r"\d{4}-W\d\d", written):
        return "week", date.fromisoformat(written), 0
    if re.fullmatch(r"\d{4}-\d\d", written):
        return "month", date.fromisoformat(f"{written}-01"), 0
    return "day", date.fromisoformat(written), 0


def calendar_window(written: str, as_of: datetime, zone: str, back: int) -> Interval:
    unit, inside, further = calendar(written, wall(as_of, zone).date())
    first = first_date(unit, inside)
    for _ in range(further + back):
        first = first_date(unit, first - DAY)
    return midnight(first, zone), midnight(next_first_date(unit, first), zone)


def until(window: Interval, as_of: datetime) -> Interval:
    """A window that reaches past as-of ends at as-of; one that lies after it is empty there."""
    return min(window[0], as_of), min(window[1], as_of)


def window_of(written: Window, as_of: datetime, zone: str | None = None, back: int = 0) -> Interval:
    """What a window is for a store in this zone, as `[starts_at, ends_at)` in UTC; `back` counts windows before it."""
    as_of = as_of.astimezone(UTC)
    if isinstance(written, str) and re.fullmatch(r"\d+[mhd]", written):
        written = int(written[:-1]) * LENGTHS[written[-1]]
    if isinstance(written, str):
        return until(calendar_window(written, as_of, zone or DEFAULT_ZONE, back), as_of)
    if isinstance(written, timedelta):
        written = (as_of - written, as_of)
    starts_at, ends_at = until((written[0].astimezone(UTC), written[1].astimezone(UTC)), as_of)
    length = ends_at - starts_at
    return starts_at - back * length, ends_at - back * length


def previous_window_of(written: Window, as_of: datetime, zone: str | None = None) -> Interval:
    """The calendar's previous day, week or month, whole; else as much time just before."""
    return window_of(written, as_of, zone, back=1)


def first_dates(window: Interval, unit: Unit) -> Iterator[date]:
    """The first date of every day, week or month that may begin inside a window."""
    local_date = window[0].date() - 3 * DAY
    while local_date <= window[1].date() + 3 * DAY:
        if local_date == first_date(unit, local_date):
            yield local_date
        local_date += DAY


def hours(window: Interval, zone: str) -> Iterator[int]:
    """Where the wall clock shows another hour than a minute before, or the UTC offset is another.

    Nowhere has an offset, or a change of one, that isn't whole minutes; not since 1972. Nor is one taken back at once:
    where two quarters show the same, so do the minutes between.
    """

    def shown(at: int) -> tuple[date, int, timedelta | None]:
        there = wall(instant(at), zone)
        return there.date(), there.hour, there.utcoffset()

    def turns(starts: int, ends: int, step: int) -> list[tuple[int, int]]:
        return [(at, after) for at, after in pairwise(range(starts, ends + step, step)) if shown(at) != shown(after)]

    first_quarter = micros(window[0]) // QUARTER * QUARTER
    for quarter in turns(first_quarter, micros(window[1]), QUARTER):
        yield from (minute for _, minute in turns(*quarter, MINUTE))


def parts(window: Interval, every: Every, zone: str | None = None) -> list[Interval]:
    """A window cut where a local hour, day, week (from Monday) or month begins, in order."""
    zone = zone or DEFAULT_ZONE
    if every == "hour":
        cuts = [*hours(window, zone)]
    else:
        cuts = [micros(midnight(day, zone)) for day in first_dates(window, every)]
    return [(instant(starts), instant(ends)) for starts, ends in cut_at((micros(window[0]), micros(window[1])), cuts)]
