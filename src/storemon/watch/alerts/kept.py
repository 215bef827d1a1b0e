"""Alerts in the records: each with what was told of it, and its events, which never change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, bindparam, func, insert, or_, select, update

from storemon.errors import InputError
from storemon.records.database import alone, now
from storemon.records.tables import ALERTS, EVENTS, LOOKS
from storemon.rules.conditions import Kind
from storemon.rules.planning import MOST_COUNTED, Place, Told
from storemon.rules.rule import Severity

WHAT = "alerts"
"""What a transaction is about that changes alerts, silences or what is told of them."""
State = Literal["open", "acknowledged", "closed"]
STATES: Sequence[State] = ("open", "acknowledged", "closed")
LONGEST_REASON = 1000

_FOUND = ("resolved_at", "closed_at", "quiet_since", "quiet_us", "stale", "telling", "due_at")
_AT_ONCE = 5_000  # subjects that a statement names
_alert, _event, _look = ALERTS.c, EVENTS.c, LOOKS.c
_CHANGE = update(ALERTS).where(_alert.id == bindparam("of")).values({name: bindparam(name) for name in _FOUND})
"""Not what people say of it meanwhile."""


class Kept(msgspec.Struct):
    """An alert's record, its fields in the order of the columns, which `storemon.records.tables` describes."""

    id: str
    rule: str
    kind: Kind
    subject: str
    severity: Severity
    fired_at: int
    found_at: int
    resolved_at: int | None
    closed_at: int | None
    quiet_since: int | None
    quiet_us: int
    stale: bool
    acknowledged_at: int | None
    acknowledged_by: str | None
    facts: dict[str, Any]
    telling: Told
    due_at: int | None


def state_of(alert: Kept) -> State:
    """Tell how an alert is now."""
    if alert.closed_at is not None:
        return "closed"
    return "open" if alert.acknowledged_at is None else "acknowledged"


class Happened(msgspec.Struct, frozen=True):
    """An event of an alert."""

    alert_id: str
    happened_at: int
    what: str
    author: str | None = None
    reason: str | None = None


class Alerts:
    """The alerts in ``records``."""

    def __init__(self, records: Engine) -> None:
        self._records = records

    def looked_at(self, connection: Connection | None = None) -> dict[str, int]:
        """Tell of each rule that was watched up to when its alerts are known."""
        return {row.rule: row.looked_at for row in self._read(select(LOOKS), connection)}

    def open(self) -> list[Kept]:
        """Read the alerts that are not closed."""
        return [_kept(row) for row in self._read(select(ALERTS).where(_alert.closed_at.is_(None)))]

    def telling(self, connection: Connection) -> list[Kept]:
        """Read the alerts of which there may be something to tell, now or later."""
        return [_kept(row) for row in self._read(select(ALERTS).where(_alert.due_at.is_not(None)), connection)]

    def listed(self, connection: Connection) -> list[Kept]:
        """Read the open alerts that are listed with the one of their group, and not told on their own."""
        is_listed = _alert.telling["state"].as_string() == "listed"
        return [
            _kept(row) for row in self._read(select(ALERTS).where(_alert.closed_at.is_(None), is_listed), connection)
        ]

    def open_groups(self, connection: Connection) -> set[Place]:
        """Name the open alerts of groups."""
        asked = select(_alert.rule, _alert.subject).where(_alert.closed_at.is_(None), _alert.kind == "group")
        return {(row.rule, row.subject) for row in self._read(asked, connection)}

    def earlier(self, connection: Connection, places: Iterable[Place]) -> dict[Place, list[Kept]]:
        """Read the alerts of rules and subjects, the latest of them, in the order in which they fired."""
        by_rule: dict[str, list[str]] = defaultdict(list)
        for rule, subject in set(places):
            by_rule[rule].append(subject)
        found: dict[Place, list[Kept]] = defaultdict(list)
        place = func.row_number().over(partition_by=_alert.subject, order_by=_alert.fired_at.desc())
        for rule, subjects in by_rule.items():
            for some in (subjects[start : start + _AT_ONCE] for start in range(0, len(subjects), _AT_ONCE)):
                numbered = (
                    select(_alert.id, place.label("place"))
                    .where(_alert.rule == rule, _alert.subject.in_(some))
                    .subquery()
                )
                latest = select(numbered.c.id).where(numbered.c.place <= MOST_COUNTED)
                asked = select(ALERTS).where(_alert.id.in_(latest)).order_by(_alert.fired_at)
                for row in self._read(asked, connection):
                    found[rule, row.subject].append(_kept(row))
        return found

    def newest(
        self,
        limit: int,
        *,
        state: State | None = None,
        rule: str | None = None,
        subject: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Kept]:
        """Read the alerts that fired last; those ``before`` one that is told by when it fired, and its id."""
        is_open = _alert.closed_at.is_(None)
        states = {
            "open": is_open & _alert.acknowledged_at.is_(None),
            "acknowledged": is_open & _alert.acknowledged_at.is_not(None),
            "closed": ~is_open,
        }
        which: list[ColumnElement[bool]] = [] if state is None else [states[state]]
        which += [] if rule is None else [_alert.rule == rule]
        which += [] if subject is None else [_alert.subject == subject]
        if before is not None:
            fired_at, alert_id = before
            which.append(or_(_alert.fired_at < fired_at, and_(_alert.fired_at == fired_at, _alert.id < alert_id)))
        newest = select(ALERTS).where(*which).order_by(_alert.fired_at.desc(), _alert.id.desc()).limit(limit)
        return [_kept(row) for row in self._read(newest)]

    def get(self, alert_id: str) -> Kept | None:
        """Read an alert, None if there is none."""
        rows = self._read(select(ALERTS).where(_alert.id == alert_id))
        return _kept(rows[0]) if rows else None

    def beginning(self, text: str) -> list[str]:
        """Find the alerts whose id begins like this: two at the most."""
        found = select(_alert.id).where(_alert.id.startswith(text, autoescape=True)).order_by(_alert.id).limit(2)
        return [row.id for row in self._read(found)]

    def events(self, alert_id: str) -> Sequence[Happened]:
        """Read what happened to an alert, in order."""
        told = (_event.alert_id, _event.happened_at, _event.what, _event.author, _event.reason)
        rows = self._read(select(*told).where(_event.alert_id == alert_id).order_by(_event.id))
        return [Happened(*tuple(row)) for row in rows]

    def count(self) -> list[tuple[str, str, bool, int]]:
        """Count the open alerts: rule, severity, whether somebody cares for them, and how many."""
        acknowledged = _alert.acknowledged_at.is_not(None)
        told = (_alert.rule, _alert.severity, acknowledged, func.count())
        asked = select(*told).where(_alert.closed_at.is_(None)).group_by(_alert.rule, _alert.severity, acknowledged)
        return [(rule, severity, bool(cared), count) for rule, severity, cared, count in map(tuple, self._read(asked))]

    def acknowledge(self, alert_id: str, author: str, reason: str) -> Kept | None:
        """Say that somebody cares for an alert: it is not repeated, nor escalated. None if there is no such alert.

        Raises:
            InputError: it is closed, or the author or the reason is not what they can be.

        """
        require_words(author, reason)
        with alone(self._records, WHAT) as connection:
            rows = self._read(select(ALERTS).where(_alert.id == alert_id), connection)
            if not rows:
                return None
            alert = _kept(rows[0])
            if alert.closed_at is not None:
                raise InputError("the alert is over; only one that is open can be acknowledged")
            at = connection.scalar(select(now())) or 0
            changed = {"acknowledged_at": alert.acknowledged_at or at, "acknowledged_by": author}
            connection.execute(update(ALERTS).where(_alert.id == alert_id).values(**changed))
            self.note(connection, [Happened(alert_id, at, "acknowledged", author, reason)])
        return self.get(alert_id)

    def write(self, connection: Connection, added: Sequence[Kept], changed: Sequence[Kept]) -> None:
        """Write alerts that are new, and others whose record is another now."""
        rows = [msgspec.to_builtins(each) for each in added]
        if rows:
            connection.execute(insert(ALERTS), rows)
        found = [
            {name: getattr(each, name) for name in _FOUND}
            | {"telling": msgspec.to_builtins(each.telling), "of": each.id}
            for each in changed
        ]
        if found:
            connection.execute(_CHANGE, found)

    def note(self, connection: Connection, events: Sequence[Happened]) -> None:
        """Add events."""
        if events:
            connection.execute(insert(EVENTS), [msgspec.to_builtins(each) for each in events])

    def looked(self, connection: Connection, rules: Iterable[str], at: int, known: Mapping[str, int]) -> None:
        """Say up to when the alerts of these rules are known, and forget rules that are watched no more."""
        wanted = [*rules]
        gone = [rule for rule in known if rule not in wanted]
        for start in range(0, len(gone), _AT_ONCE):
            connection.execute(LOOKS.delete().where(_look.rule.in_(gone[start : start + _AT_ONCE])))
        for rule in wanted:
            if rule in known:
                connection.execute(update(LOOKS).where(_look.rule == rule).values(looked_at=at))
            else:
                connection.execute(insert(LOOKS).values(rule=rule, looked_at=at))

    def _read(self, asked: Any, connection: Connection | None = None) -> Sequence[Row[Any]]:
        if connection is not None:
            return connection.execute(asked).all()
        with self._records.connect() as other:
            return other.execute(asked).all()


def require_words(author: str, reason: str) -> None:
    """Refuse an author or a reason that nobody could read later.

    Raises:
        InputError: there is none, or it is too long.

    """
    for what, text in (("author", author), ("reason", reason)):
        if not text.strip():
            raise InputError(f"there is no {what}; say it, so that others know")
        if "\0" in text:
            raise InputError(f"the {what} has the character NUL in it, which nobody can read; leave it out")
        if len(text) > LONGEST_REASON:
            raise InputError(f"the {what} has {len(text):,} characters; it can have {LONGEST_REASON:,} at the most")


def _kept(row: Row[Any]) -> Kept:
    return msgspec.convert(dict(zip(Kept.__struct_fields__, row, strict=True)), Kept)
