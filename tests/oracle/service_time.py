"""The service schedule realised on the UTC line, row by row and local date by local date.

Inside, an instant is a whole number of microseconds since 1970 in UTC: two wall times of one zone must not be
compared or subtracted before both are in UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

Row = tuple[str, int, str, str]
"""One row of the hours: store_id, day (0 is Monday), opening time, closing time."""
Interval = tuple[datetime, datetime]
"""`[opens_at, closes_at)` in UTC."""
Stretch = tuple[int, int]
"""The same, in microseconds since 1970."""

DEFAULT_ZONE = "America/Chicago"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST_MINUTE = 23 * 3600 + 59 * 60
WHOLE_DAY = 24 * 3600


def micros(at: datetime) -> int:
    return (at.astimezone(UTC) - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    return EPOCH + at * MICROSECOND


def second_of_day(written: str) -> int:
    """Read `H:MM`, `HH:MM` or `HH:MM:SS`."""
    hour, minute, second = ([int(part) for part in written.split(":")] + [0])[:3]
    return hour * 3600 + minute * 60 + second


def resolve(local_date: date, second: int, zone: str) -> int:
    """Where a wall time lies on the UTC line; seconds beyond the whole day belong to the next local date."""
    days_later, second = divmod(second, WHOLE_DAY)
    hour, minute = divmod(second // 60, 60)
    on = local_date + timedelta(days=days_later)
    wall = datetime(on.year, on.month, on.day, hour, minute, second % 60, tzinfo=ZoneInfo(zone), fold=0)
    return micros(wall)


def realise(row: Row, local_date: date, zone: str) -> Stretch:
    """One row on one local date, as it comes out: perhaps empty, perhaps reversed."""
    _, _, opening, closing = row
    opens, closes = second_of_day(opening), second_of_day(closing)
    if closes >= LAST_MINUTE:
        closes = WHOLE_DAY
    elif closes <= opens:
        closes += WHOLE_DAY
    return resolve(local_date, opens, zone), resolve(local_date, closes, zone)


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for opens, closes in sorted(stretches):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged


def cut_at(stretch: Stretch, cuts: Iterable[int]) -> Iterator[Stretch]:
    """The parts of a stretch that is cut at every one of these instants that lies inside it."""
    starts, ends = stretch
    return pairwise(sorted({starts, ends} | {cut for cut in cuts if starts < cut < ends}))


def length_of(stretches: Iterable[Stretch]) -> int:
    return sum(ends - starts for starts, ends in stretches)


def date_by_date(
    rows_of_date: Callable[[date], Iterable[Row]], zone: str | None, starts: int, ends: int
) -> list[Stretch]:
    """Open time inside `[starts, ends)`, by the rows of each local date: disjoint, in order, none touching the next."""
    realised: list[Stretch] = []
    # No row is longer than a day or two and no zone further from UTC than a day: three days on each side are enough.
    local_date, last_date = instant(starts).date() - timedelta(days=3), instant(ends).date() + timedelta(days=3)
    while local_date <= last_date:
        realised += [realise(row, local_date, zone or DEFAULT_ZONE) for row in rows_of_date(local_date)]
        local_date += timedelta(days=1)
    not_dropped = [(opens, closes) for opens, closes in realised if opens < closes]
    clipped = [(max(opens, starts), min(closes, ends)) for opens, closes in union(not_dropped)]
    return [(opens, closes) for opens, closes in clipped if opens < closes]


def open_stretches(hours_of_store: Sequence[Row], zone: str | None, starts: int, ends: int) -> list[Stretch]:
    """The same, by the weekly hours alone."""
    if not hours_of_store:
        return [(starts, ends)] if starts < ends else []

    def rows_of_date(local_date: date) -> list[Row]:
        return [row for row in hours_of_store if row[1] == local_date.weekday()]

    return date_by_date(rows_of_date, zone, starts, ends)


def open_intervals(
    hours_of_store: Sequence[Row], zone: str | None, starts_at: datetime, ends_at: datetime
) -> list[Interval]:
    """Open intervals inside `[starts_at, ends_at)`, in UTC: disjoint, in order, none touching the next."""
    stretches = open_stretches(hours_of_store, zone, micros(starts_at), micros(ends_at))
    return [(instant(opens), instant(closes)) for opens, closes in stretches]
