"""Exceptions to the schedule: the hours of special dates, and maintenance, which is taken out of the schedule."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict

from .service_time import Interval, Row, Stretch, cut_at, date_by_date, micros, open_stretches

SpecialRow = tuple[str, str, str, str]
"""One row of the special hours: store_id (or `*`), date (`2024-12-25`), opening time, closing time (or both empty)."""
Maintenance = tuple[str, datetime, datetime]
"""One row of the maintenance: store_id (or `*`), starts_at, ends_at."""

EVERY_STORE = "*"


class Exceptions(TypedDict, total=False):
    """Those that are meant for one store: its own, and those of every store."""

    special_hours: Sequence[SpecialRow]
    maintenance: Sequence[Maintenance]


def meant_for(named: str, store_id: str) -> bool:
    """Whether a row that names a store, or every store, is meant for this one."""
    return named in (store_id, EVERY_STORE)


def rows_of_date(hours_of_store: Sequence[Row], special_hours: Sequence[SpecialRow], local_date: date) -> list[Row]:
    """The rows that open a store on a local date: its own special ones, else those of every store, else the weekly."""
    weekday = local_date.weekday()
    of_date = [row for row in special_hours if row[1] == local_date.isoformat()]
    if of_date:
        own = [row for row in of_date if row[0] != EVERY_STORE]
        return [(named, weekday, opens, closes) for named, _, opens, closes in own or of_date if opens or closes]
    if not hours_of_store:
        return [("open 24 x 7", weekday, "00:00", "24:00")]
    return [row for row in hours_of_store if row[1] == weekday]


def scheduled_stretches(
    hours_of_store: Sequence[Row], zone: str | None, special_hours: Sequence[SpecialRow], starts: int, ends: int
) -> list[Stretch]:
    """The schedule's open time inside `[starts, ends)`, before maintenance is taken out."""
    if not special_hours:
        return open_stretches(hours_of_store, zone, starts, ends)
    return date_by_date(lambda local_date: rows_of_date(hours_of_store, special_hours, local_date), zone, starts, ends)


def taken_out(scheduled: Sequence[Stretch], maintenance: Sequence[Maintenance]) -> tuple[list[Stretch], list[Stretch]]:
    """What is left of the schedule, and what is excluded. A row that ends before it starts takes out nothing."""
    rows = [(micros(starts_at), micros(ends_at)) for _, starts_at, ends_at in maintenance]
    edges = {edge for row in rows for edge in row}
    left: list[Stretch] = []
    excluded: list[Stretch] = []
    for stretch in scheduled:
        for piece in cut_at(stretch, edges):
            is_excluded = any(starts <= piece[0] < ends for starts, ends in rows)
            (excluded if is_excluded else left).append(piece)
    return left, excluded


def service_and_excluded(
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None,
    *,
    special_hours: Sequence[SpecialRow] = (),
    maintenance: Sequence[Maintenance] = (),
) -> tuple[list[Stretch], list[Stretch]]:
    """The service time of a window and what maintenance took out of it. A window that reaches past as-of ends there."""
    starts, ends = micros(window[0]), micros(window[1])
    ends = ends if as_of is None else min(ends, micros(as_of))
    return taken_out(scheduled_stretches(hours_of_store, zone, special_hours, starts, ends), maintenance)
