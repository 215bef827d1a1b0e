"""What is true of each store at one instant, and since when; and how many of a group are open and in which state.

The instant `t` stands for the microsecond `[t, t + 1)`, as it does for the states. No poll after it counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Unpack

from .exceptions import Exceptions, service_and_excluded
from .groups import Group, grouped
from .questions import Asked, Tags, questions
from .service_time import MICROSECOND, Interval, Row, Stretch, instant, length_of, micros, union
from .states import CARRY_LIMIT, Policy, Poll, Told, pieces, state, tell

FIRST = micros(datetime(1, 1, 1, tzinfo=UTC))
"""A spell that would begin before it is told from there."""
AHEAD = timedelta(days=400)
"""How far ahead an opening or a closing is looked for: longer than any schedule of weeks and years stands still."""
INSTANT: Mapping[str, Interval] = {"now": (instant(0), instant(1))}
"""A window for the sake of asking; nothing here depends on it."""


class Now(NamedTuple):
    state: str
    is_open: bool
    since: datetime | None
    open_time_us: int | None
    """In `[since, t)`."""
    last_polled_at: datetime | None
    last_active_at: datetime | None
    next_change_at: datetime | None


class Counts(NamedTuple):
    """Of a group's stores: how many are open in each state, and how many are closed."""

    stores: int
    open: int
    open_active: int
    open_inactive: int
    open_unknown: int
    closed: int


def spell_start(told: Told, t: int, limit: int, policy: Policy) -> int | None:
    """Where the spell that contains `t` starts; nothing, where the state is unknown since ever."""
    if not told:
        return None
    held, starts = state(told, t, limit, policy), t
    # Before a limit before the first poll, all is unknown; so there no spell of a state that is known goes on.
    for piece_starts, piece_ends in reversed([*pieces(told, (told[0][0] - limit, t + 1), limit)]):
        if state(told, piece_ends - 1, limit, policy) != held:
            return max(starts, FIRST)
        starts = piece_starts
    return max(starts, FIRST)


def next_edge(service: Iterable[Stretch], t: int, horizon: int) -> int | None:
    """The first edge of open time after `t`; what touches has none between, and what a horizon cuts has none there."""
    edges = [edge for stretch in union(service) for edge in stretch]
    return min((edge for edge in edges if t < edge < horizon), default=None)


def now_of(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    at: datetime,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
    **exceptions: Unpack[Exceptions],
) -> Now:
    """What is true of one store at an instant."""

    def open_time(starts: int, ends: int) -> list[Stretch]:
        window = instant(starts), instant(ends)
        return service_and_excluded(hours_of_store, zone, window, None, **exceptions)[0]

    told, limit, t = tell(polls_of_store, at), carry_limit // MICROSECOND, micros(at)
    since = spell_start(told, t, limit, policy)
    active = [poll for poll, status in told if status == "active"]
    horizon = t + AHEAD // MICROSECOND
    change = next_edge(open_time(t, horizon), t, horizon)
    return Now(
        state=state(told, t, limit, policy),
        is_open=bool(open_time(t, t + 1)),
        since=None if since is None else instant(since),
        open_time_us=None if since is None else length_of(open_time(since, t)),
        last_polled_at=instant(told[-1][0]) if told else None,
        last_active_at=instant(active[-1]) if active else None,
        next_change_at=None if change is None else instant(change),
    )


def now(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, Now]:
    """By store, in the order of the report: those with a poll at or before as-of."""
    found: dict[str, Now] = {}
    asked["windows"] = INSTANT
    for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items():
        question, exceptions = by_window["now"]
        of_store = question.polls_of_store, question.hours_of_store, question.zone, question.as_of
        found[store_id] = now_of(*of_store, carry_limit=carry_limit, policy=policy, **exceptions)
    return found


def counts_of(stores: Sequence[Now]) -> Counts:
    states = [store.state for store in stores if store.is_open]
    active, inactive, unknown = (states.count(state) for state in ("active", "inactive", "unknown"))
    return Counts(len(stores), len(states), active, inactive, unknown, len(stores) - len(states))


def group_now(by_store: Mapping[str, Now], tags: Tags, by: Sequence[str]) -> dict[Group, Counts]:
    """By group, in the order of its plain text."""
    members = grouped({store_id: {"now": of_store} for store_id, of_store in by_store.items()}, tags, by)
    return {group: counts_of(by_window["now"]) for group, by_window in members.items()}
