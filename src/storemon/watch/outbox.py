"""The outbox: notices that are to be sent, each kept until a channel has taken it, or it is given up and told so.

waiting ► sending ► sent | waiting again, later | dead. A notice that is being sent belongs to an owner as long as that
renews its lease; when the lease has run out, it is anybody's again. So one may be sent twice, and none is lost.
All instants are of the database's clock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import uniform
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from storemon.records.database import now
from storemon.records.tables import NOTICES
from storemon.units.instants import EPOCH, microseconds
from storemon.watch.messages import Message

State = Literal["waiting", "sending", "sent", "dead"]
ATTEMPTS = 34
"""So many make up a day, with the pauses of `pause_after` between them."""
ALONE = ("answer", "test")
"""Kinds that are told one by one, also after closed hours: they have files, or no alerts."""
KEPT = timedelta(days=30)
"""How long what was sent is kept."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3600.0
_LONGEST_ASKED = 24 * 3600.0
_AT_ONCE = 1000  # old ones that are let go
_MICROSECOND = timedelta(microseconds=1)
_notice = NOTICES.c


class Notice(msgspec.Struct, frozen=True):
    """A notice's record, its fields in the order of the columns, which `storemon.records.tables` describes."""

    id: str
    channel: str
    kind: str
    alerts: list[str]
    message: Message
    created_at: int
    send_after: int
    state: State
    attempts: int
    reason: str | None
    sent_at: int | None
    owner: str | None
    lease_ends_at: int | None


class Counted(NamedTuple):
    """How many notices of a channel are in a state, and for how long the first of them has been due."""

    channel: str
    state: State
    notices: int
    due_for: timedelta


class Outbox:
    """The notices in ``records``. Every method is one short statement, safe from any thread and any process."""

    def __init__(self, records: Engine) -> None:
        self._records = records

    def put(
        self,
        connection: Connection,
        *,
        channel: str,
        kind: str,
        alerts: Sequence[str],
        message: Message,
        send_after: int | None = None,
    ) -> None:
        """Put a notice in, as a part of the caller's transaction; its id is that of the message.

        It is not sent before ``send_after``, in microseconds since 1970; at once by default.

        Raises:
            SQLAlchemyError: the database can't be reached, or there is a notice with this id.

        """
        row: dict[str, Any] = {
            "id": message.id,
            "channel": channel,
            "kind": kind,
            "alerts": [*alerts],
            "state": "waiting",
        }
        row |= {"message": msgspec.to_builtins(message), "attempts": 0}
        due = now() if send_after is None else send_after
        connection.execute(insert(NOTICES).values(**row, created_at=now(), send_after=due))

    def due(self) -> tuple[datetime, Sequence[str]]:
        """Tell what time it is by the database, and list the channels that something is due for."""
        channels = select(_notice.channel).where(_due()).distinct().order_by(_notice.channel)
        with self._records.connect() as connection:
            at = connection.scalar(select(now())) or 0
            return EPOCH + at * _MICROSECOND, list(connection.execute(channels).scalars())

    def claim(
        self,
        owner: str,
        lease: timedelta,
        channel: str | None = None,
        *,
        most: int = 1,
        opened_at: datetime | None = None,
        waited: bool = False,
    ) -> list[Notice]:
        """Begin to send what has been due for longest, or whose sender died, as ``owner``; nothing if nothing is.

        By default of any channel. If the hours of that have begun at ``opened_at``, what ``waited`` for them is to be
        told as one, and so is claimed only if that is asked for, and then nothing else.
        """
        which = [_due(), *([] if channel is None else [_notice.channel == channel])]
        if opened_at is not None:
            before = and_(_notice.created_at < microseconds(opened_at), _notice.kind.not_in(ALONE))
            which.append(before if waited else not_(before))
        first = select(_notice.id).where(*which).order_by(_notice.send_after, _notice.created_at, _notice.id)
        # On a server, what another process is just claiming is passed over; SQLite has one writer at a time. The
        # choice stands first, so that it is made once: within the update it may be made again, and find others.
        chosen = first.limit(most).with_for_update(skip_locked=True).cte("chosen")
        begun = {"state": "sending", "owner": owner, "attempts": _notice.attempts + 1, "lease_ends_at": _end(lease)}
        claimed = update(NOTICES).where(_notice.id.in_(select(chosen.c.id)), _due()).values(**begun)
        with self._records.connect() as connection:
            rows = [_read(row) for row in connection.execute(claimed.returning(NOTICES))]
        return sorted(rows, key=lambda notice: (notice.send_after, notice.created_at, notice.id))

    def renew(self, notices: Sequence[str], owner: str, lease: timedelta) -> int:
        """Say that the owner is alive and still sending these. Say how many are still its own."""
        return self._change(_held(notices, owner), lease_ends_at=_end(lease))

    def sent(self, notices: Sequence[str], owner: str) -> int:
        """Say that notices have been taken by their channel. Say how many were still the owner's."""
        ended = {"state": "sent", "sent_at": now(), "reason": None, "owner": None, "lease_ends_at": None}
        return self._change(_held(notices, owner), **ended)

    def failed(self, notices: Sequence[str], owner: str, reason: str, pause: timedelta | None) -> int:
        """Say that notices have not been taken, and why: they are sent again after the pause, or given up if None.

        Say how many were still the owner's.
        """
        then: dict[str, Any] = {"state": "dead"} if pause is None else {"state": "waiting", "send_after": _end(pause)}
        return self._change(_held(notices, owner), **then, reason=reason, owner=None, lease_ends_at=None)

    def give_up(self) -> int:
        """Give up what took down every process that sent it. Say how many there were."""
        reason = f"given up after {ATTEMPTS} attempts: the last process to send it died meanwhile; look into the log"
        dead = and_(_lapsed(), _notice.attempts >= ATTEMPTS)
        return self._change(dead, state="dead", reason=reason, owner=None, lease_ends_at=None)

    def newest(self, limit: int, *, state: State | None = None) -> list[Notice]:
        """Read the newest notices, by default those in any state."""
        which = [] if state is None else [_notice.state == state]
        newest = select(NOTICES).where(*which).order_by(_notice.created_at.desc(), _notice.id).limit(limit)
        with self._records.connect() as connection:
            return [_read(row) for row in connection.execute(newest)]

    def retry(self, notice: str) -> bool:
        """Have one that was given up sent again, at once and as often as a new one. Tell whether there was one."""
        again = {"state": "waiting", "attempts": 0, "send_after": now()}
        return bool(self._change(and_(_notice.id == notice, _notice.state == "dead"), **again))

    def waiting(self) -> list[Counted]:
        """Count what has not been sent, by channel and state."""
        due_for = case((_notice.send_after < now(), now() - _notice.send_after), else_=0)
        told = (_notice.channel, _notice.state, func.count(), func.max(due_for))
        counts = select(*told).where(_notice.state != "sent").group_by(_notice.channel, _notice.state)
        with self._records.connect() as connection:
            rows = connection.execute(counts.order_by(_notice.channel, _notice.state)).all()
        return [Counted(channel, state, count, longest * _MICROSECOND) for channel, state, count, longest in rows]

    def let_go(self, older_than: timedelta = KEPT) -> int:
        """Forget what was sent so long ago, the oldest of many. Say how many that were."""
        old = and_(_notice.state == "sent", _notice.sent_at < now() - older_than // _MICROSECOND)
        oldest = select(_notice.id).where(old).order_by(_notice.sent_at).limit(_AT_ONCE)
        with self._records.connect() as connection:
            return connection.execute(delete(NOTICES).where(_notice.id.in_(oldest))).rowcount

    def _change(self, which: ColumnElement[bool], **values: Any) -> int:
        with self._records.connect() as connection:
            return connection.execute(update(NOTICES).where(which).values(**values)).rowcount


def pause_after(attempts: int, asked_s: float | None = None) -> timedelta | None:
    """Tell how long to wait after so many attempts that failed; None when it has been tried for a day, and is over.

    The pauses double from seconds to an hour, each a fifth shorter or longer by chance, so that many do not come back
    at once. What the channel asked for, up to a day, is kept.
    """
    if attempts >= ATTEMPTS:
        return None
    usual = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 30), _LONGEST_PAUSE) * uniform(0.8, 1.2)  # noqa: S311 - no secret
    return timedelta(seconds=max(usual, min(asked_s or 0, _LONGEST_ASKED)))


def _read(row: Row[Any]) -> Notice:
    return msgspec.convert(dict(zip(Notice.__struct_fields__, row, strict=True)), Notice)


def _end(length: timedelta) -> ColumnElement[int]:
    return now() + length // _MICROSECOND


def _held(notices: Sequence[str], owner: str) -> ColumnElement[bool]:
    return and_(_notice.id.in_(notices), _notice.state == "sending", _notice.owner == owner)


def _lapsed() -> ColumnElement[bool]:
    return and_(_notice.state == "sending", _notice.lease_ends_at < now())


def _due() -> ColumnElement[bool]:
    waiting = and_(_notice.state == "waiting", _notice.send_after <= now())
    return or_(waiting, and_(_lapsed(), _notice.attempts < ATTEMPTS))
