"""Durable jobs: queued ► running ► complete | failed | canceled, shared by all processes over one database.

A running job belongs to an owner, for as long as the owner renews its lease. A lease that has run out means that the
owner died; the job is then anybody's again. Every change of state is one statement that names the state it changes, so
of two processes that want the same job one gets it, and an owner that was taken for dead can no longer end its job.
All instants are of the database's clock.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from storemon.errors import StoremonError
from storemon.records.database import Lookup, alone, beside, now, require_there
from storemon.records.tables import JOBS
from storemon.units.keeping import Keeping

ATTEMPTS = 5
Kind = Literal["report", "ingestion", "schedule"]
State = Literal["queued", "running", "complete", "failed", "canceled"]
ENDED: Sequence[State] = ("complete", "failed", "canceled")
"""The states in which a job stays."""

_OUTDATED_AT_ONCE = 100
_MICROSECOND = timedelta(microseconds=1)
_job = JOBS.c
_BACK: dict[str, Any] = {"state": "queued", "owner": None, "lease_ends_at": None, "attempts": JOBS.c.attempts - 1}
"""What a job is that was started in vain, and waits again."""
_ONE = select(JOBS).where(_job.id == bindparam("asked_id"), _job.kind == bindparam("asked_kind"))
"""Read at every poll."""


class QueueFullError(StoremonError):
    """As many jobs of a kind are waiting as may; later there will be room again."""


class PutBackError(Exception):
    """Raised by whoever runs a job: it is to start again ``after`` a while, with ``parameters``."""

    def __init__(self, after: timedelta, parameters: dict[str, Any]) -> None:
        super().__init__()
        self.after, self.parameters = after, parameters


class Job(msgspec.Struct, frozen=True):
    """A job's record, its fields in the order of the columns, which `storemon.records.tables` describes."""

    id: str
    kind: Kind
    state: State
    parameters: dict[str, Any]
    result: dict[str, Any] | None
    reason: str | None
    attempts: int
    owner: str | None
    lease_ends_at: int | None
    queued_at: int
    started_at: int | None
    ended_at: int | None
    priority: int
    run_after: int | None
    dedupe_key: str | None
    progress: float | None


class Jobs:
    """The jobs in ``records``. Every method is one short statement, safe from any thread and any process."""

    def __init__(self, records: Engine, *, lease: timedelta, max_queued: int) -> None:
        """Take ``lease`` as the time without a renewal after which an owner is dead."""
        self._records = records
        self._lookup = Lookup(records, _ONE)
        self._lease_us = lease // _MICROSECOND
        self._max_queued = max_queued

    def add(
        self,
        kind: Kind,
        parameters: dict[str, Any],
        *,
        dedupe_key: str | None = None,
        priority: int = 0,
        run_after: int | None = None,
    ) -> str:
        """Queue a job; it is on disk when its id is returned. If there is one with this key, that is left as it is.

        Those of a higher priority start first. With ``run_after``, in microseconds since 1970, it waits until then.

        Raises:
            QueueFullError: as many jobs of this kind are queued as may be.

        """
        with alone(self._records, "queue") as connection:
            if dedupe_key is not None:
                known: str | None = connection.scalar(select(_job.id).where(_job.dedupe_key == dedupe_key))
                if known is not None:
                    return known
            if (connection.scalar(select(_queued(kind))) or 0) >= self._max_queued:
                raise QueueFullError(f"{self._max_queued} jobs are waiting already; try again in a few seconds")
            return put(connection, kind, parameters, dedupe_key=dedupe_key, priority=priority, run_after=run_after)

    def get(self, kind: Kind, job_id: str) -> Job | None:
        """Read a job's record, None if there is none of this kind."""
        row = self._lookup.one(asked_id=job_id, asked_kind=kind)
        return None if row is None else Job(*row)

    async def look(self, kind: Kind, job_id: str) -> Job | None:
        """Read it as `get` does, from an event loop."""
        return await beside(self._records, self.get, kind, job_id)

    def find(self, kind: Kind, dedupe_key: str) -> Job | None:
        """Read the record of the job that was asked for with this key, None if there is none of this kind."""
        with self._records.connect() as connection:
            return _read(connection.execute(select(JOBS).where(_job.dedupe_key == dedupe_key, _job.kind == kind)))

    def list(
        self,
        kind: Kind,
        limit: int,
        *,
        state: State | None = None,
        key: str | None = None,
        schedule: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> Sequence[Job]:
        """Read the newest jobs of a kind; those ``before`` one that is told by when it was queued, and its id.

        By default those in any state, whoever asked; else those that were asked for by a ``key`` only, or of one
        ``schedule``.
        """
        which = [_job.kind == kind, *([] if state is None else [_job.state == state])]
        if key is not None:
            which.append(_job.parameters["key"].as_string() == key)
        if schedule is not None:
            which.append(_job.parameters["schedule"].as_string() == schedule)
        if before is not None:
            queued_at, job_id = before
            which.append(or_(_job.queued_at < queued_at, and_(_job.queued_at == queued_at, _job.id < job_id)))
        newest = select(JOBS).where(*which).order_by(_job.queued_at.desc(), _job.id.desc()).limit(limit)
        with self._records.connect() as connection:
            return [Job(*tuple(row)) for row in connection.execute(newest)]

    def cancel(self, kind: Kind, job_id: str) -> bool:
        """End a job that has not ended; whoever runs it is told by the next `renew`. Tell whether there was one."""
        waiting = and_(_job.kind == kind, _job.id == job_id, _job.state.in_(["queued", "running"]))
        return bool(self._change(waiting, state="canceled", ended_at=now()))

    def delete(self, kind: Kind, job_id: str) -> bool:
        """Forget a job that has ended. Tell whether there was one."""
        ended = and_(_job.kind == kind, _job.id == job_id, _job.state.in_(ENDED))
        with self._records.connect() as connection:
            return bool(connection.execute(delete(JOBS).where(ended)).rowcount)

    def outdated(self, keep: Keeping) -> Sequence[Job]:
        """List the jobs that ended too long ago to be kept, or before as many newer ones of their kind as are kept.

        Of many, those are listed that ended first.
        """
        which = []
        newer = func.row_number().over(partition_by=_job.kind, order_by=(_job.ended_at.desc(), _job.id))
        ended = select(_job.id, newer.label("place")).where(_job.state.in_(ENDED)).subquery()
        if keep.age is not None:
            which.append(and_(_job.state.in_(ENDED), _job.ended_at < now() - keep.age // _MICROSECOND))
        if keep.count is not None:
            which.append(_job.id.in_(select(ended.c.id).where(ended.c.place > keep.count)))
        if not which:
            return []
        with self._records.connect() as connection:
            first = select(JOBS).where(or_(*which)).order_by(_job.ended_at, _job.id).limit(_OUTDATED_AT_ONCE)
            return [Job(*tuple(row)) for row in connection.execute(first)]

    def full(self, kind: Kind) -> bool:
        """Tell whether `add` would refuse a job now."""
        with self._records.connect() as connection:
            return bool(connection.scalar(select(_queued(kind) >= self._max_queued)))

    def check(self) -> None:
        """Raise what a write to the database would raise now, and change nothing.

        Raises:
            RecordsError: its file is gone; what is written to it now, nobody will find again.

        """
        require_there(self._records)
        self._change(_job.id == "", attempts=_job.attempts)

    def counts(self) -> Sequence[tuple[Kind, State, int, timedelta]]:
        """Count the jobs by kind and state, each with how long ago the first of them was queued, or could start."""
        due = case((_job.run_after > _job.queued_at, _job.run_after), else_=_job.queued_at)
        told = (_job.kind, _job.state, func.count(), now() - func.min(due))
        with self._records.connect() as connection:
            rows = connection.execute(select(*told).group_by(_job.kind, _job.state)).all()
        return [(kind, state, count, ago * _MICROSECOND) for kind, state, count, ago in rows]

    def claim(self, kind: Kind, owner: str) -> Job | None:
        """Start the most urgent job that waits, or whose owner died, as ``owner``; None if there is none.

        Of those that are as urgent, the one that has waited longest.
        """
        due = and_(_job.state == "queued", or_(_job.run_after.is_(None), _job.run_after <= now()))
        waiting = and_(_job.kind == kind, or_(due, and_(_dead(), _job.attempts < ATTEMPTS)))
        first = select(_job.id).where(waiting).order_by(_job.priority.desc(), _job.queued_at).limit(1)
        # On a server, what another process is just claiming is passed over; SQLite has one writer at a time.
        chosen = first.with_for_update(skip_locked=True).scalar_subquery()
        start = {"state": "running", "owner": owner, "attempts": _job.attempts + 1, "started_at": now()}
        claimed = update(JOBS).where(_job.id == chosen, waiting).values(**start, lease_ends_at=self._lease_end())
        with self._records.connect() as connection:
            return _read(connection.execute(claimed.returning(JOBS)))

    def pin(self, job: Job, parameters: dict[str, Any]) -> None:
        """Record what a job turned out to work on, so that another start works on the same."""
        self._change(_held(job), parameters=parameters)

    def renew(self, job: Job, progress: float | None) -> bool:
        """Say that the job's owner is alive and how far it is. Tell whether the job is still its own, and wanted."""
        return bool(self._change(_held(job), lease_ends_at=self._lease_end(), progress=progress))

    def complete(self, job: Job, result: dict[str, Any]) -> bool:
        """End a job well, unless it was canceled, or taken for dead and given to another owner. Tell whether it was."""
        return bool(self._change(_held(job), state="complete", result=result, progress=1.0, ended_at=now()))

    def fail(self, job: Job, reason: str) -> bool:
        """End a job with a ``reason`` that a person can act on, as `complete` would."""
        return bool(self._change(_held(job), state="failed", reason=reason, ended_at=now()))

    def hand_back(self, owner: str) -> int:
        """Queue again what ``owner`` was running; the start does not count. Say how many jobs that were."""
        return self._change(and_(_job.state == "running", _job.owner == owner), **_BACK)

    def postpone(self, job: Job, after: timedelta, parameters: dict[str, Any]) -> bool:
        """Queue a job again, to start after a while; this start does not count. Tell whether it was still its own."""
        run_after = now() + after // _MICROSECOND
        return bool(self._change(_held(job), parameters=parameters, run_after=run_after, **_BACK))

    def give_up(self) -> int:
        """Fail the jobs that took down every process that ran them. Say how many there were."""
        reason = (
            f"given up after {ATTEMPTS} starts: each time the process that ran it died before the end, most likely for "
            "want of memory. Look into the log, make room, and ask again."
        )
        return self._change(and_(_dead(), _job.attempts >= ATTEMPTS), state="failed", reason=reason, ended_at=now())

    def _change(self, which: ColumnElement[bool], **values: Any) -> int:
        with self._records.connect() as connection:
            return connection.execute(update(JOBS).where(which).values(**values)).rowcount

    def _lease_end(self) -> ColumnElement[int]:
        return now() + self._lease_us


def put(
    connection: Connection,
    kind: Kind,
    parameters: dict[str, Any],
    *,
    dedupe_key: str | None = None,
    priority: int = 0,
    run_after: int | None = None,
) -> str:
    """Queue a job in a transaction that something else belongs to as well; its id.

    Raises:
        IntegrityError: there is one with this key.

    """
    row = {"id": str(uuid4()), "kind": kind, "state": "queued", "parameters": parameters, "attempts": 0}
    row |= {"dedupe_key": dedupe_key, "priority": priority, "run_after": run_after}
    connection.execute(insert(JOBS).values(**row, queued_at=now()))
    return str(row["id"])


def pinned(connection: Connection, job: Job, parameters: dict[str, Any]) -> bool:
    """Do as `Jobs.pin` in a transaction that something else belongs to. Tell whether the job is still its owner's."""
    return bool(connection.execute(update(JOBS).where(_held(job)).values(parameters=parameters)).rowcount)


def cancel_scheduled(connection: Connection, schedule: str) -> int:
    """End the jobs of a schedule that have not ended. Say how many there were."""
    waiting = and_(_job.kind == "schedule", _job.state.in_(["queued", "running"]))
    which = and_(waiting, _job.parameters["schedule"].as_string() == schedule)
    return connection.execute(update(JOBS).where(which).values(state="canceled", ended_at=now())).rowcount


def newest_scheduled(connection: Connection) -> dict[str, Job]:
    """Read the newest job of each schedule, by its name."""
    name = _job.parameters["schedule"].as_string()
    newer = func.row_number().over(partition_by=name, order_by=(_job.queued_at.desc(), _job.id.desc()))
    placed = select(_job.id, newer.label("place")).where(_job.kind == "schedule").subquery()
    newest = select(JOBS).where(_job.id.in_(select(placed.c.id).where(placed.c.place == 1)))
    jobs = [Job(*tuple(row)) for row in connection.execute(newest)]
    return {job.parameters["schedule"]: job for job in jobs}


def pinned_versions(connection: Connection) -> list[dict[str, int]]:
    """List the versions of the lake's tables that reports have read, or will read again after a crash."""
    live = and_(_job.kind == "report", _job.state.not_in(["failed", "canceled"]))
    parameters = connection.execute(select(_job.parameters).where(live)).scalars()
    return [asked["versions"] for asked in parameters if "versions" in asked]


def complete_reports(connection: Connection) -> list[str]:
    """List the ids of the reports that have files, those of schedules among them."""
    complete = and_(_job.kind.in_(["report", "schedule"]), _job.state == "complete")
    return list(connection.execute(select(_job.id).where(complete).order_by(_job.queued_at, _job.id)).scalars())


def _read(rows: CursorResult[Any]) -> Job | None:
    row = rows.one_or_none()
    return None if row is None else Job(*tuple(row))


def _held(job: Job) -> ColumnElement[bool]:
    return and_(_job.id == job.id, _job.state == "running", _job.owner == job.owner, _job.attempts == job.attempts)


def _dead() -> ColumnElement[bool]:
    return and_(_job.state == "running", _job.lease_ends_at < now())


def _queued(kind: Kind) -> Any:
    return select(func.count()).where(_job.kind == kind, _job.state == "queued").scalar_subquery()
