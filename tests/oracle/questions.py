"""What is asked of which store: its own facts, and its own window."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .calendars import Window, window_of
from .exceptions import Exceptions, Maintenance, SpecialRow, meant_for
from .service_time import Interval, Row, micros
from .states import Poll

Tags = Mapping[str, Mapping[str, str]]
"""By store_id, the values by tag."""

WINDOWS: Mapping[str, timedelta] = {
    "last_hour": timedelta(hours=1),
    "last_day": timedelta(hours=24),
    "last_week": timedelta(hours=168),
}


class Question(NamedTuple):
    """What every answer about one store and one window wants to know first."""

    polls_of_store: Sequence[Poll]
    hours_of_store: Sequence[Row]
    zone: str | None
    window: Interval
    as_of: datetime


class Asked(Exceptions, total=False):
    """What may be given to a whole report, beside the first facts, as-of, carry limit and policy."""

    windows: Mapping[str, Window]
    tags: Tags
    where: Mapping[str, str]


def newest(polls: Iterable[Poll]) -> datetime | None:
    return max((at for _, _, at in polls), key=micros, default=None)


def stores_of_report(polls: Iterable[Poll], as_of: datetime) -> list[str]:
    """Those with a poll at or before as-of, in the order of their plain text."""
    stores = {store_id for store_id, _, at in polls if micros(at) <= micros(as_of)}
    return sorted(stores, key=lambda store_id: store_id.encode())


def tag_of(store_id: str, tags: Tags, name: str) -> str:
    """A store's value of a tag; the empty one, where it has none."""
    return tags.get(store_id, {}).get(name, "")


def questions(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None,
    *,
    windows: Mapping[str, Window] = WINDOWS,
    special_hours: Sequence[SpecialRow] = (),
    maintenance: Sequence[Maintenance] = (),
    tags: Tags | None = None,
    where: Mapping[str, str] | None = None,
    back: int = 0,
) -> dict[str, dict[str, tuple[Question, Exceptions]]]:
    """By store, in the order of the report, and by window; `back` asks for a window before each.

    As-of defaults to the newest poll of all, of the stores that `where` leaves out as well.
    """
    as_of = as_of or newest(polls)
    if as_of is None:
        return {}
    as_of = as_of.astimezone(UTC)
    asked: dict[str, dict[str, tuple[Question, Exceptions]]] = {}
    for store_id in stores_of_report(polls, as_of):
        if any(tag_of(store_id, tags or {}, name) != value for name, value in (where or {}).items()):
            continue
        zone = zones.get(store_id)
        polls_of_store = [poll for poll in polls if poll[0] == store_id]
        hours_of_store = [row for row in hours if row[0] == store_id]
        exceptions = Exceptions(
            special_hours=[row for row in special_hours if meant_for(row[0], store_id)],
            maintenance=[row for row in maintenance if meant_for(row[0], store_id)],
        )
        asked[store_id] = {}
        for name, window in windows.items():
            realised = window_of(window, as_of, zone, back)
            asked[store_id][name] = Question(polls_of_store, hours_of_store, zone, realised, as_of), exceptions
    return asked
