"""Silences: what is not told for a while, as somebody wanted it so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, update

from storemon.errors import InputError
from storemon.records.database import alone, now
from storemon.records.tables import ALERTS, SILENCES
from storemon.units.instants import microseconds
from storemon.watch.alerts.kept import WHAT, require_words

OF_ALERT = ("rule", "severity", "subject")
"""What a silence can match beside tags of stores and groups."""
MOST_CONDITIONS = 20
MOST = 1_000
"""So many silences there can be at once."""

_silence = SILENCES.c


class Silence(msgspec.Struct, frozen=True):
    """A silence's record, its fields in the order of the columns, which `storemon.records.tables` describes."""

    id: str
    matching: dict[str, str]
    starts_at: int
    ends_at: int
    reason: str
    author: str
    created_at: int

    def matches(self, rule: str, severity: str, subject: str, tags: Mapping[str, str]) -> bool:
        """Tell whether it keeps back what is told of an alert; the empty value is that of a subject without the tag."""
        known = {**tags, "rule": rule, "severity": severity, "subject": subject}
        return all(known.get(name, "") == value for name, value in self.matching.items())


class Silences:
    """The silences in ``records``."""

    def __init__(self, records: Engine) -> None:
        self._records = records

    def add(
        self, matching: Mapping[str, str], starts_at: datetime | None, ends_at: datetime, author: str, reason: str
    ) -> Silence:
        """Keep back what is told of alerts that match, from an instant, by default now, to another.

        Args:
            matching: ``rule``, ``severity``, ``subject``, or tags of stores and groups, each with its value; what
                matches all of them is silent, everything if there are none.
            starts_at: from when on. Aware.
            ends_at: up to when. Aware.
            author: who wants it.
            reason: why.

        Raises:
            InputError: it ends before it starts, or is over already; or something else is not what it can be.

        """
        require_words(author, reason)
        if len(matching) > MOST_CONDITIONS:
            raise InputError(f"a silence has {len(matching)} conditions; it can have {MOST_CONDITIONS} at the most")
        with alone(self._records, WHAT) as connection:
            at = connection.scalar(select(now())) or 0
            begins, ends = at if starts_at is None else microseconds(starts_at), microseconds(ends_at)
            if ends <= max(begins, at):
                raise InputError("the silence would be over before it begins; let it end later")
            lasting = select(func.count()).select_from(SILENCES).where(_silence.ends_at > at)
            if (connection.scalar(lasting) or 0) >= MOST:
                raise InputError(f"there are {MOST:,} silences already; end some, or let one match more")
            silence = Silence(str(uuid4()), dict(matching), begins, ends, reason, author, at)
            connection.execute(insert(SILENCES).values(**msgspec.to_builtins(silence)))
        return silence

    def all(self, *, ended: bool = False, limit: int = MOST) -> Sequence[Silence]:
        """Read the silences that have not ended, the next to end first; or those that have, the last first."""
        is_over = _silence.ends_at <= now()
        asked = select(SILENCES).where(is_over if ended else ~is_over)
        ordered = asked.order_by(_silence.ends_at.desc() if ended else _silence.ends_at, _silence.id).limit(limit)
        with self._records.connect() as connection:
            return [Silence(*tuple(row)) for row in connection.execute(ordered)]

    def get(self, silence_id: str) -> Silence | None:
        """Read a silence, None if there is none."""
        with self._records.connect() as connection:
            row = connection.execute(select(SILENCES).where(_silence.id == silence_id)).one_or_none()
        return None if row is None else Silence(*tuple(row))

    def beginning(self, text: str) -> list[str]:
        """Find the silences whose id begins like this: two at the most."""
        found = select(_silence.id).where(_silence.id.startswith(text, autoescape=True)).order_by(_silence.id).limit(2)
        with self._records.connect() as connection:
            return [row.id for row in connection.execute(found)]

    def end(self, silence_id: str) -> bool:
        """End a silence now: what it kept back is told by the next look. Tell whether there was one to end."""
        with alone(self._records, WHAT) as connection:
            at = connection.scalar(select(now())) or 0
            going_on = (_silence.id == silence_id) & (_silence.ends_at > at)
            ended = bool(connection.execute(update(SILENCES).where(going_on).values(ends_at=at)).rowcount)
            if ended:  # what waits for its end waits no longer
                connection.execute(update(ALERTS).where(ALERTS.c.due_at > at).values(due_at=at))
            return ended

    @staticmethod
    def at(connection: Connection, instant: int) -> Sequence[Silence]:
        """Read those that there are at an instant."""
        there = (_silence.starts_at <= instant) & (_silence.ends_at > instant)
        return [Silence(*tuple(row)) for row in connection.execute(select(SILENCES).where(there))]
