"""The polls that can decide a state in a window, and the rule and the polls that give each spell.

Instants are microseconds since 1970 in UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import polars as pl

from storemon.answers.explanation.parts import MICROSECOND, Interval, Piece, Poll, Reason, Rule, Spell, State, instant
from storemon.answers.explanation.pieces import Stretch
from storemon.engine.question import Policy
from storemon.units.instants import microseconds


def deciding_polls(polls: pl.DataFrame, starts: int, ends: int, carry_us: int, until: int) -> pl.DataFrame:
    """Keep the polls that can decide a state in the window: ``polled_at, active``, in order, the inactive one first."""
    polled_at = pl.col("polled_at").to_physical()
    near = polls.select(polled_at, "active").filter(
        polled_at > starts - carry_us, polled_at < ends + carry_us, polled_at <= until
    )
    return near.sort("polled_at", "active") if starts < ends else near.clear()


@dataclass(frozen=True)
class Deciding:
    """The polls of one store that can decide its state; instants are microseconds since 1970 in UTC.

    Attributes:
        policy: what is held true between polls.
        polls: the instants at which it was polled, in order, each once.
        first: its first poll ever.

    """

    policy: Policy
    polls: list[int]
    first: int

    def reasons(self, starts: int, ends: int, *, known: bool) -> tuple[Reason, ...]:
        """Tell why one state is held from ``starts`` to ``ends``."""
        if self.policy == "nearest":
            return (self._nearest(starts, ends) if known else self._none("far", starts, ends),)
        if not known:
            return (self._none("lapsed", starts, ends),)
        reached = [self._reached(starts, min(ends, self.first))] if starts < self.first else []
        return (*reached, self._latest(max(starts, self.first), ends)) if ends > self.first else tuple(reached)

    def _latest(self, starts: int, ends: int) -> Reason:
        polls = self.polls[bisect_right(self.polls, starts) - 1 : bisect_left(self.polls, ends)]
        furthest = max(until - poll for poll, until in pairwise([*polls, ends]))
        return _reason("latest", starts, ends, polls, furthest)

    def _reached(self, starts: int, ends: int) -> Reason:
        return _reason("first", starts, ends, [self.first], self.first - starts)

    def _nearest(self, starts: int, ends: int) -> Reason:
        polls = self.polls[self._nearest_to(starts) : self._nearest_to(ends - 1) + 1]
        gaps = [(later - earlier + 1) // 2 for earlier, later in pairwise(polls)]
        return _reason("nearest", starts, ends, polls, max(polls[0] - starts, ends - polls[-1], *gaps, 0))

    def _nearest_to(self, at: int) -> int:
        """Find the place of the poll that is nearest to the microsecond after an instant, of two the earlier."""
        later = bisect_right(self.polls, at)
        if later in (0, len(self.polls)):
            return max(later - 1, 0)
        middle = 2 * at + 1
        return later if 2 * self.polls[later] - middle < middle - 2 * self.polls[later - 1] else later - 1

    def _none(self, rule: Rule, starts: int, ends: int) -> Reason:
        before = self.polls[: bisect_right(self.polls, starts)][-1:]
        return _reason(rule, starts, ends, before, None)


def told_polls(
    polls: pl.DataFrame, deciding: Deciding, starts: int, ends: int, scheduled: Sequence[Interval]
) -> tuple[Poll, ...]:
    """Tell the polls inside the window, the last one before it, and the first one after it where that decides."""
    before = deciding.polls[: bisect_left(deciding.polls, starts)][-1:]
    after = deciding.polls[bisect_left(deciding.polls, ends) :][:1]
    if deciding.policy == "carry" and after != [deciding.first]:
        after = []
    first, last = (before or [starts])[0], (after or [ends - 1])[0]
    inactive = {*polls.filter(~pl.col("active"))["polled_at"]}
    opens = [microseconds(interval.starts_at) for interval in scheduled]

    def told(polled_at: int, *, active: bool) -> Poll:
        at, latest = instant(polled_at), bisect_right(opens, polled_at) - 1
        return Poll(
            *(at, active),
            counts=not (active and polled_at in inactive),
            open=latest >= 0 and at < scheduled[latest].ends_at,
            place="before" if polled_at < starts else "inside" if polled_at < ends else "after",
        )

    near = polls.filter(pl.col("polled_at").is_between(first, last))
    return tuple(told(polled_at, active=active) for polled_at, active in near.rows())


def told_spells(held: Sequence[Stretch[State]], told: Sequence[Piece], deciding: Deciding) -> tuple[Spell, ...]:
    """Tell why each spell is held, and how much open time of the pieces lies in it."""
    begins = [spell.starts for spell in held]
    open_times = [timedelta()] * len(held)
    for piece in told:
        if piece.held != "excluded":  # such a piece lies in one spell
            open_times[bisect_right(begins, microseconds(piece.starts_at)) - 1] += piece.ends_at - piece.starts_at
    return tuple(
        Spell(
            *(instant(starts), instant(ends), state, open_time),
            because=deciding.reasons(starts, ends, known=state != "unknown"),
        )
        for (starts, ends, state), open_time in zip(held, open_times, strict=True)
    )


def _reason(rule: Rule, starts: int, ends: int, polls: list[int], furthest: int | None) -> Reason:
    return Reason(
        *(rule, instant(starts), instant(ends)),
        polls=0 if furthest is None else len(polls),
        first_poll=instant(polls[0]) if polls else None,
        last_poll=instant(polls[-1]) if polls else None,
        furthest=None if furthest is None else furthest * MICROSECOND,
    )
