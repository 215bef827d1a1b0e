"""What is held true of an instant, from one store's polls and nothing else.

The instant `t` stands for the microsecond `[t, t + 1)`, judged at its middle. So a poll at `p`, believed while it is
at most `L` old, covers `[p, p + L)`; and between two polls equally near only an odd microsecond is left to tie.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from .service_time import MICROSECOND, Stretch, cut_at, micros

Poll = tuple[str, str, datetime]
"""One poll: store_id, `active` or `inactive`, the instant."""
Told = list[tuple[int, str]]
"""What one store's polls say: (microseconds since 1970, status), in order, one for each instant."""
Policy = Literal["carry", "nearest"]

CARRY_LIMIT = timedelta(days=7)


def tell(polls_of_store: Iterable[Poll], as_of: datetime | None) -> Told:
    """Only polls at or before as-of count (all of them, without one); two that disagree are inactive."""
    told: dict[int, str] = {}
    for _, status, at in polls_of_store:
        poll = micros(at)
        if as_of is None or poll <= micros(as_of):
            told[poll] = "inactive" if "inactive" in (status, told.get(poll)) else "active"
    return sorted(told.items())


def carried(told: Told, t: int, limit: int) -> str:
    at_or_before = [(poll, status) for poll, status in told if poll <= t]
    if at_or_before:
        latest, status = at_or_before[-1]
        return status if latest <= t < latest + limit else "unknown"
    if told:
        first, status = told[0]
        return status if first - limit <= t < first else "unknown"
    return "unknown"


def nearest(told: Told, t: int, limit: int) -> str:
    if not told:
        return "unknown"
    # Distances are doubled, so that the middle of a microsecond is a whole number. The lesser poll wins a tie.
    middle = 2 * t + 1
    distance, _, status = min((abs(middle - 2 * poll), poll, status) for poll, status in told)
    return status if distance <= 2 * limit else "unknown"


def state(told: Told, t: int, limit: int, policy: Policy) -> str:
    return carried(told, t, limit) if policy == "carry" else nearest(told, t, limit)


def state_at(
    polls_of_store: Iterable[Poll],
    t: datetime,
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
) -> str:
    """`active`, `inactive` or `unknown`."""
    return state(tell(polls_of_store, as_of), micros(t), carry_limit // MICROSECOND, policy)


def pieces(told: Told, stretch: Stretch, limit: int) -> Iterator[Stretch]:
    """Cut a stretch at every instant where the state could change, under either policy."""
    polls = [poll for poll, _ in told]
    halfway = [(earlier + later + 1) // 2 for earlier, later in pairwise(polls)]
    cuts = {cut for poll in polls for cut in (poll - limit, poll, poll + limit)}.union(halfway)
    return cut_at(stretch, cuts)
