"""The local calendar on the UTC line: where the hours, days, weeks and months of a time zone begin."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from typing import Literal

from storemon.calendar.zones import clock_changes
from storemon.stopping import check
from storemon.units.instants import FIRST, LAST, shifted
from storemon.units.zones import zone_info

Unit = Literal["hour", "day", "week", "month"]
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def midnight(day: date, zone: str) -> datetime:
    """Find the instant at which a local date begins, by rule 7; without a midnight, it is the end of the gap."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone_info(zone), fold=0).astimezone(UTC)
    except OverflowError:
        return FIRST if day.year == 1 else LAST


def utc_offset(at: datetime, zone: str) -> timedelta:
    """Tell how far the clocks of a zone are ahead of UTC."""
    # Within a day of its ends a local time might be beyond the calendar. No offset changes there.
    inside = min(max(at, FIRST + _DAY), LAST - _DAY)
    return inside.astimezone(zone_info(zone)).utcoffset() or timedelta()


def wall(at: datetime, zone: str) -> datetime:
    """Tell what the clocks of a zone show, as a time without a zone; no more than the calendar has."""
    return shifted(at, utc_offset(at, zone)).replace(tzinfo=None)


def first_date(day: date, unit: Unit) -> date:
    """Find the first date of the day, the week (from Monday) or the month that a date lies in."""
    if unit == "week":
        return day - day.weekday() * _DAY
    return day.replace(day=1) if unit == "month" else day


def beginning(first: date, unit: Unit, later: int, zone: str) -> datetime:
    """Find where a day, week or month begins: as many ``later`` as that, or earlier, than the one of a first date.

    Outside the calendar it is the first or the last instant there is.
    """
    try:
        if unit == "month":
            months = first.year * 12 + first.month - 1 + later
            return midnight(date(months // 12, months % 12 + 1, 1), zone)
        return midnight(first + later * _DAY * (7 if unit == "week" else 1), zone)
    except (OverflowError, ValueError):
        return FIRST if later < 0 else LAST


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
    check()  # a window may have millions of them
    shown = wall(at, zone)
    if unit == "hour":
        return shown.replace(minute=0, second=0, microsecond=0)
    day = shown.date()
    # A midnight that occurs twice begins its date the first time: clocks then show the evening before once more.
    if day < date.max and midnight(day + _DAY, zone) <= at:
        day += _DAY
    return datetime.combine(first_date(day, unit), datetime.min.time())


def _periods(starts_at: datetime, ends_at: datetime, unit: Unit, zone: str) -> Iterator[datetime]:
    first = first_date(starts_at.date(), unit)
    for later in count(-1):  # there it may be yesterday yet
        begins = beginning(first, unit, later, zone)
        if begins >= ends_at:
            return
        check()
        yield begins


def _hours(starts_at: datetime, ends_at: datetime, zone: str) -> Iterator[datetime]:
    edges = [starts_at, *(change.at for change in clock_changes(zone, starts_at, ends_at)), ends_at]
    for at, change in pairwise(edges):
        yield at
        into_the_hour = (at - FIRST + utc_offset(at, zone)) % _HOUR
        begins = shifted(at, _HOUR - into_the_hour)
        while begins < change:
            check()
            yield begins
            begins = shifted(begins, _HOUR)
