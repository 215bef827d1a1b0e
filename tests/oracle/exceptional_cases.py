"""Cases with exceptions to the schedule and with tags, and windows as people write them, drawn to provoke trouble."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .cases import BACK, NUDGES, SHIFT, Case, cases, shift
from .clocks import PLAIN, clock_changes, walls_around
from .truth import (
    DEFAULT_ZONE,
    EVERY_STORE,
    Figures,
    Interval,
    Maintenance,
    Policy,
    Poll,
    SpecialRow,
    Window,
    figures_between,
    newest,
    timeline_between,
)

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
LENGTHS = st.sampled_from((timedelta(hours=1), TICK, timedelta(minutes=30), DAY, timedelta(days=8)))
KINDS_OF_DATE = st.sampled_from(("closed", "as in the week", "overnight", "other", "other"))
KINDS_OF_MAINTENANCE = st.sampled_from(("before", "after", "across", "closed time", "anywhere"))
RARELY = st.sampled_from((*[False] * 29, True))
BESIDE = st.sampled_from((timedelta(0), timedelta(0), TICK, -TICK))
PAIRS = st.tuples(st.integers(0, 20), st.integers(1, 4), BESIDE)
ROLLING = ("1h", "24h", "7d", "90m", "30d", "1m")
WORDS = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month")
YEAR_ENDS = ("2020-W53", "2024-W01", "2023-12", "2024-12-31")
REGIONS = st.sampled_from(("West", "East", "east", "", None))
BRANDS = st.sampled_from(("Ä & Söhne, 2", "Burger", None))


def now_of(case: Case) -> datetime:
    return case.as_of or newest(case.polls) or PLAIN


def stores_of(case: Case) -> list[str]:
    return sorted({poll[0] for poll in case.polls} | {row[0] for row in case.hours})


def days_around(zone: str, now: datetime) -> list[date]:
    """Local dates beside a change of the clocks first, then those near now, and the one after."""
    today = now.astimezone(ZoneInfo(zone)).date()
    changes = [wall for at in clock_changes(zone) if abs(at - now) < 9 * DAY for wall in walls_around(zone, at)]
    of_changes = {wall.date() + days * DAY for wall in changes for days in (0, -1, 1)}
    return [*sorted(of_changes), *(today - days * DAY for days in range(-1, 9))]


def edges_of(case: Case, store_id: str) -> list[datetime]:
    """Where a store opens and closes in the days before now; opening first."""
    now = now_of(case)
    hours = [row for row in case.hours if row[0] == store_id]
    special_hours = [row for row in case.special_hours if row[0] in (store_id, EVERY_STORE)]
    window = now - 9 * DAY, now + DAY
    timeline = timeline_between([], hours, case.zones.get(store_id), window, special_hours=special_hours)
    return [edge for piece in timeline for edge in (piece.starts_at, piece.ends_at)]


def figures_in(case: Case, window: Interval, policy: Policy) -> Figures:
    """Of the one store of a case, in any window."""
    return figures_between(
        *(case.polls, case.hours, next(iter(case.zones.values()), None), window, now_of(case)),
        carry_limit=case.carry_limit,
        policy=policy,
        special_hours=case.special_hours,
        maintenance=case.maintenance,
    )


@st.composite
def special_hours_of(draw: st.DrawFn, case: Case) -> list[SpecialRow]:
    """Rows of a few dates, for every store and for single ones: some dates have both."""
    zone = next(iter(case.zones.values()), DEFAULT_ZONE)
    changes = [at for at in clock_changes(zone) if abs(at - now_of(case)) < 9 * DAY]
    walls = walls_around(zone, changes[-1]) if changes else []
    days = draw(st.lists(st.sampled_from(days_around(zone, now_of(case))), min_size=1, max_size=3))
    found: list[SpecialRow] = []
    for named in (EVERY_STORE, *stores_of(case)):
        for day in draw(st.lists(st.sampled_from(days), max_size=3)):
            kind = draw(KINDS_OF_DATE)
            if kind == "as in the week":
                found += [(named, f"{day}", *row[2:]) for row in case.hours if row[:2] == (named, day.weekday())]
            elif kind == "closed":
                found.append((named, f"{day}", "", ""))
            else:
                times = ("22:00", "04:00") if kind == "overnight" else shift(walls, *draw(SHIFT))
                found.append((named, f"{day}", *times))
    return found


@st.composite
def maintenance_of(draw: st.DrawFn, case: Case) -> list[Maintenance]:
    """At the edges of open time and across them, in closed time exactly, anywhere, or over all time."""
    now = now_of(case)
    found: list[Maintenance] = []
    for named in (EVERY_STORE, *stores_of(case)):
        edges = edges_of(case, draw(st.sampled_from(stores_of(case))) if named == EVERY_STORE else named)
        for kind in draw(st.lists(KINDS_OF_MAINTENANCE, max_size=3)):
            number, nudge, length = draw(st.tuples(st.integers(0, 20), NUDGES, LENGTHS))
            at = edges[number % len(edges)] + nudge if edges else now
            rows = {
                "before": (at - length, at),
                "after": (at, at + length),
                "across": (at - length, at + length),
                "closed time": (edges[1], edges[2]) if len(edges) > 3 else (at, at + length),
                "anywhere": (now - draw(BACK), now + nudge),
            }
            found.append((named, *rows[kind]))
        if draw(RARELY):
            found.append((named, now - 400 * DAY, now + 40 * DAY))
    return [row for row in found if row[1] < row[2]]


@st.composite
def polls_at_edges(draw: st.DrawFn, case: Case) -> list[Poll]:
    """One where a store opens or closes, the other some edges later: outages begin and end there, or span a night."""
    found: list[Poll] = []
    for store_id in stores_of(case):
        edges = edges_of(case, store_id)
        for number, later, beside in draw(st.lists(PAIRS, max_size=2 if len(edges) > 4 else 0)):
            first = number % (len(edges) - 4)
            found.append((store_id, "inactive", edges[first] + beside))
            found.append((store_id, "active", edges[first + later] + beside))
    return found


@st.composite
def tags_of(draw: st.DrawFn, case: Case) -> dict[str, dict[str, str]]:
    drawn = {store_id: {"region": draw(REGIONS), "brand": draw(BRANDS)} for store_id in stores_of(case)}
    return {
        store_id: {name: value for name, value in values.items() if value is not None}
        for store_id, values in drawn.items()
    }


@st.composite
def exceptional_cases(draw: st.DrawFn, max_stores: int = 3) -> Case:
    """One whole case as of `cases`, with special hours, maintenance and tags; each may be none."""
    case = draw(cases(max_stores=max_stores))
    if not stores_of(case):
        return case
    case = replace(case, special_hours=draw(st.just([]) | special_hours_of(case)))
    case = replace(case, polls=case.polls + draw(polls_at_edges(case)))
    case = replace(case, maintenance=draw(st.just([]) | maintenance_of(case)))
    return replace(case, tags=draw(st.just({}) | tags_of(case)))


@st.composite
def written_windows(draw: st.DrawFn, case: Case, max_size: int = 4) -> dict[str, Window]:
    """By name; most near the case's now and its changes of the clocks, some far away, some past as-of."""
    now = now_of(case)
    days = st.sampled_from(days_around(next(iter(case.zones.values()), DEFAULT_ZONE), now))
    absolute = st.tuples(st.sampled_from([now, *(poll[2] for poll in case.polls)]), LENGTHS, LENGTHS)
    written: st.SearchStrategy[Window] = st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(ROLLING),
        days.map(str),
        days.map("{0:%G-W%V}".format),
        days.map("{0:%Y-%m}".format),
        absolute.map(lambda drawn: (drawn[0] - drawn[1], drawn[0] + drawn[2] - TICK)),
        st.sampled_from([written for written in YEAR_ENDS if int(written[:4]) <= now.year] or WORDS),
    )
    windows = draw(st.lists(written, min_size=1, max_size=max_size))
    return {window if isinstance(window, str) else f"absolute {n}": window for n, window in enumerate(windows)}
