"""Telling: what is due of the alerts in the records is put into the outbox, in the same transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection

from storemon.rules.planning import Alert, Known, Notice, Place, Told, plan
from storemon.rules.rehearsing import groups_of_stores
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects
from storemon.units.instants import EPOCH
from storemon.watch.alerts.kept import Alerts, Happened, Kept
from storemon.watch.alerts.silences import Silence, Silences
from storemon.watch.outbox import Outbox
from storemon.watch.texts import message_of

_MICROSECOND = timedelta(microseconds=1)
_HAPPENS = {"fired": "told", "resolved": "told over"}
"""What an event is called that a notice is of, if not as the notice."""


class Teller:
    """Tells what is due."""

    def __init__(self, alerts: Alerts, outbox: Outbox, *, link: str = "") -> None:
        """Take the link that notices have, with the alert's id in the place of ``{id}``; empty for none."""
        self._alerts, self._outbox, self._link = alerts, outbox, link

    def tell(self, connection: Connection, clock: int, rules: Sequence[Rule], subjects: Mapping[str, Subjects]) -> int:
        """Put notices into the outbox of what is due at an instant of the database's clock. Tell how many.

        Raises:
            SQLAlchemyError: the records are out of reach.

        """
        kept = {each.id: each for each in self._alerts.telling(connection)}
        kept |= {each.id: each for each in self._alerts.listed(connection)}
        if not kept:
            return 0
        alerts = self._watched(kept, rules, subjects)
        open_groups = self._alerts.open_groups(connection)
        for alert in alerts:
            if alert.told.state == "listed" and not open_groups.intersection(alert.groups):
                alert.due_at = clock
        before = {alert.id: (msgspec.structs.replace(alert.told), kept[alert.id].due_at) for alert in alerts}
        silences = _Silenced(Silences.at(connection, clock), kept)
        earlier = self._earlier(connection, [alert for alert in alerts if alert.told.state == "waiting"])
        known = Known({rule.name: rule for rule in rules}, open_groups, earlier, silences.until)
        notices = plan(clock, alerts, known)
        events = [event for alert in alerts for event in _noted(alert, before[alert.id][0], silences, clock)]
        for notice in notices:
            self._put(connection, notice, kept, known.rules)
            what = _HAPPENS.get(notice.kind, notice.kind)
            events += [Happened(alert.id, clock, what, reason=f"to {notice.channel}") for alert in notice.alerts]
        changed = [alert for alert in alerts if (alert.told, alert.due_at) != before[alert.id]]
        for alert in changed:
            kept[alert.id].telling, kept[alert.id].due_at = alert.told, alert.due_at
        self._alerts.write(connection, [], [kept[alert.id] for alert in changed])
        self._alerts.note(connection, events)
        return len(notices)

    def _watched(
        self, kept: Mapping[str, Kept], rules: Sequence[Rule], subjects: Mapping[str, Subjects]
    ) -> list[Alert]:
        down = [each.subject for each in kept.values() if each.kind == "down"]
        groups = groups_of_stores(rules, subjects, down) if down else {}
        return [
            Alert(
                each.id,
                each.rule,
                each.kind,
                each.subject,
                each.fired_at,
                each.found_at,
                each.resolved_at,
                each.closed_at,
                acknowledged=each.acknowledged_at is not None,
                groups=groups.get(each.subject, ()) if each.kind == "down" else (),
                told=each.telling,
                due_at=each.due_at,
            )
            for each in kept.values()
        ]

    def _earlier(self, connection: Connection, alerts: Sequence[Alert]) -> Any:
        """Find what fired before alerts that were not told yet, and how that was told."""
        places: list[Place] = [(alert.rule, alert.subject) for alert in alerts]
        found = self._alerts.earlier(connection, places) if places else {}
        before: dict[str, list[Alert]] = defaultdict(list)
        for alert in alerts:
            for each in found.get((alert.rule, alert.subject), ()):
                if each.fired_at < alert.fired_at and each.id != alert.id:
                    told = Alert(each.id, each.rule, each.kind, each.subject, each.fired_at, each.found_at)
                    told.resolved_at, told.told = each.resolved_at, each.telling
                    before[alert.id].append(told)
        return lambda alert: before.get(alert.id, ())

    def _put(self, connection: Connection, notice: Notice, kept: Mapping[str, Kept], rules: Mapping[str, Rule]) -> None:
        ids = [alert.id for alert in notice.alerts]
        rule = rules.get(notice.rule)
        link = self._link.replace("{id}", ids[0]) if len(ids) == 1 else self._link.replace("{id}", "")
        message = message_of(
            str(uuid4()),
            notice.kind,
            notice.rule,
            [told_as(kept[alert_id]) for alert_id in ids],
            templates={"title": rule.title, "text": rule.text} if rule else None,
            link=link,
        )
        self._outbox.put(connection, channel=notice.channel, kind=notice.kind, alerts=ids, message=message)


class _Silenced:
    """The silences that there are now, and what they keep back."""

    def __init__(self, silences: Sequence[Silence], kept: Mapping[str, Kept]) -> None:
        self._silences, self._kept = silences, kept
        self.reasons = {silence.id: silence for silence in silences}

    def until(self, alert: Alert) -> int | None:
        """Tell when the last of those ends that keep an alert back."""
        one = self._kept[alert.id]
        tags = one.facts.get("tags") or {}
        some = [each for each in self._silences if each.matches(one.rule, one.severity, one.subject, tags)]
        if not some:
            return None
        last = max(some, key=lambda each: each.ends_at)
        alert.told.silence = last.id
        return last.ends_at


def _noted(alert: Alert, before: Told, silences: _Silenced, clock: int) -> list[Happened]:
    """Note what was not told of an alert, and why."""
    events = []
    if alert.told.silence not in {None, before.silence}:
        one = silences.reasons[str(alert.told.silence)]
        events.append(Happened(alert.id, clock, "silenced", one.author, one.reason))
    if alert.told.state != before.state and alert.told.state in {"listed", "muted"}:
        why = "told with the alert of its group" if alert.told.state == "listed" else "it is flapping"
        events.append(Happened(alert.id, clock, alert.told.state, reason=why))
    return events


def told_as(kept: Kept) -> dict[str, Any]:
    """Tell of an alert as messages do."""
    return {
        "id": kept.id,
        "rule": kept.rule,
        "kind": kept.kind,
        "subject": kept.subject,
        "severity": kept.severity,
        "fired_at": _written(kept.fired_at),
        "resolved_at": None if kept.resolved_at is None else _written(kept.resolved_at),
        "stale": kept.stale,
        "dropped": kept.telling.dropped,
        "zone": kept.facts.get("zone"),
        "tags": kept.facts.get("tags") or {},
        "share": kept.facts.get("share"),
        "facts": kept.facts.get("facts") or {},
    }


def _written(instant: int) -> str:
    return (EPOCH + instant * _MICROSECOND).isoformat()
