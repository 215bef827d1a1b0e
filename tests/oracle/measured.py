"""What a report means, told slowly: each piece of open time has one state or is excluded; add the pieces up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, Unpack

from .exceptions import Exceptions, service_and_excluded
from .questions import Asked, questions
from .service_time import MICROSECOND, Interval, Row, Stretch, instant, length_of, micros
from .states import CARRY_LIMIT, Policy, Poll, pieces, state, tell


class Figures(NamedTuple):
    uptime_us: int
    downtime_us: int
    unknown_us: int
    service_us: int
    excluded_us: int = 0


class Bounds(NamedTuple):
    uptime_min_us: int
    uptime_max_us: int


class Piece(NamedTuple):
    """A stretch of the schedule, and what is held true of it: a state, or `excluded`."""

    starts_at: datetime
    ends_at: datetime
    held: str


def overlap(one: Stretch, other: Stretch) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def timeline_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
    **exceptions: Unpack[Exceptions],
) -> list[Piece]:
    """One store's schedule in `[starts_at, ends_at)`, wherever that lies, in order; as few pieces as tell it."""
    told, limit = tell(polls_of_store, as_of), carry_limit // MICROSECOND
    service, excluded = service_and_excluded(hours_of_store, zone, window, as_of, **exceptions)
    held = [(*stretch, "excluded") for stretch in excluded]
    for stretch in service:
        held += [(starts, ends, state(told, starts, limit, policy)) for starts, ends in pieces(told, stretch, limit)]
    timeline: list[Piece] = []
    for starts, ends, what in sorted(held):
        if timeline and (timeline[-1].ends_at, timeline[-1].held) == (instant(starts), what):
            timeline[-1] = Piece(timeline[-1].starts_at, instant(ends), what)
        else:
            timeline.append(Piece(instant(starts), instant(ends), what))
    return timeline


def add_up(timeline: Iterable[Piece], window: Interval | None = None) -> Figures:
    """The figures of a timeline, or of what lies inside a window."""
    total = {"active": 0, "inactive": 0, "unknown": 0, "excluded": 0}
    for starts_at, ends_at, held in timeline:
        piece = micros(starts_at), micros(ends_at)
        total[held] += overlap(piece, (micros(window[0]), micros(window[1])) if window else piece)
    uptime, downtime, unknown, excluded = total.values()
    return Figures(uptime, downtime, unknown, uptime + downtime + unknown, excluded)


def figures_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
    **exceptions: Unpack[Exceptions],
) -> Figures:
    """One store's figures in `[starts_at, ends_at)`, wherever that lies."""
    of_store = polls_of_store, hours_of_store, zone, window, as_of
    return add_up(timeline_between(*of_store, carry_limit=carry_limit, policy=policy, **exceptions))


def bounds_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    **exceptions: Unpack[Exceptions],
) -> Bounds:
    """What the polls prove of one store in `[starts_at, ends_at)`."""
    told, limit = tell(polls_of_store, as_of), carry_limit // MICROSECOND
    service, _ = service_and_excluded(hours_of_store, zone, window, as_of, **exceptions)
    certain = {"active": 0, "inactive": 0}
    for (earlier, status), (later, next_status) in pairwise(told):
        if status == next_status and later - earlier <= limit:
            certain[status] += sum(overlap((earlier, later), stretch) for stretch in service)
    return Bounds(certain["active"], length_of(service) - certain["inactive"])


def figures(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, Figures]]:
    return {
        store_id: {
            name: figures_between(*question, carry_limit=carry_limit, policy=policy, **exceptions)
            for name, (question, exceptions) in by_window.items()
        }
        for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items()
    }


def bounds(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    **asked: Unpack[Asked],
) -> dict[str, dict[str, Bounds]]:
    return {
        store_id: {
            name: bounds_between(*question, carry_limit=carry_limit, **exceptions)
            for name, (question, exceptions) in by_window.items()
        }
        for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items()
    }
