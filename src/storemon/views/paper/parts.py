"""What is on the pages of a report: figures that were computed, and what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import polars as pl

Part = Literal["day", "week", "month"]
Row = dict[str, Any]
"""Measures by their names as `storemon.report` tells them, without the window; also ``_previous`` and ``_change``."""


class Spread(NamedTuple):
    """How many stores have which availability, from the worst to the best, and of how many nothing is known."""

    down_throughout: int = 0
    below_half: int = 0
    below_95: int = 0
    below_100: int = 0
    up_throughout: int = 0
    nothing_known: int = 0


@dataclass(frozen=True)
class Paper:
    """A report of one window.

    Attributes:
        title: what the window is called.
        stretch: from when to when it goes, by whose clocks.
        which: which stores it is of.
        so_far: as-of lies in it, where it would end later.
        before: what the window before is called, like ``the week before``.
        as_of: the report's now.
        totals: the figures of all stores together; None if there is no store.
        parts: the window cut into local days, weeks or months, named ``unit``: all stores together.
        hours: the 168 hours of the week, all stores together.
        groups: the worst groups, of ``group_count``, with the tags ``by``; None where groups were not asked for.
        stores: the worst stores, of ``store_count``, ``name`` among their columns.
        spread: how the availability of all stores is spread.
        outages: the longest outages, of ``outage_count``, with ``name`` and ``zone``.
        weak: what weakens the figures, in a line, or nothing.
        target: the availability that was promised, in percent, if any was; ``missed`` by so many stores.
        policy: what is held true between polls: ``carry`` or ``nearest``; a poll is believed for ``carry_limit``.

    """

    title: str
    stretch: str
    which: str
    so_far: bool
    before: str
    as_of: datetime
    totals: Row | None
    unit: Part
    parts: pl.DataFrame
    hours: pl.DataFrame
    by: Sequence[str]
    groups: pl.DataFrame | None
    group_count: int
    stores: pl.DataFrame
    store_count: int
    spread: Spread
    outages: pl.DataFrame
    outage_count: int
    weak: str
    target: str | None
    missed: int
    policy: str
    carry_limit: timedelta
