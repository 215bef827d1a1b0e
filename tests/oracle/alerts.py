"""Alerts, made from what a rule says; and watchers that look now and then, knowing only what is known by then."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from .cases import Case
from .known import Facts, open_time_of_any
from .rules import Piece, Rule, Subject, members, said_at, stretches, subjects
from .service_time import MICROSECOND, micros
from .states import Poll

OpenTime = Callable[[int, int], int]
"""The open time of a subject in `[starts, ends)`."""
MINUTE = timedelta(minutes=1)


class Alert(NamedTuple):
    """In microseconds. `resolved_at` is None while it fires; stale, if it does and the rule is neither for unknown."""

    fired_at: int
    resolved_at: int | None
    stale: bool


def resolved_in(run: Sequence[Piece], recovery: int, open_time: OpenTime) -> int | None:
    """Where an alert is resolved in a run in which its rule does not hold; nowhere, if too little of it is clear."""
    clear = [piece for piece in run if piece.said == "clear"]
    enough = sum(open_time(piece.starts, piece.ends) for piece in clear) >= recovery
    return clear[0].starts if clear and enough else None


def lifecycle(told: Sequence[Piece], recovery: timedelta, open_time: OpenTime) -> list[Alert]:
    """The alerts of one rule and one subject, from what the rule says in order."""
    alerts: list[Alert] = []
    fired_at: int | None = None
    run: list[Piece] = []
    for piece in told:
        if piece.said != "holds":
            run.append(piece)
            continue
        if fired_at is not None:
            resolved_at = resolved_in(run, recovery // MICROSECOND, open_time)
            if resolved_at is not None:
                alerts.append(Alert(fired_at, resolved_at, stale=False))
                fired_at = None
        fired_at, run = piece.starts if fired_at is None else fired_at, []
    if fired_at is not None:
        resolved_at = resolved_in(run, recovery // MICROSECOND, open_time)
        stale = resolved_at is None and told[-1].said == "unknown"
        alerts.append(Alert(fired_at, resolved_at, stale))
    return alerts


def fires_in(alert: Alert, a: int, b: int) -> bool:
    return alert.fired_at < b and (alert.resolved_at is None or alert.resolved_at > a)


def open_time_of(facts: Facts, rule: Rule, subject: Subject) -> OpenTime:
    stores = members(facts, rule, subject)
    return lambda starts, ends: open_time_of_any(stores, starts, ends)


def begins(facts: Facts, rule: Rule, subject: Subject) -> int:
    """From when on there is such a subject: from its first poll."""
    return min(store.first_polled for store in members(facts, rule, subject))


def alerts(case: Case, rule: Rule, a: int, b: int) -> dict[Subject, list[Alert]]:
    """The alerts that fire or still fire in `[a, b)`, with as-of `b`; subjects without any are left out."""
    facts = Facts(case, b, rule.reach)
    found: dict[Subject, list[Alert]] = {}
    for subject in subjects(facts, rule):
        told = stretches(facts, rule, subject, begins(facts, rule, subject), b)
        whole = lifecycle(told, rule.recovery, open_time_of(facts, rule, subject))
        found[subject] = [alert for alert in whole if fires_in(alert, a, b)]
    return {subject: of_subject for subject, of_subject in found.items() if of_subject}


def as_seen(looks: Iterable[tuple[int, Facts]], rule: Rule, subject: Subject, ends: int) -> list[Piece]:
    """What a watcher sees that takes what it finds at a look for true until the next one."""
    found: list[Piece] = []
    for t, facts in looks:
        if found:
            found[-1] = found[-1]._replace(ends=t)
        found.append(Piece(t, ends, said_at(facts, rule, subject, t)))
    return found


def alerts_by_ticks(case: Case, rule: Rule, a: int, b: int, step: timedelta = MINUTE) -> dict[Subject, list[Alert]]:
    """The same, by a live watcher that looks at each tick, and knows then the polls at or before it alone."""
    return alerts_as_they_come(case, rule, range(a, b, step // MICROSECOND), b, {})


def alerts_as_they_come(
    case: Case, rule: Rule, looks: Sequence[int], ends: int, arrivals: Mapping[Poll, int]
) -> dict[Subject, list[Alert]]:
    """The same, by a watcher that knows each poll only from its arrival on; one without an arrival comes at once."""
    by_polls: dict[int, Facts] = {}

    def known(t: int) -> Facts:
        there = [poll for poll in case.polls if max(micros(poll[2]), arrivals.get(poll, 0)) <= t]
        if len(there) not in by_polls:
            by_polls[len(there)] = Facts(replace(case, polls=there), ends, rule.reach)
        return by_polls[len(there)]

    seen = [(t, known(t)) for t in looks]
    whole = Facts(case, ends, rule.reach)
    found = {
        subject: lifecycle(as_seen(seen, rule, subject, ends), rule.recovery, open_time_of(whole, rule, subject))
        for subject in subjects(whole, rule)
    }
    return {subject: of_subject for subject, of_subject in found.items() if of_subject}
