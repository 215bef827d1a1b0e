"""The hours in which somebody may be told, as people write them: ``Mon-Fri 08:00-20:00, Sat 10:00-14:00``.

They are read like the hours of a store: an interval belongs to the local day on which it begins, a closing at or before
the opening is that of the next day, 24:00 and 23:59 mean midnight; and each wall time is read as RFC 5545 §3.3.5 does.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from storemon.errors import InputError
from storemon.units.zones import zone_info, zone_names

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _TIME = r"([a-z]{3})[a-z]*", r"(\d{1,2}):(\d\d)"
_PART = re.compile(rf"(?:{_DAY}(?:\s*-\s*{_DAY})?\s+)?{_TIME}\s*-\s*{_TIME}", re.IGNORECASE | re.ASCII)
_ONE_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_LAST_MINUTE, _MIDNIGHT = 23 * 60 + 59, 24 * 60
_BACK, _AHEAD = 9, 16
"""Days to look at around an instant: a week in which the clocks skip the only interval is followed by another one."""
EXAMPLE = "Mon-Fri 08:00-20:00, Sat 10:00-14:00"


@dataclass(frozen=True)
class Shift:
    """On which weekdays (0 is Monday) it opens and for how long, in minutes of wall time after local midnight."""

    days: frozenset[int]
    opens: int
    closes: int


@dataclass(frozen=True)
class Hours:
    """The hours of a week in a zone."""

    shifts: tuple[Shift, ...]
    zone: str
    text: str = ""
    """As it was written."""

    def __str__(self) -> str:
        return f"{self.text} {self.zone}"

    @classmethod
    def read(cls, text: str, zone: str) -> Self:
        """Read hours as people write them.

        Raises:
            InputError: they can't be understood, or there is no such zone.

        """
        if zone not in zone_names():
            raise InputError(f"there is no time zone {zone!r}; write it like America/Chicago")
        return cls(tuple(_shift(part.strip()) for part in text.split(",")), zone, " ".join(text.split()))

    def next_open(self, at: datetime) -> datetime:
        """Give ``at`` itself if that is within the hours, else when they next begin; aware, in UTC."""
        at = at.astimezone(UTC)
        opens_at, _ = next(stretch for stretch in self._stretches(at) if stretch[1] > at)
        return max(at, opens_at)

    def opened_at(self, at: datetime) -> datetime | None:
        """Tell when the hours began that ``at`` is within, a week before it at the earliest; None if it is without."""
        at = at.astimezone(UTC)
        return next((opens_at for opens_at, closes_at in self._stretches(at) if opens_at <= at < closes_at), None)

    def _stretches(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the stretches around an instant in order, each as long as it can be: those that meet are one."""
        today = at.astimezone(zone_info(self.zone)).date()
        found = sorted(
            (opens_at, closes_at)
            for day in (today + n * _ONE_DAY for n in range(-_BACK, _AHEAD))
            for shift in self.shifts
            if day.weekday() in shift.days
            for opens_at, closes_at in [(self._at(day, shift.opens), self._at(day, shift.closes))]
            if opens_at < closes_at
        )
        return _joined(found)

    def _at(self, day: date, minutes: int) -> datetime:
        """Read a wall time, told in minutes after a day's midnight; a skipped one by the offset before the gap."""
        local = datetime.combine(day, time()) + minutes * _MINUTE
        return local.replace(tzinfo=zone_info(self.zone)).astimezone(UTC)


def _joined(stretches: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    last: tuple[datetime, datetime] | None = None
    for opens_at, closes_at in stretches:
        if last is not None and opens_at <= last[1]:
            last = last[0], max(last[1], closes_at)
            continue
        if last is not None:
            yield last
        last = opens_at, closes_at
    if last is not None:
        yield last


def _shift(part: str) -> Shift:
    found = _PART.fullmatch(part)
    if found is None:
        raise InputError(f"{part!r} is not a part of hours; write them like {EXAMPLE}")
    first, last, *times = found.groups()
    opens, closes = (_minutes(part, int(hour), int(minute)) for hour, minute in (times[:2], times[2:]))
    closes = _MIDNIGHT if closes == _LAST_MINUTE else closes
    if opens == _MIDNIGHT:
        raise InputError(f"{part!r} opens at 24:00; write 00:00 of the next day")
    return Shift(_weekdays(part, first, last), opens, closes if closes > opens else closes + _MIDNIGHT)


def _minutes(part: str, hour: int, minute: int) -> int:
    minutes = 60 * hour + minute
    if minute >= 60 or minutes > _MIDNIGHT:  # noqa: PLR2004 - of an hour
        raise InputError(f"{part!r} has no time of day in {hour:02d}:{minute:02d}; they go from 00:00 to 24:00")
    return minutes


def _weekdays(part: str, first: str | None, last: str | None) -> frozenset[int]:
    """Give the weekdays from one to another, round the end of the week if need be; all if none is named."""
    if first is None:
        return frozenset(range(7))
    places = []
    for name in (first, last or first):
        if name.lower() not in _DAYS:
            raise InputError(f"{part!r} names no weekday in {name!r}; they are Mon, Tue, Wed, Thu, Fri, Sat, Sun")
        places.append(_DAYS.index(name.lower()))
    return frozenset((places[0] + n) % 7 for n in range((places[1] - places[0]) % 7 + 1))
