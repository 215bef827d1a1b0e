"""Small worlds and rules that meet at their edges; they shrink towards one store, always open, and few polls."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from tests.oracle.cases import Case
from tests.oracle.rules import Kind, Rule
from tests.oracle.truth import Maintenance, Poll, Row, SpecialRow

DAY, HOUR, MINUTE, TICK = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
STORE_IDS = ("a", "b", "B", "10", "9", "Zürich, 2")
TIMES_OF_CHANGE = (
    (datetime(2024, 10, 7, tzinfo=UTC), "UTC"),
    (datetime(2024, 11, 2, 6, tzinfo=UTC), "America/Chicago"),
    (datetime(2024, 3, 9, tzinfo=UTC), "America/Chicago"),
    (datetime(2024, 10, 4, 20, tzinfo=UTC), "Australia/Lord_Howe"),
    (datetime(2024, 3, 30, tzinfo=UTC), "Asia/Beirut"),  # midnight is skipped
    (datetime(2024, 4, 5, 12, tzinfo=UTC), "Pacific/Chatham"),
)
OTHER_ZONES = st.sampled_from((None, "UTC", "Asia/Kathmandu", "America/New_York"))
SHIFTS = (
    *(("09:00", "17:00"), ("22:00", "02:00"), ("00:00", "24:00"), ("02:30", "04:00"), ("01:30", "03:00")),
    *(("18:00", "18:00"), ("08:15", "23:59:30"), ("06:00", "06:30"), ("17:00", "22:00")),
)
WEEKS = st.lists(st.sampled_from(SHIFTS), min_size=1, max_size=2)
CLOSED_DAYS = st.sets(st.integers(0, 6), max_size=3)
LIMITS = st.sampled_from((7 * DAY, 7 * DAY, 7 * DAY, DAY, 6 * HOUR, HOUR, 90 * MINUTE))
GAPS = st.sampled_from(
    (
        *(timedelta(0), 15 * MINUTE, 15 * MINUTE, 30 * MINUTE, 30 * MINUTE, HOUR, HOUR),
        2 * HOUR,
        5 * HOUR,
        12 * HOUR,
        DAY,
    )
)
EVERY = st.sampled_from((HOUR, 15 * MINUTE, 30 * MINUTE, 10 * MINUTE, 4 * HOUR))
TIMES, LEAST = st.sampled_from((1, 1, 2, 4, 8)), st.sampled_from((1, 5, 10))
MINUTES = st.integers(0, 36 * 60).map(lambda minutes: minutes * MINUTE)
MICROSECONDS = st.sampled_from((TICK, -TICK, TICK * 3)) | st.integers(0, 86_400_000_000).map(lambda us: us * TICK)
STATUSES = st.sampled_from(("active", "inactive"))
REGIONS, BRANDS = st.sampled_from(("West", "West", "East", "")), st.sampled_from(("X", "Y", ""))

LASTING = st.sampled_from((15, 5, 30, 60, 90, 120, 240, 1440)).map(lambda minutes: minutes * MINUTE)
RECOVERIES = st.sampled_from((0, 0, 5, 30, 60, 240, 1440, 7200)).map(lambda minutes: minutes * MINUTE)
WINDOWS = st.sampled_from((HOUR, 2 * HOUR, 4 * HOUR, DAY, 7 * DAY, 90 * MINUTE))
LONG_AND_SHORT = st.sampled_from(((4 * HOUR, HOUR), (DAY, 4 * HOUR), (HOUR, 30 * MINUTE), (7 * DAY, DAY), (HOUR, HOUR)))
SHARES = st.sampled_from(("75", "50", "90", "98", "99.9", "66.67", "25")).map(lambda percent: Fraction(percent) / 100)
COVERAGES = st.sampled_from(("50", "50", "25", "75", "100")).map(lambda percent: Fraction(percent) / 100)
RATES = st.sampled_from(("1", "2", "5", "6", "0.5", "14.4")).map(Fraction)
TARGETS = st.sampled_from(("90", "80", "50", "99.5", "99.9")).map(lambda percent: Fraction(percent) / 100)
TAGS = st.sampled_from((("region",), ("region", "brand")))
NO_TAGS: st.SearchStrategy[tuple[str, ...]] = st.just(())


@dataclass(frozen=True)
class World:
    """A case, and the window `[starts_at, ends_at)` that is looked at with as-of its end."""

    case: Case
    starts_at: datetime
    ends_at: datetime


@st.composite
def hours_of(draw: st.DrawFn, store_id: str) -> list[Row]:
    if draw(st.booleans()):
        return []
    closed, week = draw(CLOSED_DAYS), draw(WEEKS)
    return [(store_id, day, *shift) for day in range(7) if day not in closed for shift in week]


@st.composite
def polls_of(draw: st.DrawFn, store_id: str, begins: datetime, limit: timedelta, *, by_minutes: bool) -> list[Poll]:
    """Runs of regular polls of one status, some at once with another's, some as far apart as they are believed."""
    gaps = GAPS | GAPS | MINUTES | st.sampled_from((limit, 2 * limit))
    if not by_minutes:
        gaps |= MICROSECONDS | st.sampled_from((limit + TICK, limit - TICK))
    at, found = begins + draw(GAPS), []
    runs = st.tuples(gaps, STATUSES, TIMES, EVERY)
    for gap, status, times, every in draw(st.lists(runs, min_size=draw(LEAST), max_size=10)):
        found += [(store_id, status, at + gap + number * every) for number in range(times)]
        at = found[-1][2]
    return found


@st.composite
def special_hours_of(draw: st.DrawFn, stores: list[str], begins: date) -> list[SpecialRow]:
    rows = st.tuples(st.sampled_from(["*", *stores]), st.integers(-1, 5), st.sampled_from((("", ""), *SHIFTS)))
    found = [(named, f"{begins + days * DAY}", *shift) for named, days, shift in draw(st.lists(rows, max_size=3))]
    # Closed and open at once is a contradiction, which is refused.
    opened = {row[:2] for row in found if row[2]}
    return [row for row in found if row[2] or row[:2] not in opened]


@st.composite
def maintenance_of(draw: st.DrawFn, stores: list[str], begins: datetime) -> list[Maintenance]:
    lengths = st.sampled_from((15 * MINUTE, HOUR, 6 * HOUR, DAY))
    rows = st.tuples(st.sampled_from(["*", *stores]), MINUTES | GAPS, lengths)
    return [
        (named, begins + after, begins + after + length) for named, after, length in draw(st.lists(rows, max_size=2))
    ]


@st.composite
def worlds(draw: st.DrawFn, max_stores: int = 3, days: int = 10, *, by_minutes: bool = False) -> World:
    """One world of up to so many days. By minutes, all that happens happens at the beginning of one."""
    begins, zone = draw(st.sampled_from(TIMES_OF_CHANGE))
    stores = list(STORE_IDS[: draw(st.integers(1, max_stores))])
    limit = draw(LIMITS if by_minutes else LIMITS | st.just(90 * MINUTE + TICK))
    zones = {store_id: draw(st.just(zone) | OTHER_ZONES) for store_id in stores}
    polls = [poll for store_id in stores for poll in draw(polls_of(store_id, begins, limit, by_minutes=by_minutes))]
    hours = [row for store_id in stores for row in draw(hours_of(store_id))]
    if by_minutes:
        hours = [row for row in hours if row[3] != "23:59:30"]
    # The first store has every tag, so that it is known.
    tags = {stores[0]: {"region": "West", "brand": "X"}}
    for store_id in stores[1:]:
        tags[store_id] = {"region": draw(REGIONS), "brand": draw(BRANDS)}
    case = Case(
        polls,
        hours,
        {store_id: named for store_id, named in zones.items() if named},
        None,
        limit,
        draw(st.just([]) | special_hours_of(stores, begins.date())),
        draw(st.just([]) | maintenance_of(stores, begins)),
        {store_id: {name: value for name, value in of.items() if value} for store_id, of in tags.items()},
    )
    at = st.sampled_from(sorted({poll[2] for poll in polls}))
    later = st.sampled_from((timedelta(0), MINUTE, HOUR, DAY, 3 * DAY, limit)) | (
        MINUTES if by_minutes else MICROSECONDS
    )
    newest = max(poll[2] for poll in polls)
    ends_at = min(draw(st.just(newest) | at) + draw(later), begins + days * DAY)
    shortly = st.sampled_from((HOUR, DAY)).map(lambda before: ends_at - before)
    starts_at = draw(st.just(begins - DAY) | shortly | at.map(lambda instant: min(instant, ends_at - MINUTE)))
    return World(case, starts_at, ends_at)


@st.composite
def rules(draw: st.DrawFn, kind: Kind) -> Rule:
    where = draw(st.sampled_from(({}, {}, {"region": "West"}, {"brand": "X", "region": "West"})))
    recovery = draw(RECOVERIES)
    if kind in ("down", "silent"):
        return Rule(kind, lasting=draw(LASTING), where=where, recovery=recovery)
    if kind == "below":
        threshold, recover = draw(SHARES), draw(st.none() | SHARES)
        return Rule(
            kind,
            threshold=threshold,
            recover=None if recover is None else max(recover, threshold),
            windows=(draw(WINDOWS),),
            coverage=draw(COVERAGES),
            by=draw(NO_TAGS | TAGS),
            where=where,
            recovery=recovery,
        )
    if kind == "burn":
        threshold, recover = draw(RATES), draw(st.none() | RATES)
        return Rule(
            kind,
            threshold=threshold,
            recover=recover if recover is not None and recover < threshold else None,
            windows=draw(LONG_AND_SHORT),
            target=draw(TARGETS),
            by=draw(NO_TAGS | TAGS),
            where=where,
            recovery=recovery,
        )
    count, share = draw(st.none() | st.integers(1, 4)), draw(st.none() | SHARES)
    count = 2 if count is None and share is None else count
    return Rule(kind, count=count, share=share, by=draw(TAGS | NO_TAGS), where=where, recovery=recovery)


def number(value: Fraction) -> str:
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"


def percent(value: Fraction) -> str:
    return f"{number(value * 100)}%"


def length(value: timedelta) -> str:
    """`90m`, `2h`, `7d`: in the largest unit of which it is a whole number."""
    for unit, of in (("d", DAY), ("h", HOUR)):
        if not value % of:
            return f"{value // of}{unit}"
    return f"{value // MINUTE}m"


def condition(rule: Rule) -> str:
    """What stands after `when`."""
    windows = " and ".join(length(window) for window in rule.windows)
    if rule.kind in ("down", "silent"):
        return f"{rule.kind} for {length(rule.lasting)}"
    if rule.kind == "below":
        return f"availability < {percent(rule.threshold)} over {windows}"
    if rule.kind == "burn":
        return f"burn > {number(rule.threshold)} of {percent(rule.target)} over {windows}"
    parts = [f"{rule.count} stores"] if rule.count is not None else []
    parts += [percent(rule.share)] if rule.share is not None else []
    return f"{' and '.join(parts)} down"


def written(rule: Rule, name: str = "a rule") -> str:
    """As it stands in rules.toml."""
    lines = ["[[rules]]", f'name = "{name}"', f'when = "{condition(rule)}"']
    if rule.where:
        lines.append(f"where = {[f'{tag}={value}' for tag, value in rule.where.items()]}".replace("'", '"'))
    if rule.by:
        lines.append(f"by = {[*rule.by]}".replace("'", '"'))
    if rule.recovery:
        lines.append(f'recovery = "{length(rule.recovery)}"')
    if rule.kind == "below" and rule.coverage != Fraction(1, 2):
        lines.append(f'coverage = "{percent(rule.coverage)}"')
    if rule.recover is not None:
        lines.append(f'recover = "{(percent if rule.kind == "below" else number)(rule.recover)}"')
    return "\n".join(lines) + "\n"
