"""When a schedule is due: a cron expression by the clocks of a zone, on the UTC line.

Each local time that the expression names is one tick: at the first of two instants that show it, and at the end of the
gap if the clocks skip it. Several that are skipped by one gap are one tick. The fields are those of Debian's cron, as
cronsim reads them: where the day of the month or that of the week begins with ``*``, a date must match both, else one.
"""

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from cronsim import CronSim, CronSimError

from storemon.calendar.periods import wall
from storemon.calendar.zones import clock_changes
from storemon.engine.question import require_one_of
from storemon.errors import InputError
from storemon.units.instants import EPOCH, LAST
from storemon.units.zones import zone_info, zone_names

FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "day of the week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_CALLED = {"day-of-month": "day of the month", "day-of-week": "day of the week"}
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_LONGEST = 200  # characters: more than any that a person writes


class Cron:
    """The ticks of an expression of five fields in a zone."""

    def __init__(self, text: str, zone: str) -> None:
        """Read an expression like ``0 7 * * MON``, and take the IANA name of a zone.

        Raises:
            InputError: there is no such zone, a field cannot be read, or no date there is meets it.

        """
        require_one_of(zone, sorted(zone_names()), "time zone")
        self.text, self.zone = " ".join(text.split()), zone
        parts = self.text.split(" ")
        if len(text) > _LONGEST or len(parts) != len(FIELDS):
            raise InputError(
                f"the cron expression {text[:_LONGEST]!r} must have five fields, minute, hour, day of the month, month "
                "and day of the week, like '0 7 * * MON' for each Monday at seven"
            )
        try:
            next(CronSim(self.text, EPOCH.replace(tzinfo=None)))
        except CronSimError as error:
            raise InputError(_told(self.text, parts, str(error))) from error
        except (AssertionError, TypeError) as error:  # a step of what has none, as in MON#1/2
            raise InputError(
                f"the cron expression {text!r} has a step where there can be none; leave it out"
            ) from error
        except StopIteration:
            raise InputError(f"the cron expression {text!r} names a date that never comes") from None

    def after(self, at: datetime) -> datetime:
        """Find the first tick after an instant, both in UTC.

        Raises:
            InputError: there is none any more before the calendar ends.

        """
        try:
            for local in CronSim(self.text, wall(at, self.zone)):
                tick = self._instant(local)
                if tick > at:  # what the clocks show a second time has had its tick
                    return tick
        except OverflowError:
            pass
        raise InputError(f"the cron expression {self.text!r} has no tick after {at}")

    def last(self, at: datetime, since: datetime) -> datetime:
        """Find the newest tick at an instant or before, ``since`` if there is none after that."""
        shown = wall(at, self.zone)
        for change in clock_changes(self.zone, at - _DAY, min(at + _SECOND, LAST)):
            shown = max(shown, wall(change.at - _SECOND, self.zone))  # before they went back the clocks showed more
        for local in CronSim(self.text, shown + _SECOND, reverse=True):
            tick = self._instant(local)
            if tick <= since:
                break
            if tick <= at:
                return tick
        return since

    def explain(self) -> str:
        """Say it in words: ``At 07:00 on Monday``."""
        return CronSim(self.text, EPOCH.replace(tzinfo=None)).explain()

    def _instant(self, local: datetime) -> datetime:
        """Find when the clocks show a time the first time, or when they skip it."""
        zone = zone_info(self.zone)
        earlier = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if earlier.astimezone(zone).replace(tzinfo=None) == local:
            return earlier
        # In a gap, by the offset before it a time lies after its end, and by the one after it before its beginning.
        later = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        (change,) = clock_changes(self.zone, later - _SECOND, earlier + _SECOND)
        return change.at


def _told(text: str, parts: list[str], said: str) -> str:
    """Say which field cannot be read, and what may have been meant."""
    called = said.removeprefix("Bad ")
    name = _CALLED.get(called, called)
    field = parts[FIELDS.index(name)] if name in FIELDS else text
    words = re.findall(r"[A-Z]{2,}", field.upper())
    known = _NAMES.get(name, [])
    near = [match for word in words if word not in known for match in get_close_matches(word, known, 1, 0.5)]
    ranges = {"minute": "0 to 59", "hour": "0 to 23", "day of the month": "1 to 31, or L for the last"}
    can = ranges.get(name) or f"{'1 to 12' if name == 'month' else '0 to 7'}, or {', '.join(known)}"
    meant = f"did you mean {near[0]}?" if near else f"write {can}, with * , - and / between"
    if name == "day of the month" and field.isdigit() and field != "0" and len(field) < 3:  # noqa: PLR2004
        meant = f"no month that it names has a day {field}"
    return f"the cron expression {text!r} has no {name} {field!r}; {meant}"
