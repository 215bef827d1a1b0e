"""Whole cases for a report, drawn to provoke trouble; they shrink towards one store, one poll and a plain week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from .clocks import PLAIN, STRANGEST, ZONES, clock_changes, walls_around
from .truth import Maintenance, Poll, Row, SpecialRow, open_intervals

STORE_IDS = (
    "a",
    "b",
    "B",
    "10",
    "9",
    "09",  # not a number
    "8139926242460185114",
    "00017c6a-7a77-4a95-bb2d-40647868aff6",
    "null",
    "1e3",
    "Zürich 2",
    "a,b",
    'the "one"',
    "\uffee",  # before the next by code point, after it by UTF-16
    "\U0001f355",
)
SAME_BUT_FOR_ORDER = (("9", "10"), ("b", "B", "a"), ("\uffee", "\U0001f355"))
TIMES = (
    *("09:00", "17:00:00", "9:30", "00:00:00", "0:00", "12:00", "22:00", "02:00:00", "02:30", "06:05:07", "23:58:59"),
    *("00:00:01", "00:30", "01:00", "01:30:00", "03:00", "23:00", "23:30", "23:59", "23:59:30", "23:59:59"),
)
ONLY_CLOSING = ("24:00:00", "24:00", "23:59:59", "23:59:30", "23:59:00")
Time = str | int

# A number among times of day, bases and days is counted from what the case has drawn before.
ANYHOW = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60}:{minute % 60:02d}")
NEAR = st.integers(0, 11)
WITHIN_GAP, JUST_AFTER = st.sampled_from((2, 5, 7, 8, 11)), st.sampled_from((6, 0, 10))  # where clocks go forward
OPENING: st.SearchStrategy[Time] = st.one_of(st.sampled_from(TIMES), NEAR, ANYHOW)
CLOSING: st.SearchStrategy[Time] = st.one_of(st.sampled_from(TIMES + ONLY_CLOSING), NEAR, ANYHOW)
SHIFT: st.SearchStrategy[tuple[Time, Time]] = st.one_of(
    st.tuples(OPENING, CLOSING),
    st.tuples(NEAR, NEAR),
    st.tuples(WITHIN_GAP, JUST_AFTER),
    OPENING.map(lambda time: (time, time)),
)
KINDS = st.sampled_from(("none", "every day", "some days"))
CLOSED = st.sets(st.integers(0, 6), max_size=3)
WEEK = st.lists(SHIFT, min_size=1, max_size=2)
ROW = st.tuples(st.sampled_from((0, 0, 0, -1, 1)) | st.integers(0, 6), SHIFT)
REPEATED_ROWS = st.lists(ROW, min_size=1, max_size=4).map(lambda rows: rows + rows[::2])
SOME_DAYS = ROW.map(lambda row: [row]) | st.lists(ROW, min_size=1, max_size=8) | REPEATED_ROWS

WITHIN_WEEK = st.one_of(
    st.sampled_from((timedelta(0), timedelta(hours=1), timedelta(hours=24), timedelta(hours=168))),
    st.integers(0, 8 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(0, 8 * 24 * 3600 * 1_000_000).map(lambda micros: timedelta(microseconds=micros)),
)
"""How long before the case's now: at the edges of its windows, or anywhere inside."""
BACK = WITHIN_WEEK | st.integers(0, 40 * 24).map(lambda hours: timedelta(hours=hours))
"""The same, or long before."""
NUDGES = st.sampled_from(
    (
        *(timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(seconds=1)),
        *(timedelta(minutes=-30), timedelta(seconds=18), timedelta(milliseconds=-300)),  # printed, these are halves
    )
)
LIMITS = st.sampled_from(
    (
        *(timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(minutes=90, microseconds=1)),
        *(timedelta(seconds=1), timedelta(microseconds=1), timedelta(days=30)),
    )
) | st.integers(1, 8 * 24 * 3600 * 1_000_000).map(lambda limit: timedelta(microseconds=limit))
LEAP = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
YEAR_ENDS = tuple(datetime(year, 1, 1, 6, tzinfo=UTC) for year in (2021, 2024, 2025))  # midnight in Chicago
STATUSES = st.sampled_from(("active", "inactive"))
AT_ONCE = st.tuples(st.just(0), st.just(timedelta(0)), STATUSES)
ECHOES = st.lists(AT_ONCE | st.tuples(st.sampled_from((0, 1, -1, 2)), NUDGES, STATUSES), min_size=1, max_size=4)
BURSTS = st.lists(st.tuples(BACK | st.integers(0, 60), NUDGES, ECHOES), max_size=6)
EARLIER = st.sampled_from((timedelta(0), timedelta(hours=2)))
STORES = st.lists(st.sampled_from(STORE_IDS), min_size=1, max_size=3, unique=True).map(tuple)


@dataclass(frozen=True)
class Case:
    """Its fields are named as the oracle's functions name them: `figures(**vars(case))`."""

    polls: list[Poll]
    hours: list[Row]
    zones: dict[str, str]
    as_of: datetime | None
    carry_limit: timedelta
    special_hours: Sequence[SpecialRow] = ()
    maintenance: Sequence[Maintenance] = ()
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def shift(walls: list[datetime], opening: Time, closing: Time) -> tuple[str, str]:
    """A number stands for a time near the change of the clocks, where there is one."""
    near = [f"{wall + timedelta(minutes=past):%H:%M:%S}" for past in (0, -30, 30, 15, -1, 1) for wall in walls]
    written = [
        (near or ["10:00"])[time % len(near or [0])] if isinstance(time, int) else time for time in (opening, closing)
    ]
    return written[0], written[1]


@st.composite
def hours_of_store(draw: st.DrawFn, store_id: str, walls: list[datetime]) -> list[Row]:
    """None at all, the same every day, or a few rows on days near the change of the clocks, perhaps repeated."""
    kind = draw(KINDS)
    if kind == "none":
        return []
    if kind == "every day":
        closed, week = draw(CLOSED), draw(WEEK)
        return [(store_id, day, *shift(walls, *times)) for day in range(7) if day not in closed for times in week]
    weekday = walls[-1].weekday() if walls else 0
    return [(store_id, (weekday + days) % 7, *shift(walls, *times)) for days, times in draw(SOME_DAYS)]


@st.composite
def polls_of_store(
    draw: st.DrawFn, store_id: str, around: list[datetime], now: datetime, carry_limit: timedelta
) -> list[Poll]:
    """Bursts of polls, each around one instant, at it or whole carry limits away, or a microsecond beside that."""
    polls: list[Poll] = []
    for base, nudge, echoes in draw(BURSTS):
        at = nudge + (around[base % len(around)] if isinstance(base, int) else now - base)
        polls += [(store_id, status, at + times * carry_limit + beside) for times, beside, status in echoes]
    return polls


@st.composite
def moments(draw: st.DrawFn, zone: str) -> tuple[datetime, list[datetime]]:
    """The case's now, and the wall times at the ends of the gap or of the repeated stretch shortly before it."""
    changes = [*reversed(clock_changes(zone))]
    at_midnight = [change for change in changes if len({wall.date() for wall in walls_around(zone, change)}) > 1]
    change = draw(st.none() | st.sampled_from(changes) | st.sampled_from(at_midnight or changes)) if changes else None
    if change is None:
        return draw(st.sampled_from((PLAIN, LEAP, *YEAR_ENDS))), []
    # Mostly after the change, so that it falls into a window.
    return change + draw(WITHIN_WEEK) - draw(EARLIER), walls_around(zone, change)


@st.composite
def cases(draw: st.DrawFn, max_stores: int = 3) -> Case:
    """One whole case. A store may lack polls, hours or a zone; as-of may be left open."""
    zone_of_case = draw(st.sampled_from(ZONES) | st.sampled_from(STRANGEST))
    now, walls = draw(moments(zone_of_case))
    carry_limit = draw(LIMITS)
    polls: list[Poll] = []
    hours: list[Row] = []
    zones: dict[str, str] = {}
    for store_id in draw(STORES | st.sampled_from(SAME_BUT_FOR_ORDER))[:max_stores]:
        zone = draw(st.sampled_from((zone_of_case, zone_of_case, None)) | st.sampled_from(ZONES))
        rows = draw(hours_of_store(store_id, walls))
        realised = open_intervals(rows, zone, now - timedelta(days=8), now + timedelta(days=1))
        edges = [edge for interval in realised for edge in interval]
        polls += draw(polls_of_store(store_id, [now, *edges], now, carry_limit))
        hours += rows
        zones |= {store_id: zone} if zone else {}
    return Case(polls, hours, zones, draw(st.sampled_from((now, None))), carry_limit)
