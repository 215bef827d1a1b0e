"""Groups of stores by their tags: sums of microseconds, divided once at the end."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import TypeVar

from .measured import Bounds, Figures
from .outages import Outage, Summary, summary
from .questions import Tags, tag_of
from .series import Part
from .week import CELLS, Cell, sum_of

Group = tuple[str, ...]
"""The values of the tags that it goes by, in their order; without tags, the one group of all stores."""
T = TypeVar("T")
ByWindow = Mapping[str, T]
ByStore = Mapping[str, ByWindow[T]]
ByGroup = dict[Group, dict[str, T]]


def coverage(figures: Figures) -> Fraction | None:
    known = figures.uptime_us + figures.downtime_us
    return Fraction(known, figures.service_us) if figures.service_us else None


def availability(figures: Figures) -> Fraction | None:
    known = figures.uptime_us + figures.downtime_us
    return Fraction(figures.uptime_us, known) if known else None


def percentage(share: Fraction | None) -> str:
    """Two decimals, rounded down; nothing, where there is no share."""
    if share is None:
        return ""
    hundredths = floor(share * 100 * 100)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def grouped(by_store: ByStore[T], tags: Tags, by: Sequence[str]) -> ByGroup[list[T]]:
    """By group, in the order of its plain text, and by window: what its stores have there."""
    found: ByGroup[list[T]] = {}
    for store_id, by_window in by_store.items():
        group = found.setdefault(tuple(tag_of(store_id, tags, name) for name in by), {})
        for window, of_store in by_window.items():
            group.setdefault(window, []).append(of_store)
    return {group: found[group] for group in sorted(found, key=lambda group: [value.encode() for value in group])}


def group_figures(by_store: ByStore[Figures], tags: Tags, by: Sequence[str]) -> ByGroup[Figures]:
    return {
        group: {window: sum_of(members) for window, members in by_window.items()}
        for group, by_window in grouped(by_store, tags, by).items()
    }


def group_bounds(by_store: ByStore[Bounds], tags: Tags, by: Sequence[str]) -> ByGroup[Bounds]:
    def sum_of_bounds(members: Iterable[Bounds]) -> Bounds:
        lowest, highest = zip(*members, strict=True)
        return Bounds(sum(lowest), sum(highest))

    return {
        group: {window: sum_of_bounds(members) for window, members in by_window.items()}
        for group, by_window in grouped(by_store, tags, by).items()
    }


def group_summaries(
    outages: ByStore[list[Outage]], figures: ByStore[Figures], tags: Tags, by: Sequence[str]
) -> ByGroup[Summary]:
    """As of one store with the outages of all and the uptime of all: two stores down at once are two outages."""
    uptimes = group_figures(figures, tags, by)
    return {
        group: {
            window: summary([outage for of_store in members for outage in of_store], uptimes[group][window].uptime_us)
            for window, members in by_window.items()
        }
        for group, by_window in grouped(outages, tags, by).items()
    }


def group_hour_of_week(
    by_store: ByStore[Mapping[Cell, Figures]], tags: Tags, by: Sequence[str]
) -> ByGroup[dict[Cell, Figures]]:
    """Each store's own local hours: 9 in the morning in New York and in Los Angeles are one cell."""
    return {
        group: {
            window: {cell: sum_of(member[cell] for member in members) for cell in CELLS}
            for window, members in by_window.items()
        }
        for group, by_window in grouped(by_store, tags, by).items()
    }


def group_series(by_store: ByStore[list[Part]], tags: Tags, by: Sequence[str]) -> ByGroup[dict[datetime, Figures]]:
    """By bucket: what each store's own clocks and calendar call the same is added up."""
    found: ByGroup[dict[datetime, Figures]] = {}
    for group, by_window in grouped(by_store, tags, by).items():
        found[group] = {}
        for window, members in by_window.items():
            all_parts = [part for member in members for part in member]
            found[group][window] = {
                bucket: sum_of(part.figures for part in all_parts if part.bucket == bucket)
                for bucket in sorted({part.bucket for part in all_parts})
            }
    return found
