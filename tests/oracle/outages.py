"""Outages: what of a store's whole history it spent inactive and open, spell by spell.

Closing time, maintenance and the window's edges cut the downtime of an outage, never the outage itself. It is ongoing
if its spell contains as-of; so one that an active poll ended at as-of itself has ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple, Unpack

from .exceptions import Exceptions, service_and_excluded
from .measured import figures, overlap
from .questions import Asked, questions
from .service_time import MICROSECOND, Interval, Row, Stretch, instant, micros
from .states import CARRY_LIMIT, Policy, Poll, Told, pieces, state, tell


class Outage(NamedTuple):
    starts_at: datetime
    ends_at: datetime
    downtime_us: int
    """Inside the window."""
    whole_downtime_us: int
    elapsed_us: int
    ongoing: bool
    started_after: datetime | None
    ended_before: datetime | None


class Summary(NamedTuple):
    """A window's outages: their number, the most downtime of one, and the two means."""

    number: int
    longest_us: int | None
    mttr_us: Fraction | None
    mtbf_us: Fraction | None


def inactive_spells(told: Told, limit: int, policy: Policy) -> list[Stretch]:
    """Before a limit before the first poll and after one after the last, all is unknown."""
    if not told:
        return []
    spells: list[Stretch] = []
    for starts, ends in pieces(told, (told[0][0] - limit, told[-1][0] + limit), limit):
        if state(told, starts, limit, policy) != "inactive":
            continue
        if spells and spells[-1][1] == starts:
            spells[-1] = (spells[-1][0], ends)
        else:
            spells.append((starts, ends))
    return spells


def outages_between(
    polls_of_store: Iterable[Poll],
    hours_of_store: Sequence[Row],
    zone: str | None,
    window: Interval,
    as_of: datetime | None = None,
    *,
    carry_limit: timedelta = CARRY_LIMIT,
    policy: Policy = "carry",
    **exceptions: Unpack[Exceptions],
) -> list[Outage]:
    """One store's outages with open time in `[starts_at, ends_at)`, in order. Nothing after as-of is anyone's."""
    told, limit = tell(polls_of_store, as_of), carry_limit // MICROSECOND
    window_in_us = micros(window[0]), micros(window[1])
    active = [poll for poll, status in told if status == "active"]
    found = []
    for spell in inactive_spells(told, limit, policy):
        within_spell = instant(spell[0]), instant(spell[1])
        down, _ = service_and_excluded(hours_of_store, zone, within_spell, as_of, **exceptions)
        downtime = sum(overlap(stretch, window_in_us) for stretch in down)
        if not downtime:
            continue
        starts, ends = down[0][0], down[-1][1]
        before, after = [p for p in active if p < spell[0]], [p for p in active if p >= spell[1]]
        found.append(
            Outage(
                starts_at=instant(starts),
                ends_at=instant(ends),
                downtime_us=downtime,
                whole_downtime_us=sum(overlap(stretch, (starts, ends)) for stretch in down),
                elapsed_us=ends - starts,
                ongoing=as_of is not None and spell[0] <= micros(as_of) < spell[1],
                started_after=instant(before[-1]) if before else None,
                ended_before=instant(after[0]) if after else None,
            )
        )
    return found


def summary(outages: Sequence[Outage], uptime_us: int) -> Summary:
    """Of one store or of a group: all its outages in a window, and all its uptime there."""
    ended = [outage.downtime_us for outage in outages if not outage.ongoing]
    return Summary(
        number=len(outages),
        longest_us=max((outage.downtime_us for outage in outages), default=None),
        mttr_us=Fraction(sum(ended), len(ended)) if ended else None,
        mtbf_us=Fraction(uptime_us, len(outages)) if outages else None,
    )


def outages(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, list[Outage]]]:
    """By store and by window; a store or a window without outages has an empty list."""
    return {
        store_id: {
            name: outages_between(*question, carry_limit=carry_limit, policy=policy, **exceptions)
            for name, (question, exceptions) in by_window.items()
        }
        for store_id, by_window in questions(polls, hours, zones, as_of, **asked).items()
    }


def summaries(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, Summary]]:
    measured = figures(polls, hours, zones, as_of, carry_limit, policy=policy, **asked)
    listed = outages(polls, hours, zones, as_of, carry_limit, policy=policy, **asked)
    return {
        store_id: {name: summary(listed[store_id][name], by_window[name].uptime_us) for name in by_window}
        for store_id, by_window in measured.items()
    }
