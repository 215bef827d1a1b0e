"""One look: all rules are judged since the last one, in bulk; what comes of it goes into the records as one.

Alerts, their events, what is told of them, and up to when they are known: all of it is one transaction. So whoever is
killed has told nothing, or has all of it in the records; and a look that comes too late, as another process has looked
meanwhile, changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

import polars as pl
import structlog
from sqlalchemy import Engine, select

from storemon.engine.chosen import chosen_stores
from storemon.engine.question import Question
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.records.database import alone, now
from storemon.rules.planning import Told
from storemon.rules.replaying import continued, replayed
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects, subjects_of
from storemon.units.instants import microseconds
from storemon.watch.alerts.facts import Facts, facts_of
from storemon.watch.alerts.kept import WHAT, Alerts, Happened, Kept
from storemon.watch.alerts.telling import Teller

_BEFORE = {"row": pl.Int64, "fired_at": pl.Int64, "quiet_since": pl.Int64, "quiet_us": pl.Int64}
_log = structlog.stdlib.get_logger("storemon.alerts")

Open = Mapping[str, Mapping[str, Kept]]
"""The open alerts, by rule and subject."""


class Looked(NamedTuple):
    """What a look came to: how many rules, alerts that fired and were resolved, and notices."""

    rules: int
    fired: int
    resolved: int
    notices: int


class _Found(NamedTuple):
    """What was found of the alerts of a rule."""

    rule: Rule
    alerts: pl.DataFrame
    """As `storemon.rules.lifecycle.alerts_of` tells them, with their subjects."""
    facts: Mapping[int, Facts]
    """What is known of those that are new, by their rows."""


@dataclass
class _Changes:
    """What a look changes in the records."""

    clock: int
    added: list[Kept] = field(default_factory=list)
    changed: list[Kept] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)


class Looking:
    """Looks again and again."""

    def __init__(self, records: Engine, alerts: Alerts, teller: Teller) -> None:
        self._records, self._alerts, self._teller = records, alerts, teller
        self._unwatched: dict[str, str] = {}

    def look(self, snapshot: Snapshot, question: Question, rules: Sequence[Rule]) -> Looked | None:
        """Judge rules up to as-of, each since the last look at it. None if a look as late as this has been.

        A rule that names a tag that no store has is told in the log, and watched as soon as one has it.

        Raises:
            LakeError: the lake can't be read.
            SQLAlchemyError: the records are out of reach.

        """
        at, since = microseconds(question.as_of), self._alerts.looked_at()
        if any(looked_at >= at for looked_at in since.values()):
            return None
        open_alerts: dict[str, dict[str, Kept]] = defaultdict(dict)
        for alert in self._alerts.open():
            open_alerts[alert.rule][alert.subject] = alert
        subjects = self._subjects(snapshot, question, rules)
        watched = [rule for rule in rules if rule.name in subjects]
        found = _found(snapshot, question, watched, subjects, since=since, open_alerts=open_alerts)
        with alone(self._records, WHAT) as connection:
            if self._alerts.looked_at(connection) != since:
                return None
            changes = _Changes(connection.scalar(select(now())) or 0)
            for each in found:
                _compare(each, open_alerts.get(each.rule.name, {}), changes, at)
            _close_others(open_alerts, rules, subjects, changes, at)
            self._alerts.write(connection, changes.added, changes.changed)
            self._alerts.note(connection, changes.events)
            notices = self._teller.tell(connection, changes.clock, rules, subjects)
            self._alerts.looked(connection, [rule.name for rule in watched], at, since)
        resolved = sum(event.what == "resolved" for event in changes.events)
        return Looked(len(watched), len(changes.added), resolved, notices)

    def _subjects(self, snapshot: Snapshot, question: Question, rules: Sequence[Rule]) -> dict[str, Subjects]:
        stores, found = chosen_stores(snapshot, question), {}
        for rule in rules:
            try:
                found[rule.name] = subjects_of(snapshot, stores, rule)
            except InputError as error:
                if self._unwatched.get(rule.name) != str(error):
                    _log.error("rule not watched", rule=rule.name, reason=str(error))
                self._unwatched[rule.name] = str(error)
            else:
                if self._unwatched.pop(rule.name, None):
                    _log.info("rule watched again", rule=rule.name)
        return found


def _found(
    snapshot: Snapshot,
    question: Question,
    rules: Sequence[Rule],
    subjects: Mapping[str, Subjects],
    *,
    since: Mapping[str, int],
    open_alerts: Open,
) -> list[_Found]:
    """Judge rules: those together that were looked at together; those that never were, ever since."""
    together: dict[int | None, list[Rule]] = defaultdict(list)
    for rule in rules:
        together[since.get(rule.name)].append(rule)
    found = []
    for begins, some in together.items():
        of_rules = [subjects[rule.name] for rule in some]
        if begins is None:
            told = replayed(snapshot, question, some, of_rules, microseconds(question.as_of))
        else:
            before = [_before(subjects[rule.name], open_alerts.get(rule.name, {})) for rule in some]
            told = continued(snapshot, question, some, of_rules, begins, before=before)
        for rule, of_rule, alerts in zip(some, of_rules, told, strict=True):
            new = alerts.filter(~pl.col("known"))["row"].unique()
            found.append(_Found(rule, alerts, facts_of(snapshot, question, rule, of_rule, new)))
    return found


def _before(subjects: Subjects, open_alerts: Mapping[str, Kept]) -> pl.DataFrame:
    """Tell of the open alerts of subjects what `storemon.rules.lifecycle.alerts_of` needs to know."""
    rows = [(each.subject, each.fired_at, each.quiet_since, each.quiet_us) for each in open_alerts.values()]
    schema = {"subject": pl.String, **{name: kind for name, kind in _BEFORE.items() if name != "row"}}
    known = pl.DataFrame(rows, schema=schema, orient="row")
    return known.join(subjects.names, on="subject").select(pl.col(name).cast(kind) for name, kind in _BEFORE.items())


def _compare(found: _Found, open_alerts: Mapping[str, Kept], changes: _Changes, at: int) -> None:
    """Find what is new since the last look."""
    for row, subject, fired_at, resolved_at, quiet_since, quiet_us, stale, known in found.alerts.select(
        "row", "subject", "fired_at", "resolved_at", "quiet_since", "quiet_us", "stale", "known"
    ).iter_rows():
        alert = open_alerts[subject] if known else _new(found, row, subject, fired_at, changes)
        became_stale, before = stale and not alert.stale, (alert.stale, alert.quiet_since, alert.quiet_us)
        alert.stale, alert.quiet_since, alert.quiet_us = now_known = (stale, quiet_since, quiet_us or 0)
        if resolved_at is not None:
            alert.resolved_at, alert.closed_at, alert.due_at = resolved_at, changes.clock, changes.clock
            changes.events.append(Happened(alert.id, resolved_at, "resolved"))
        elif became_stale:
            changes.events.append(Happened(alert.id, at, "stale", reason="nobody knows whether it goes on"))
        if known and (resolved_at is not None or before != now_known):
            changes.changed.append(alert)


def _new(found: _Found, row: int, subject: str, fired_at: int, changes: _Changes) -> Kept:
    rule = found.rule
    alert = Kept(
        id=str(uuid4()),
        rule=rule.name,
        kind=rule.kind,
        subject=subject,
        severity=rule.severity,
        fired_at=fired_at,
        found_at=changes.clock,
        resolved_at=None,
        closed_at=None,
        quiet_since=None,
        quiet_us=0,
        stale=False,
        acknowledged_at=None,
        acknowledged_by=None,
        facts=found.facts.get(row, {}),
        telling=Told(),
        due_at=changes.clock,
    )
    changes.added.append(alert)
    changes.events.append(Happened(alert.id, fired_at, "fired", reason=str(rule.condition)))
    return alert


def _close_others(
    open_alerts: Open, rules: Sequence[Rule], subjects: Mapping[str, Subjects], changes: _Changes, at: int
) -> None:
    """Close the alerts that nobody watches any more: their rule is gone, or it does not ask about them now."""
    names = {rule.name for rule in rules}
    for name, alerts in open_alerts.items():
        if name in names and name not in subjects:
            continue  # it can't be watched for now
        watched = set(subjects[name].names["subject"]) if name in subjects else set()
        for subject in alerts.keys() - watched:
            alert = alerts[subject]
            why = "the rule does not ask about it any more" if name in names else "the rule is gone"
            alert.resolved_at, alert.closed_at, alert.due_at = max(at, alert.fired_at), changes.clock, changes.clock
            alert.telling.dropped = True
            changes.changed.append(alert)
            changes.events.append(Happened(alert.id, at, "dropped", reason=why))
