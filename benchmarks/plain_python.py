"""The usual way: one store at a time, lists and loops and datetime arithmetic, no array anywhere.

It starts from the lists that `benchmarks.parsed` reads. The meaning is that of docs/semantics.md, exactly.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

CARRY_LIMIT = timedelta(days=7)
WINDOWS = {"last_hour": timedelta(hours=1), "last_day": timedelta(hours=24), "last_week": timedelta(hours=168)}
_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


@dataclass
class Store:
    """What is known of one store: polls as (instant, is active), hours as (weekday, opens, closes)."""

    store_id: str
    zone: str = "America/Chicago"
    polls: list[tuple[datetime, bool]] = field(default_factory=list)
    hours: list[tuple[int, time, time]] = field(default_factory=list)


def figures(store: Store, as_of: datetime) -> dict[str, timedelta]:
    """Compute a store's uptime, downtime and unknown time in the three windows."""
    starts_at = as_of - max(WINDOWS.values())
    spells = _spells(store, starts_at, as_of)
    intervals = _open_intervals(store, starts_at, as_of)
    result = {}
    for name, length in WINDOWS.items():
        window = (as_of - length, as_of)
        service = uptime = downtime = timedelta()
        for interval in intervals:
            opened = _overlap(interval, window)
            if opened is None:
                continue
            service += opened[1] - opened[0]
            for spell, active in spells:
                held = _overlap(spell, opened)
                if held is None:
                    continue
                if active:
                    uptime += held[1] - held[0]
                else:
                    downtime += held[1] - held[0]
        result[f"uptime_{name}"] = uptime
        result[f"downtime_{name}"] = downtime
        result[f"unknown_{name}"] = service - uptime - downtime
    return result


def _spells(store: Store, starts_at: datetime, as_of: datetime) -> list[tuple[Span, bool]]:
    """Return how long each poll is believed, and what it says; one spell a poll, within ``[starts_at, as_of)``."""
    statuses: dict[datetime, bool] = {}
    for polled_at, active in store.polls:
        if polled_at <= as_of:
            statuses[polled_at] = active and statuses.get(polled_at, True)
    instants = sorted(statuses)
    first = instants[0]
    spells = [((first - CARRY_LIMIT, first), statuses[first])]
    for number, polled_at in enumerate(instants):
        following = instants[number + 1] if number + 1 < len(instants) else as_of
        spells.append(((polled_at, min(following, polled_at + CARRY_LIMIT)), statuses[polled_at]))
    return [(span, active) for span, active in spells if span[1] > starts_at]


def _open_intervals(store: Store, starts_at: datetime, as_of: datetime) -> list[Span]:
    """Realise the hours on the UTC line, overlaps counted once."""
    if not store.hours:
        return [(starts_at, as_of)]
    zone = ZoneInfo(store.zone)
    intervals = []
    date = starts_at.astimezone(zone).date() - _DAY
    while date <= as_of.astimezone(zone).date():
        for weekday, opens, closes in store.hours:
            if weekday != date.weekday():
                continue
            # Two wall times subtract as they are written; only in UTC do they tell how long it was.
            until = date + _DAY if closes >= time(23, 59) or closes <= opens else date
            closes_local = time() if closes >= time(23, 59) else closes
            opens_at = datetime.combine(date, opens, zone).astimezone(UTC)
            closes_at = datetime.combine(until, closes_local, zone).astimezone(UTC)
            if closes_at > opens_at:
                intervals.append((opens_at, closes_at))
        date += _DAY
    union: list[Span] = []
    for opens_at, closes_at in sorted(intervals):
        if union and opens_at <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], closes_at))
        else:
            union.append((opens_at, closes_at))
    return union


def _overlap(one: Span, other: Span) -> Span | None:
    starts_at, ends_at = max(one[0], other[0]), min(one[1], other[1])
    return (starts_at, ends_at) if starts_at < ends_at else None
