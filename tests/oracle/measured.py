"""What a report means, told slowly: each piece of open time has one state; add the pieces up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from .service_time import MICROSECOND, Interval, Row, Stretch, micros, open_stretches
from .states import CARRY_LIMIT, Policy, Poll, pieces, state, tell

WINDOWS: Mapping[str, timedelta] = {
    "last_hour": timedelta(hours=1),
    "last_day": timedelta(hours=24),
    "last_week": timedelta(hours=168),
}


class Figures(NamedTuple):
    uptime_us: int
    downtime_us: int
    unknown_us: int
    service_us: int


class Bounds(NamedTuple):
    uptime_min_us: int
    uptime_max_us: int


def service_time(
    hours_of_store: Sequence[Row], zone: str | None, window: Interval, as_of: datetime | None
) -> list[Stretch]:
    """The open stretches of a window; one that reaches past as-of ends at as-of."""
    starts, ends = micros(window[0]), micros(window[1])
    return open_stretches(hours_of_store, zone, starts, ends if as_of is None else min(ends, micros(as_of)))


def length_of(stretches: list[Stretch]) -> int:
    return sum(ends - starts for starts, ends in stretches)


def figures_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
) -> Figures:
    """One store's figures in `[starts_at, ends_at)`, wherever that lies."""
    told, limit = tell(polls_of_store, as_of), carry_limit // MICROSECOND
    stretches = service_time(hours_of_store, zone, window, as_of)
    total = {"active": 0, "inactive": 0, "unknown": 0}
    for stretch in stretches:
        for starts, ends in pieces(told, stretch, limit):
            total[state(told, starts, limit, policy)] += ends - starts
    return Figures(total["active"], total["inactive"], total["unknown"], length_of(stretches))


def bounds_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
) -> Bounds:
    """What the polls prove of one store in `[starts_at, ends_at)`."""
    told, limit = tell(polls_of_store, as_of), carry_limit // MICROSECOND
    stretches = service_time(hours_of_store, zone, window, as_of)
    certain = {"active": 0, "inactive": 0}
    for (earlier, status), (later, next_status) in pairwise(told):
        if status == next_status and later - earlier <= limit:
            overlaps = [min(later, ends) - max(earlier, starts) for starts, ends in stretches]
            certain[status] += sum(overlap for overlap in overlaps if overlap > 0)
    return Bounds(certain["active"], length_of(stretches) - certain["inactive"])


def newest(polls: Iterable[Poll]) -> datetime | None:
    return max((at for _, _, at in polls), key=micros, default=None)


def stores_of_report(polls: Iterable[Poll], as_of: datetime) -> list[str]:
    """Those with a poll at or before as-of, in the order of their plain text."""
    stores = {store_id for store_id, _, at in polls if micros(at) <= micros(as_of)}
    return sorted(stores, key=lambda store_id: store_id.encode())


class Question(NamedTuple):
    """What `figures_between` and `bounds_between` want to know first."""

    polls_of_store: list[Poll]
    hours_of_store: list[Row]
    zone: str | None
    window: Interval
    as_of: datetime


def questions(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None,
    windows: Mapping[str, timedelta],
) -> dict[str, dict[str, Question]]:
    """By store, in the order of the report, and by window. As-of defaults to the newest poll of all."""
    as_of = as_of or newest(polls)
    if as_of is None:
        return {}
    as_of = as_of.astimezone(UTC)
    asked: dict[str, dict[str, Question]] = {}
    for store_id in stores_of_report(polls, as_of):
        polls_of_store = [poll for poll in polls if poll[0] == store_id]
        hours_of_store = [row for row in hours if row[0] == store_id]
        asked[store_id] = {
            name: Question(polls_of_store, hours_of_store, zones.get(store_id), (as_of - length, as_of), as_of)
            for name, length in windows.items()
        }
    return asked


def figures(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    windows: Mapping[str, timedelta] = WINDOWS,
    policy: Policy = "carry",
) -> dict[str, dict[str, Figures]]:
    asked = questions(polls, hours, zones, as_of, windows)
    return {
        store_id: {
            name: figures_between(*question, carry_limit=carry_limit, policy=policy)
            for name, question in by_window.items()
        }
        for store_id, by_window in asked.items()
    }


def bounds(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    windows: Mapping[str, timedelta] = WINDOWS,
) -> dict[str, dict[str, Bounds]]:
    asked = questions(polls, hours, zones, as_of, windows)
    return {
        store_id: {name: bounds_between(*question, carry_limit=carry_limit) for name, question in by_window.items()}
        for store_id, by_window in asked.items()
    }
