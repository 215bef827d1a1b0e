"""The service schedule told date by date: the rows that apply to a local date as written, and what they open of it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from storemon.engine.calendar import midnight
from storemon.engine.explanation import Day, Interval, Maintenance, Shift, Source, instant
from storemon.engine.facts import Facts
from storemon.engine.schedule import EVERY_STORE, open_intervals
from storemon.engine.zones import clock_changes

_DAY = timedelta(days=1)
_SECONDS = 86_400
_LAST_MINUTE = _SECONDS - 60
_ALWAYS = Shift(0, _SECONDS, ())


def days(facts: Facts, zone: str, starts_at: datetime, ends_at: datetime) -> tuple[Day, ...]:
    """Tell the schedule of the one store of ``facts`` on each local date that ``[starts_at, ends_at)`` touches."""
    midnights = _midnights(zone, starts_at, ends_at)
    if not midnights:
        return ()
    store_id = facts.stores["store_id"][0]
    hours, special = (
        frame.filter(pl.col("store_id").is_in([store_id, EVERY_STORE]))
        for frame in (facts.snapshot.hours(), facts.snapshot.special_hours())
    )
    hours = hours.filter(pl.col("store_id") == store_id)
    stores = facts.stores.with_columns(zone=pl.lit(zone))
    first, last = min(midnights.values()), max(midnights.values())
    intervals = open_intervals(stores, hours, special, first, last).select("opens_at", "closes_at").rows()
    opened = [Interval(instant(opens), instant(closes)) for opens, closes in intervals]
    rows = {day: _rows(hours, special, day) for day in (min(midnights) - _DAY, *midnights)}
    changes = clock_changes(zone, first, last)
    told = []
    for day in list(midnights)[:-1]:
        begins, ends = midnights[day], midnights[day + _DAY]
        told.append(
            Day(
                *(day, begins, ends, *rows[day]),
                open=_within(opened, begins, ends),
                tail=any(_reaches_over(shift) for shift in rows[day - _DAY][1]),
                clock_changes=tuple(change for change in changes if begins <= change.at < ends),
            )
        )
    return tuple(told)


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
    day = starts_at.astimezone(ZoneInfo(zone)).date() - _DAY
    while (begins := midnight(day, zone)) < ends_at:
        if (ends := midnight(day + _DAY, zone)) > starts_at:
            found |= {day: begins, day + _DAY: ends}
        day += _DAY
    return found


def _rows(hours: pl.DataFrame, special: pl.DataFrame, day: date) -> tuple[Source, tuple[Shift, ...]]:
    """Pick the rows that apply: a store's own special hours, else those of every store, else the weekly ones."""
    of_day = special.filter(pl.col("date") == day)
    of_every_store = pl.col("store_id") == EVERY_STORE
    for source, rows in (
        ("special hours", of_day.filter(~of_every_store)),
        ("special hours of every store", of_day.filter(of_every_store)),
    ):
        if len(rows):
            return source, _shifts(rows)  # type: ignore[return-value]
    if hours.is_empty():
        return "no hours", (_ALWAYS,)
    return "weekly hours", _shifts(hours.filter(pl.col("weekday") == day.weekday()))


def _shifts(rows: pl.DataFrame) -> tuple[Shift, ...]:
    distinct = rows.select("opens_local", "closes_local").unique().sort("opens_local", "closes_local")
    return tuple(Shift(opens, closes, _notes(opens, closes)) for opens, closes in distinct.rows())


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
    clipped = (Interval(max(opens, starts_at), min(closes, ends_at)) for opens, closes in intervals)
    touching: list[Interval] = []
    for interval in clipped:
        if interval.starts_at >= interval.ends_at:
            continue
        if touching and touching[-1].ends_at == interval.starts_at:
            touching[-1] = Interval(touching[-1].starts_at, interval.ends_at)
        else:
            touching.append(interval)
    return tuple(touching)
