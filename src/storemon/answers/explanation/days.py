"""The service schedule told date by date: the rows that apply to a local date as written, and what they open of it."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from storemon.answers.explanation.parts import Day, Interval, Maintenance, Shift, Source, instant
from storemon.calendar.periods import midnight
from storemon.calendar.schedule import open_intervals
from storemon.calendar.zones import clock_changes
from storemon.engine.facts import Facts
from storemon.lake.schemas import EVERY_STORE
from storemon.units.zones import zone_info

_DAY = timedelta(days=1)
_SECONDS = 86_400
_LAST_MINUTE = _SECONDS - 60
_ALWAYS = Shift(0, _SECONDS, ())


def days(facts: Facts, zone: str, starts_at: datetime, ends_at: datetime) -> tuple[Day, ...]:
    """Tell the schedule of the one store of ``facts`` on each local date that ``[starts_at, ends_at)`` touches."""
    if starts_at == ends_at:
        return ()
    midnights = _midnights(zone, starts_at, ends_at)
    first, last = min(midnights.values()), max(midnights.values())
    store_id = facts.stores["store_id"][0]
    hours = facts.snapshot.hours().filter(pl.col("store_id") == store_id)
    special_hours = facts.snapshot.special_hours()
    stores = facts.stores.with_columns(zone=pl.lit(zone))
    intervals = open_intervals(stores, hours, special_hours, first, last).select("opens_at", "closes_at").rows()
    opened = [Interval(instant(opens), instant(closes)) for opens, closes in intervals]
    written = _Written.of(store_id, hours, special_hours)
    changes = clock_changes(zone, first, last)
    return tuple(
        Day(
            *(day, begins, midnights[day + _DAY], *written.on(day)),
            open=_within(opened, begins, midnights[day + _DAY]),
            tail=any(_reaches_over(shift) for shift in written.on(day - _DAY)[1]),
            clock_changes=tuple(change for change in changes if begins <= change.at < midnights[day + _DAY]),
        )
        for day, begins in list(midnights.items())[:-1]
    )


def maintenance_of_window(
    maintenance: pl.DataFrame, store_id: str, starts_at: datetime, ends_at: datetime
) -> tuple[Maintenance, ...]:
    """Pick the rows of ``store_id, starts_at, ends_at, reason`` that are for the store and touch the window."""
    touching = maintenance.filter(
        pl.col("store_id").is_in([store_id, EVERY_STORE]), pl.col("starts_at") < ends_at, pl.col("ends_at") > starts_at
    )
    rows = touching.filter(pl.col("starts_at") < pl.col("ends_at")).unique().sort("starts_at", "ends_at", "store_id")
    return tuple(
        Maintenance(begins, ends, reason or "", named == EVERY_STORE)
        for named, begins, ends, reason in rows.select("store_id", "starts_at", "ends_at", "reason").rows()
    )


def _midnights(zone: str, starts_at: datetime, ends_at: datetime) -> dict[date, datetime]:
    """Find where the touched dates begin, and where the last of them ends: the date after it."""
    found: dict[date, datetime] = {}
    day = starts_at.astimezone(zone_info(zone)).date() - _DAY
    while (begins := midnight(day, zone)) < ends_at:
        if (ends := midnight(day + _DAY, zone)) > starts_at:
            found |= {day: begins, day + _DAY: ends}
        day += _DAY
    return found


@dataclass(frozen=True)
class _Written:
    """The rows of one store as written: special ones of its own and of every store by date, weekly ones by weekday."""

    special: dict[date, tuple[Shift, ...]]
    general: dict[date, tuple[Shift, ...]]
    weekly: dict[int, tuple[Shift, ...]]

    @staticmethod
    def of(store_id: str, hours: pl.DataFrame, special_hours: pl.DataFrame) -> "_Written":
        special, general = (
            _shifts(special_hours.filter(pl.col("store_id") == named), "date") for named in (store_id, EVERY_STORE)
        )
        return _Written(special, general, _shifts(hours, "weekday"))

    def on(self, day: date) -> tuple[Source, tuple[Shift, ...]]:
        """Pick the rows that apply: its own special ones, else those of every store, else the weekly ones."""
        if day in self.special:
            return "special hours", self.special[day]
        if day in self.general:
            return "special hours of every store", self.general[day]
        return ("weekly hours", self.weekly.get(day.weekday(), ())) if self.weekly else ("no hours", (_ALWAYS,))


def _shifts(rows: pl.DataFrame, by: str) -> dict[Any, tuple[Shift, ...]]:
    found: dict[Any, tuple[Shift, ...]] = {}
    for key, opens, closes in rows.select(by, "opens_local", "closes_local").unique().sort(pl.all()).rows():
        found[key] = (*found.get(key, ()), Shift(opens, closes, _notes(opens, closes)))
    return found


def _notes(opens: int | None, closes: int | None) -> tuple[str, ...]:
    """Say how a row is read where that is not plain; the numbers are those of docs/semantics.md, "Service time"."""
    if opens is None or closes is None:
        return ("closed all day",)
    notes = ("closes in the last minute, that is at midnight: rule 4",) if closes >= _LAST_MINUTE else ()
    if _closes(opens, closes) - opens == _SECONDS and opens:
        return (*notes, "closes 24 hours after it opens: rule 5")
    return (*notes, "closes on the next date: rule 5") if _closes(opens, closes) > _SECONDS else notes


def _closes(opens: int, closes: int) -> int:
    """Count the seconds from the midnight before the opening time to the closing time that is meant."""
    meant = _SECONDS if closes >= _LAST_MINUTE else closes
    return meant + _SECONDS if meant <= opens else meant


def _reaches_over(shift: Shift) -> bool:
    """Tell whether a row opens something of the next date."""
    opens, closes = shift.opens_local, shift.closes_local
    return opens is not None and closes is not None and _closes(opens, closes) > _SECONDS


def _within(intervals: list[Interval], starts_at: datetime, ends_at: datetime) -> tuple[Interval, ...]:
    """Clip disjoint intervals, and join those that touch."""
    first = bisect_right(intervals, starts_at, key=lambda interval: interval.ends_at)
    last = bisect_left(intervals, ends_at, key=lambda interval: interval.starts_at)
    joined: list[Interval] = []
    for opens, closes in intervals[first:last]:
        clipped = Interval(max(opens, starts_at), min(closes, ends_at))
        if joined and joined[-1].ends_at == clipped.starts_at:
            joined[-1] = Interval(joined[-1].starts_at, clipped.ends_at)
        else:
            joined.append(clipped)
    return tuple(joined)
