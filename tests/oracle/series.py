"""Series: the figures of each local hour, day, week or month of a window."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Unpack

from .calendars import Every, first_date, first_dates, midnight, parts, wall
from .measured import Figures, add_up, timeline_between
from .questions import Asked, questions
from .service_time import DEFAULT_ZONE, Row
from .states import CARRY_LIMIT, Policy, Poll


class Part(NamedTuple):
    starts_at: datetime
    ends_at: datetime
    bucket: datetime
    """Where, on the wall, the whole hour, day, week or month begins that this is a part of."""
    figures: Figures


def bucket(at: datetime, every: Every, zone: str | None = None) -> datetime:
    """A wall time without a zone: that of the hour, or midnight of the first date.

    The two hours that the clocks show alike, when they go back, have one bucket; so have the halves of an hour in which
    they change.
    """
    at, zone = at.astimezone(UTC), zone or DEFAULT_ZONE
    shown = wall(at, zone).replace(tzinfo=None, fold=0)
    if every == "hour":
        return shown.replace(minute=0, second=0, microsecond=0)
    begun = [day for day in first_dates((at, at), "day") if midnight(day, zone) <= at]
    return datetime.combine(first_date(every, begun[-1]), datetime.min.time())


def series(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    every: Every,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, list[Part]]]:
    """By store and by window: its parts in order, those without open time too."""
    found: dict[str, dict[str, list[Part]]] = {}
    for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items():
        found[store_id] = {}
        for name, (question, exceptions) in by_window.items():
            timeline = timeline_between(*question, carry_limit=carry_limit, policy=policy, **exceptions)
            found[store_id][name] = [
                Part(*part, bucket(part[0], every, question.zone), add_up(timeline, part))
                for part in parts(question.window, every, question.zone)
            ]
    return found
