"""The local calendar on the UTC line: where the hours, days, weeks and months of a time zone begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from storemon.engine.instants import FIRST, LAST
from storemon.engine.zones import clock_changes

Unit = Literal["hour", "day", "week", "month"]
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def midnight(day: date, zone: str) -> datetime:
    """Find the instant at which a local date begins, by rule 7: one whose midnight is skipped, at the end of the gap."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year == 1 else LAST


def first_date(day: date, unit: Unit) -> date:
    """Find the first date of the day, the week (from Monday) or the month that a date lies in."""
    if unit == "week":
        return date.fromordinal(max(day.toordinal() - day.weekday(), 1))
    return day.replace(day=1) if unit == "month" else day


def moved(first: date, unit: Unit, count: int) -> date:
    """Go ``count`` days, weeks or months on from the first date of one, stopping at the ends of the calendar."""
    try:
        if unit == "month":
            months = first.year * 12 + first.month - 1 + count
            return date(months // 12, months % 12 + 1, 1)
        return first + count * _DAY * (7 if unit == "week" else 1)
    except (OverflowError, ValueError):
        return date.max if count > 0 else date.min


def cuts(starts_at: datetime, ends_at: datetime, unit: Unit, zone: str) -> list[datetime]:
    """List the instants after ``starts_at`` and before ``ends_at`` at which a local hour, day, week or month begins.

    A local hour ends where the wall clock shows another one, or where the clock changes.
    """
    begins = _hours(starts_at, ends_at, zone) if unit == "hour" else _periods(starts_at, ends_at, unit, zone)
    return [begin for begin in sorted({*begins}) if starts_at < begin < ends_at]


def bucket(at: datetime, unit: Unit, zone: str) -> datetime:
    """Tell where on the wall, as a time without a zone, the local hour, day, week or month begins that holds ``at``.

    The two hours that the clocks show alike when they go back have one bucket.
    """
    shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    if unit == "hour":
        return shown.replace(minute=0, second=0, microsecond=0)
    day = shown.date()
    # A midnight that occurs twice begins its date the first time: clocks then show the evening before once more.
    if midnight(tomorrow := moved(day, "day", 1), zone) <= at:
        day = tomorrow
    return datetime.combine(first_date(day, unit), datetime.min.time())


def _periods(starts_at: datetime, ends_at: datetime, unit: Unit, zone: str) -> Iterator[datetime]:
    first = first_date(moved(starts_at.date(), "day", -1), unit)
    while first < date.max and (begins := midnight(first, zone)) < ends_at:
        yield begins
        first = moved(first, unit, 1)


def _hours(starts_at: datetime, ends_at: datetime, zone: str) -> Iterator[datetime]:
    edges = [starts_at, *(change.at for change in clock_changes(zone, starts_at, ends_at)), ends_at]
    for at, change in pairwise(edges):
        yield at
        offset = at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
        into_the_hour = (at + offset - FIRST) % _HOUR
        begins = at + _HOUR - into_the_hour
        while begins < change:
            yield begins
            begins += _HOUR
