"""Changes of state and open intervals ► the spells and the pieces of one store in one window.

Instants are microseconds since 1970 in UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import polars as pl

from storemon.answers.explanation.parts import Edge, Held, Interval, Piece, State, instant
from storemon.units.instants import microseconds

_STATES: dict[bool | None, State] = {True: "active", False: "inactive", None: "unknown"}


What = TypeVar("What", State, Held)


class Stretch(NamedTuple, Generic[What]):
    """A stretch of time and what is held of it."""

    starts: int
    ends: int
    held: What


def spells(states: pl.DataFrame, starts: int, ends: int) -> list[Stretch[State]]:
    """Lay out the spells of one store from ``starts`` to ``ends``, the first and the last one cut there.

    Args:
        states: ``instant, active`` in order, from where on each is held.
        starts: where the window starts.
        ends: where it ends.

    """
    becomes: dict[int, State] = {starts: "unknown"}
    for at, active in states.select("instant", "active").rows():
        becomes[max(at, starts)] = _STATES[active]
    edges = [*(at for at in becomes if at < ends), ends]
    return _joined([Stretch[State](since, until, becomes[since]) for since, until in pairwise(edges)])


def laid_out(
    spells: Sequence[Stretch[State]], open_intervals: pl.DataFrame, excluded_intervals: pl.DataFrame
) -> list[Stretch[Held]]:
    """Cut the schedule of one store into maximal stretches of which one thing is held; the intervals lie in the spells.

    Both frames have ``opens_at, closes_at``.
    """
    begins = [spell.starts for spell in spells]
    edges = excluded_intervals.select("opens_at", "closes_at").rows()
    found = [Stretch[Held](opens, closes, "excluded") for opens, closes in edges]
    for opens, closes in open_intervals.select("opens_at", "closes_at").rows():
        found += [
            Stretch[Held](max(opens, spell.starts), min(closes, spell.ends), spell.held)
            for spell in spells[bisect_right(begins, opens) - 1 : bisect_left(begins, closes)]
        ]
    return _joined(sorted(found))


def pieces(
    stretches: Sequence[Stretch[Held]], starts: int, ends: int, scheduled: Iterable[Interval]
) -> tuple[Piece, ...]:
    """Tell of each stretch what begins and what ends it.

    Args:
        stretches: as `laid_out` gives them.
        starts: where the window starts.
        ends: where it ends.
        scheduled: the schedule before maintenance, beyond the window where it goes on there.

    """
    cut = {edge for interval in scheduled for edge in (starts, ends) if _inside(interval, edge)}
    edges: list[Edge] = []
    before: Stretch[Held] | None = None
    for stretch in (*stretches, None):
        if before is None or stretch is None or before.ends != stretch.starts:
            edges += [_outer(before.ends, cut)] if before else []
            edges += [_outer(stretch.starts, cut)] if stretch else []
        else:
            edges += ["maintenance" if "excluded" in (before.held, stretch.held) else "state"] * 2
        before = stretch
    return tuple(
        Piece(instant(since), instant(until), held, *by)
        for (since, until, held), by in zip(stretches, zip(edges[::2], edges[1::2], strict=True), strict=True)
    )


def _joined(stretches: Iterable[Stretch[What]]) -> list[Stretch[What]]:
    """Join each stretch to the one before it that it touches, where the same is held of both."""
    joined: list[Stretch[What]] = []
    for stretch in stretches:
        if joined and joined[-1][1:] == (stretch.starts, stretch.held):
            joined[-1] = joined[-1]._replace(ends=stretch.ends)
        else:
            joined.append(stretch)
    return joined


def _inside(interval: Interval, edge: int) -> bool:
    return microseconds(interval.starts_at) < edge < microseconds(interval.ends_at)


def _outer(edge: int, cut: set[int]) -> Edge:
    return "window" if edge in cut else "schedule"
