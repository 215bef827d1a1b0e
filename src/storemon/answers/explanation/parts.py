"""What an explanation holds: one store, one window, and all that its figures come from.

Instants are aware, in UTC; a stretch is half-open; local times of day are seconds after midnight, as written.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from storemon.calendar.zones import ClockChange
from storemon.engine.question import Policy
from storemon.units.instants import EPOCH

State = Literal["active", "inactive", "unknown"]
Held = Literal["active", "inactive", "unknown", "excluded"]
"""What is held of a stretch of the schedule: a state, or that maintenance takes it out."""
Source = Literal["weekly hours", "special hours", "special hours of every store", "no hours"]
"""Where the rows of a date come from; a store with no hours is open round the clock."""
Rule = Literal["latest", "first", "lapsed", "nearest", "far"]
"""Why a state is held: under ``carry`` by the latest poll, the first one ever or none; under ``nearest`` by the nearest
one or none."""
Edge = Literal["window", "schedule", "state", "maintenance"]
"""What begins or ends a piece: the window cuts it there, the store opens or closes, the state changes, or maintenance
begins or ends."""


MICROSECOND = timedelta(microseconds=1)


class Interval(NamedTuple):
    """A stretch of time."""

    starts_at: datetime
    ends_at: datetime


def instant(since_1970_us: int) -> datetime:
    """Make an instant of whole microseconds since 1970 in UTC."""
    return EPOCH + since_1970_us * MICROSECOND


class Shift(NamedTuple):
    """One row of the hours; both are None in a row that says closed all day."""

    opens_local: int | None
    closes_local: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """A local date that the window touches, whole: from one local midnight to the next.

    Attributes:
        date: the local date.
        starts_at: its midnight; one that the clocks skip ends where it starts.
        ends_at: the next midnight.
        source: where its rows come from.
        shifts: the rows, none on a weekday that has none.
        open: what the schedule opens of the date, maintenance included.
        tail: the hours of the date before reach into this one.
        clock_changes: those inside.

    """

    date: date
    starts_at: datetime
    ends_at: datetime
    source: Source
    shifts: tuple[Shift, ...]
    open: tuple[Interval, ...]
    tail: bool
    clock_changes: tuple[ClockChange, ...]


class Maintenance(NamedTuple):
    """A row of the maintenance that touches the window."""

    starts_at: datetime
    ends_at: datetime
    reason: str
    every_store: bool


class Poll(NamedTuple):
    """A poll inside the window, or beside it where it decides a state inside.

    ``counts`` is false of an active poll that an inactive one at its instant overrules; ``open`` tells whether the
    schedule has the instant open; ``place`` is where it lies.
    """

    polled_at: datetime
    active: bool
    counts: bool
    open: bool
    place: Literal["before", "inside", "after"]


class Reason(NamedTuple):
    """Why a state is held from ``starts_at`` to ``ends_at``.

    The deciding polls go from ``first_poll`` to ``last_poll``; ``polls`` counts them, and ``furthest`` is how far the
    stretch gets from them. Where there is none, ``first_poll`` is the last one known that lapsed before.
    """

    rule: Rule
    starts_at: datetime
    ends_at: datetime
    polls: int
    first_poll: datetime | None
    last_poll: datetime | None
    furthest: timedelta | None


class Spell(NamedTuple):
    """A spell, as much of it as lies in the window, and its open time there, without what is excluded."""

    starts_at: datetime
    ends_at: datetime
    state: State
    open_time: timedelta
    because: tuple[Reason, ...]


class Piece(NamedTuple):
    """A maximal stretch of the schedule in the window of which one thing is held."""

    starts_at: datetime
    ends_at: datetime
    held: Held
    started_by: Edge
    ended_by: Edge


class Sums(NamedTuple):
    """The figures, exactly: service time is uptime, downtime and unknown time; excluded time comes on top."""

    service: timedelta
    uptime: timedelta
    downtime: timedelta
    unknown: timedelta
    excluded: timedelta


@dataclass(frozen=True)
class Explanation:
    """Why a store has the figures that it has in a window.

    Attributes:
        store_id: the store.
        zone: its time zone.
        zone_is_default: the store has none of its own.
        window: the window's name.
        starts_at: where it starts.
        ends_at: where it ends, no later than as-of.
        as_of: the answer's now.
        unit: what a report prints the window's figures in.
        policy: what is held true between polls.
        carry_limit: how long a poll is believed.
        schedule: the local dates that the window touches.
        maintenance: what touches the window.
        polls: in order.
        spells: in order, without a gap from the window's start to its end.
        pieces: in order.
        figures: the sums of the pieces; they equal the report's.

    """

    store_id: str
    zone: str
    zone_is_default: bool
    window: str
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    unit: Literal["minutes", "hours"]
    policy: Policy
    carry_limit: timedelta
    schedule: tuple[Day, ...]
    maintenance: tuple[Maintenance, ...]
    polls: tuple[Poll, ...]
    spells: tuple[Spell, ...]
    pieces: tuple[Piece, ...]
    figures: Sums
