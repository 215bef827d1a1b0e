"""Windows: the stretches of time that figures are asked for, as people write them.

Rolling ones reach back from as-of (``30d``); absolute ones lie between two instants; calendar ones are the local days,
weeks and months of each store, so that their ends differ by time zone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import Protocol

import polars as pl

from storemon.calendar.periods import Unit, beginning, bucket, cuts, first_date, wall
from storemon.errors import InputError
from storemon.units.durations import is_duration, parse_duration
from storemon.units.instants import EVER, microseconds, parse_instant, shifted

_DAY = timedelta(days=1)


class Span(Protocol):
    """A stretch of time, which may depend on as-of and on the time zone."""

    def bounds(self, as_of: datetime, zone: str, back: int) -> tuple[datetime, datetime]:
        """Find its first instant and the first one after it, ``back`` such stretches earlier; neither after as-of."""

    def is_short(self) -> bool:
        """Tell whether it is shorter than a day."""


@dataclass(frozen=True)
class Rolling:
    """A length back from as-of."""

    length: timedelta

    def bounds(self, as_of: datetime, zone: str, back: int) -> tuple[datetime, datetime]:  # noqa: ARG002
        """Give ``[as_of - length, as_of)``, the same in every zone."""
        ends_at = _back(as_of, self.length, back)
        return _back(ends_at, self.length), ends_at

    def is_short(self) -> bool:
        """Tell by the length."""
        return self.length < _DAY


@dataclass(frozen=True)
class Absolute:
    """From one instant to another, both aware; None is as-of."""

    starts_at: datetime
    ends_at: datetime | None = None

    def bounds(self, as_of: datetime, zone: str, back: int) -> tuple[datetime, datetime]:  # noqa: ARG002
        """Give the two instants, the same in every zone; the one before is as long as what lies before as-of."""
        # In UTC: two times of one zone are told apart by what its clocks show, which is not how long it takes.
        starts_at, ends_at = (min(edge.astimezone(UTC), as_of) for edge in (self.starts_at, self.ends_at or as_of))
        length = ends_at - starts_at
        return _back(starts_at, length, back), _back(ends_at, length, back)

    def is_short(self) -> bool:
        """Tell by the two instants."""
        return self.ends_at is not None and self.ends_at.astimezone(UTC) - self.starts_at.astimezone(UTC) < _DAY


@dataclass(frozen=True)
class Calendar:
    """A local day, week or month: the one with the date ``day``, or else ``offset`` from the one with as-of."""

    unit: Unit
    offset: int = 0
    day: date | None = None

    def bounds(self, as_of: datetime, zone: str, back: int) -> tuple[datetime, datetime]:
        """Go from local midnight to local midnight."""
        first, later = first_date(self.day or wall(as_of, zone).date(), self.unit), self.offset - back
        starts_at, ends_at = (beginning(first, self.unit, each, zone) for each in (later, later + 1))
        return min(starts_at, as_of), min(ends_at, as_of)

    def is_short(self) -> bool:
        """Tell of a day with 23 hours that it is a day."""
        return False


@dataclass(frozen=True)
class Window:
    """A span with the name that its figures go by, or the one ``back`` such spans before it."""

    name: str
    span: Span
    back: int = 0


LAST_HOUR = Window("last_hour", Rolling(timedelta(hours=1)))
LAST_DAY = Window("last_day", Rolling(timedelta(hours=24)))
LAST_WEEK = Window("last_week", Rolling(timedelta(hours=168)))
DEFAULT_WINDOWS = (LAST_HOUR, LAST_DAY, LAST_WEEK)

_NAMED: dict[str, Span] = {window.name: window.span for window in DEFAULT_WINDOWS} | {
    "today": Calendar("day"),
    "yesterday": Calendar("day", -1),
    "this-week": Calendar("week"),
    "last-week": Calendar("week", -1),
    "this-month": Calendar("month"),
    "last-month": Calendar("month", -1),
}


def parse_window(text: str) -> Window:
    """Read a window: ``30d``, ``yesterday``, ``2024-10-14``, ``2024-W41``, ``2024-10``, each also as ``name=…``.

    Raises:
        InputError: it is none of these; the text says what may have been meant.

    """
    name, named, written = (part.strip() for part in text.rpartition("="))
    if named and not name:
        raise InputError(f"{text!r} gives a window an empty name; write it like last_month=30d")
    span = _span(written)
    is_rolling = isinstance(span, Rolling) and written not in _NAMED
    return Window(name or (f"last_{written}" if is_rolling else written), span)


def _span(written: str) -> Span:
    if written in _NAMED:
        return _NAMED[written]
    try:
        if re.fullmatch(r"\d{4}-W\d\d", written):
            return Calendar("week", day=date.fromisoformat(f"{written}-1"))
        if re.fullmatch(r"\d{4}-\d\d", written):
            return Calendar("month", day=date.fromisoformat(f"{written}-01"))
        if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
            return Calendar("day", day=date.fromisoformat(written))
    except ValueError:
        raise InputError(f"there is no {written} in the calendar") from None
    if is_duration(written):
        return Rolling(parse_duration(written))
    near = get_close_matches(written.lower(), _NAMED, n=2, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? Write" if near else "write"
    raise InputError(
        f"{written!r} is not a window; {meant} a length like 90m, 1h or 30d, a date, a week like 2024-W41, "
        f"a month like 2024-10, or one of: {', '.join(_NAMED)}"
    )


def between(starts_at: str | None, ends_at: str | None) -> Window:
    """Make the window from one instant, as people write it, to another; ends at as-of when that is not given.

    Raises:
        InputError: one is not an instant, there is no start, or it ends before it starts.

    """
    if starts_at is None:
        raise InputError("a window needs a start; say from when on with --from")
    span = Absolute(parse_instant(starts_at), None if ends_at is None else parse_instant(ends_at))
    if span.ends_at is not None and span.ends_at <= span.starts_at:
        raise InputError(f"the window from {starts_at} to {ends_at} ends before it starts; swap the two")
    return Window("window", span)


def realise(
    windows: Sequence[Window], as_of: datetime, zones: Sequence[str], every: Unit | None = None
) -> pl.DataFrame:
    """Put windows on the UTC line, for each zone, cut into local parts if a unit is given.

    Returns:
        ``part`` (a number of its own), ``window`` and ``zone_key`` (places in ``windows`` and ``zones``), ``starts_at``
        and ``ends_at`` in microseconds since 1970 in UTC, and ``bucket``: where, on the wall, the unit begins that this
        is a part of, null without one. No part reaches past as-of: a window after it is empty there, and has no parts
        of a unit.

    """
    rows: list[tuple[int, int, int, int, datetime | None]] = []
    for place, window in enumerate(windows):
        for key, zone in enumerate(zones):
            starts_at, ends_at = window.span.bounds(as_of, zone, window.back)
            edges = [starts_at, *(cuts(starts_at, ends_at, every, zone) if every else ()), ends_at]
            rows += [
                (place, key, microseconds(start), microseconds(end), bucket(start, every, zone) if every else None)
                for start, end in pairwise(edges)
                if start < end or every is None
            ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "window": pl.Int32,
        "zone_key": pl.Int32,
        "starts_at": pl.Int64,
        "ends_at": pl.Int64,
        "bucket": pl.Datetime("us"),
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("part"), pl.all())


def _back(instant: datetime, length: timedelta, count: int = 1) -> datetime:
    for _ in range(count):
        instant = shifted(instant, -min(length, EVER))
    return instant
