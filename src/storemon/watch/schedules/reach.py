"""How far the polls reach: whether those of an answer's windows are there, and of which stores they are not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Unpack

from storemon.answers.now import now
from storemon.calendar.periods import wall
from storemon.calendar.schedule import DEFAULT_ZONE
from storemon.calendar.windows import Window
from storemon.engine.question import Asked
from storemon.lake.snapshot import Snapshot

RECENT = timedelta(hours=3)
"""A store whose last poll is further than this before the end of the windows is late."""

_NAMED = 5  # stores that are late


class Edge(NamedTuple):
    """Where a window begins or ends: the earliest and the latest instant of all zones, and what their clocks show."""

    first: datetime
    last: datetime
    shown: frozenset[datetime]


class Reach(NamedTuple):
    """How far the polls reach that an answer rests on."""

    ends_at: datetime
    """Where the last of its windows ends."""
    newest: datetime | None
    """The newest poll of all, None if there are none."""
    stores: int
    """How many stores it is about."""
    late: Sequence[tuple[str, datetime]]
    """Some stores that are late, the worst first, each with its last poll."""
    late_count: int

    @property
    def is_whole(self) -> bool:
        """Whether the polls have come as far as the windows reach."""
        return self.newest is not None and self.newest >= self.ends_at


def zones_of(snapshot: Snapshot) -> Sequence[str]:
    """Name the zones of the stores that were ever polled."""
    zones = snapshot.stores().select("store_id").join(snapshot.zones(), on="store_id", how="left")["zone"]
    return sorted({*zones.fill_null(DEFAULT_ZONE)}) or [DEFAULT_ZONE]


def edges(window: Window, at: datetime, zones: Sequence[str]) -> tuple[Edge, Edge]:
    """Find where a window begins and ends, in all zones."""
    bounds = {zone: window.span.bounds(at, zone, window.back) for zone in zones}
    starts, ends = ({zone: each[place] for zone, each in bounds.items()} for place in (0, 1))
    return _edge(starts), _edge(ends)


def end_of(windows: Sequence[Window], at: datetime, zones: Sequence[str]) -> datetime:
    """Find the instant up to which polls are needed: the end of the last window anywhere; as-of itself if none is."""
    return max((edges(window, at, zones)[1].last for window in windows), default=at)


def reach_of(snapshot: Snapshot, ends_at: datetime, **asked: Unpack[Asked]) -> Reach:
    """Look how far the polls of each store reach.

    Raises:
        StoremonError: the lake can't be read, or something that is asked for is not known.

    """
    newest = snapshot.newest_poll()
    if newest is None:
        return Reach(ends_at, None, 0, (), 0)
    told = now(snapshot, **asked | {"as_of": max(newest, ends_at)}).select("store_id", "last_polled_at")
    late = told.filter(told["last_polled_at"] < ends_at - RECENT).sort("last_polled_at", "store_id")
    return Reach(ends_at, newest, len(told), late.head(_NAMED).rows(), len(late))


def _edge(instants: dict[str, datetime]) -> Edge:
    shown = frozenset(wall(instant, zone) for zone, instant in instants.items())
    return Edge(min(instants.values()), max(instants.values()), shown)
