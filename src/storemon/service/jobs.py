"""Durable jobs: queued ► running ► complete | failed | canceled, shared by all processes over one database.

A running job belongs to an owner, for as long as the owner renews its lease. A lease that has run out means that the
owner died; the job is then anybody's again. Every change of state is one statement that names the state it changes, so
of two processes that want the same job one gets it, and an owner that was taken for dead can no longer end its job.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import msgspec
from sqlalchemy import ColumnElement, CursorResult, Engine, and_, delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from storemon.errors import FileError, StoremonError
from storemon.service.records import RECORDS

ATTEMPTS = 5
Kind = Literal["report", "ingestion"]
State = Literal["queued", "running", "complete", "failed", "canceled"]
_job = RECORDS.c


class QueueFullError(StoremonError):
    """As many jobs of a kind are waiting as may; later there will be room again."""


class Job(msgspec.Struct, frozen=True):
    """A job's record, its fields in the order of the columns, which `storemon.service.records` describes."""

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


class Jobs:
    """The jobs in ``records``. Every method is one short statement, safe from any thread and any process."""

    def __init__(self, records: Engine, *, lease: timedelta, max_queued: int) -> None:
        """Take ``lease`` as the time without a renewal after which an owner is dead."""
        self._records = records
        self._lease_us = lease // timedelta(microseconds=1)
        self._max_queued = max_queued

    def add(self, kind: Kind, parameters: dict[str, Any], *, job_id: str | None = None) -> str:
        """Queue a job; it is on disk when its id is returned. If there is one with this id, that is left as it is.

        Raises:
            QueueFullError: as many jobs of this kind are queued as may be.

        """
        row = {"id": job_id or str(uuid4()), "kind": kind, "state": "queued", "parameters": parameters, "attempts": 0}
        row["queued_at"] = _now()
        values = [literal(value, RECORDS.c[name].type) for name, value in row.items()]
        try:
            with self._records.connect() as connection:
                added = connection.execute(
                    insert(RECORDS).from_select(list(row), select(*values).where(self._queued(kind) < self._max_queued))
                )
        except IntegrityError:
            return str(row["id"])
        if not added.rowcount:
            raise QueueFullError(f"{self._max_queued} jobs are waiting already; try again in a few seconds")
        return str(row["id"])

    def get(self, kind: Kind, job_id: str) -> Job | None:
        """Read a job's record, None if there is none of this kind."""
        with self._records.connect() as connection:
            return _read(connection.execute(select(RECORDS).where(_job.id == job_id, _job.kind == kind)))

    def list(
        self,
        kind: Kind,
        limit: int,
        *,
        state: State | None = None,
        key: str | None = None,
        before: tuple[int, str] | None = None,
    ) -> Sequence[Job]:
        """Read the newest jobs of a kind; those ``before`` one that is told by when it was queued, and its id.

        By default those in any state, whoever asked; else those that were asked for by a ``key`` only.
        """
        which = [_job.kind == kind, *([] if state is None else [_job.state == state])]
        if key is not None:
            which.append(_job.parameters["key"].as_string() == key)
        if before is not None:
            queued_at, job_id = before
            which.append(or_(_job.queued_at < queued_at, and_(_job.queued_at == queued_at, _job.id < job_id)))
        newest = select(RECORDS).where(*which).order_by(_job.queued_at.desc(), _job.id.desc()).limit(limit)
        with self._records.connect() as connection:
            return [Job(*tuple(row)) for row in connection.execute(newest)]

    def cancel(self, kind: Kind, job_id: str) -> bool:
        """End a job that has not ended; whoever runs it finds out when it is done. Tell whether there was one."""
        waiting = and_(_job.kind == kind, _job.id == job_id, _job.state.in_(["queued", "running"]))
        return bool(self._change(waiting, state="canceled", ended_at=_now()))

    def delete(self, kind: Kind, job_id: str) -> bool:
        """Forget a job that has ended. Tell whether there was one."""
        ended = and_(_job.kind == kind, _job.id == job_id, _job.state.in_(["complete", "failed", "canceled"]))
        with self._records.connect() as connection:
            return bool(connection.execute(delete(RECORDS).where(ended)).rowcount)

    def full(self, kind: Kind) -> bool:
        """Tell whether `add` would refuse a job now."""
        with self._records.connect() as connection:
            return bool(connection.scalar(select(self._queued(kind) >= self._max_queued)))

    def check(self) -> None:
        """Raise what a write to the database would raise now, and change nothing.

        Raises:
            FileError: its file is gone; what is written to it now, nobody will find again.

        """
        file = self._records.url.database if self._records.dialect.name == "sqlite" else None
        if file and not Path(file).exists():
            raise FileError(f"{file} is gone; restart the service, which makes another one, or restore it before that")
        self._change(_job.id == "", attempts=_job.attempts)

    def counts(self) -> Sequence[tuple[Kind, State, int, int]]:
        """Count the jobs by kind and state, each with when the one was queued that was queued first."""
        told = (_job.kind, _job.state, func.count(), func.min(_job.queued_at))
        with self._records.connect() as connection:
            rows = connection.execute(select(*told).group_by(_job.kind, _job.state)).all()
        return [(kind, state, count, queued_at) for kind, state, count, queued_at in rows]

    def claim(self, kind: Kind, owner: str) -> Job | None:
        """Start the job that has waited longest, or whose owner died, as ``owner``; None if there is none."""
        waiting = and_(_job.kind == kind, or_(_job.state == "queued", and_(_dead(), _job.attempts < ATTEMPTS)))
        oldest = select(_job.id).where(waiting).order_by(_job.queued_at).limit(1).scalar_subquery()
        start = {"state": "running", "owner": owner, "attempts": _job.attempts + 1, "started_at": _now()}
        claimed = update(RECORDS).where(_job.id == oldest, waiting).values(**start, lease_ends_at=self._lease_end())
        with self._records.connect() as connection:
            return _read(connection.execute(claimed.returning(RECORDS)))

    def pin(self, job: Job, parameters: dict[str, Any]) -> None:
        """Record what a job turned out to work on, so that another start works on the same."""
        self._change(_held(job), parameters=parameters)

    def renew(self, owner: str, job_ids: set[str]) -> None:
        """Say that ``owner`` is alive and at work on these jobs."""
        at_work = and_(_job.state == "running", _job.owner == owner, _job.id.in_(job_ids))
        self._change(at_work, lease_ends_at=self._lease_end())

    def complete(self, job: Job, result: dict[str, Any]) -> None:
        """End a job well, unless it was taken for dead and belongs to another owner now."""
        self._change(_held(job), state="complete", result=result, ended_at=_now())

    def fail(self, job: Job, reason: str) -> None:
        """End a job with a ``reason`` that a person can act on, unless it belongs to another owner now."""
        self._change(_held(job), state="failed", reason=reason, ended_at=_now())

    def hand_back(self, owner: str) -> int:
        """Queue again what ``owner`` was running; the start does not count. Say how many jobs that were."""
        back = {"state": "queued", "owner": None, "lease_ends_at": None, "attempts": _job.attempts - 1}
        return self._change(and_(_job.state == "running", _job.owner == owner), **back)

    def give_up(self) -> int:
        """Fail the jobs that took down every process that ran them. Say how many there were."""
        reason = (
            f"given up after {ATTEMPTS} starts: each time the process that ran it died before the end, most likely for "
            "want of memory. Look into the log, make room, and ask again."
        )
        return self._change(and_(_dead(), _job.attempts >= ATTEMPTS), state="failed", reason=reason, ended_at=_now())

    def _change(self, which: ColumnElement[bool], **values: Any) -> int:
        with self._records.connect() as connection:
            return connection.execute(update(RECORDS).where(which).values(**values)).rowcount

    def _queued(self, kind: Kind) -> Any:
        return select(func.count()).where(_job.kind == kind, _job.state == "queued").scalar_subquery()

    def _lease_end(self) -> int:
        return _now() + self._lease_us


def pinned_versions(records: Engine) -> list[dict[str, int]]:
    """List the versions of the lake's tables that reports have read, or will read again after a crash."""
    live = and_(_job.kind == "report", _job.state.not_in(["failed", "canceled"]))
    with records.connect() as connection:
        parameters = connection.execute(select(_job.parameters).where(live)).scalars()
        return [asked["versions"] for asked in parameters if "versions" in asked]


def _read(rows: CursorResult[Any]) -> Job | None:
    row = rows.one_or_none()
    return None if row is None else Job(*tuple(row))


def _held(job: Job) -> ColumnElement[bool]:
    return and_(_job.id == job.id, _job.state == "running", _job.owner == job.owner, _job.attempts == job.attempts)


def _dead() -> ColumnElement[bool]:
    return and_(_job.state == "running", _job.lease_ends_at < _now())


def _now() -> int:
    return time.time_ns() // 1000
