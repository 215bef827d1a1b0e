"""Hour of week: the figures of a window by local weekday and hour."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Unpack

from .calendars import parts, wall
from .exceptions import Exceptions
from .measured import Figures, add_up, timeline_between
from .questions import Asked, questions
from .service_time import DEFAULT_ZONE, Interval, Row
from .states import CARRY_LIMIT, Policy, Poll

Cell = tuple[int, int]
"""Weekday (0 is Monday) and hour, both as the wall clock shows them."""
CELLS = [(weekday, hour) for weekday in range(7) for hour in range(24)]


def sum_of(figures: Iterable[Figures]) -> Figures:
    total = Figures(0, 0, 0, 0, 0)
    for one in figures:
        total = Figures(*(so_far + more for so_far, more in zip(total, one, strict=True)))
    return total


def hour_of_week_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
    **exceptions: Unpack[Exceptions],
) -> dict[Cell, Figures]:
    """All 7 x 24 cells, in order. Hours that the clocks show alike are in one cell."""
    of_store = polls_of_store, hours_of_store, zone, window, as_of
    timeline = timeline_between(*of_store, carry_limit=carry_limit, policy=policy, **exceptions)
    by_cell: dict[Cell, list[Figures]] = {cell: [] for cell in CELLS}
    for part in parts(window, "hour", zone):
        shown = wall(part[0], zone or DEFAULT_ZONE)
        by_cell[shown.weekday(), shown.hour].append(add_up(timeline, part))
    return {cell: sum_of(of_cell) for cell, of_cell in by_cell.items()}


def hour_of_week(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, dict[Cell, Figures]]]:
    return {
        store_id: {
            name: hour_of_week_between(*question, carry_limit=carry_limit, policy=policy, **exceptions)
            for name, (question, exceptions) in by_window.items()
        }
        for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items()
    }
