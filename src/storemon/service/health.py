"""The route of health, which tells whether a report could be made now."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal, NamedTuple, get_args

import msgspec
import structlog
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy.exc import SQLAlchemyError

from storemon.arrivals.moving import Mover
from storemon.engine.question import resolve_as_of
from storemon.errors import EmptyLakeError, RecordsError, StoremonError
from storemon.lake.checking import require_files
from storemon.lake.kept import KeptLake
from storemon.records.inbox import Inbox
from storemon.records.jobs import Jobs
from storemon.records.opening import said
from storemon.service.door.callers import NOBODY
from storemon.service.problems import problem, problems
from storemon.service.workers import Workers
from storemon.settings import Settings
from storemon.units.instants import shifted
from storemon.watch.watching import Watching

LEAST_FREE_BYTES = 64_000_000
LAST_WEEK = timedelta(days=7)
LONG = timedelta(minutes=2)
"""For so long no poll waits in the inbox if all is well."""
Part = Literal["records", "queue", "inbox", "watch", "lake", "disk"]
PARTS: tuple[Part, ...] = get_args(Part)
"""What a report needs, in the order in which the reasons are told."""
_log = structlog.stdlib.get_logger("storemon.health")


class Running(NamedTuple):
    """What runs in a process of the service beside the requests."""

    jobs: Jobs
    workers: Workers
    inbox: Inbox
    mover: Mover
    watching: Watching


class LakeHealth(msgspec.Struct):
    """The lake's newest poll, an instant in UTC, and the version of each table."""

    newest_poll_at: datetime | None = None
    versions: dict[str, int] = {}


class DiskHealth(msgspec.Struct):
    """The disk that the reports lie on, in bytes."""

    free_bytes: int
    total_bytes: int


class Health(msgspec.Struct):
    """What a report needs, as it is now, and the ``reasons`` why none could be made."""

    lake: LakeHealth
    disk: DiskHealth
    reasons: list[str]


class Alive(msgspec.Struct):
    """That this process answers."""

    status: Literal["live"] = "live"


@get("/health/live", sync_to_thread=False, opt=NOBODY, summary="Does this process answer?")
def live() -> Alive:
    """Answer, and look at nothing else: who restarts a process that does not answer asks this."""
    return Alive()


@get(
    ["/health", "/health/ready"],
    sync_to_thread=True,
    opt=NOBODY,
    summary="Could a report be made now?",
    description="Answer with the state of lake and disk, after a look at the records and at the queue of jobs.",
    response_description="Yes",
    responses=problems(_503="No; the reasons say why"),
)
def health(settings: NamedDependency[Settings], running: NamedDependency[Running]) -> Health:
    """Look at all of it. Litestar does not find this text, as there are two paths."""
    looked = look(settings, running)
    found = Health(looked.lake, looked.disk, [reason for reasons in looked.reasons.values() for reason in reasons])
    if found.reasons:
        raise problem(503, "; ".join(found.reasons), **msgspec.to_builtins(found))
    return found


class Looked(NamedTuple):
    """What a look at everything has found, with the reasons why no report could be made, part by part."""

    lake: LakeHealth
    disk: DiskHealth
    reasons: Mapping[Part, list[str]]


def look(settings: Settings, running: Running) -> Looked:
    """Look at all that a report needs: what is read is read, and what is written to is written to."""
    reasons: dict[Part, list[str]] = {part: [] for part in PARTS}
    _look_at_jobs(running.jobs, reasons)
    reasons["queue"] += [
        f"the thread of this process for {name} has ended; restart it" for name in running.workers.ended()
    ]
    if running.mover.has_ended():
        reasons["inbox"].append("the thread of this process that brings polls into the lake has ended; restart it")
    _look_at_inbox(running.inbox, reasons["inbox"])
    reasons["watch"] += [
        f"the thread of this process for {name} has ended; restart it" for name in running.watching.ended()
    ]
    lake = _look_at_lake(settings, reasons["lake"])
    return Looked(lake, _look_at_disks(settings, reasons["disk"]), reasons)


def _look_at_jobs(jobs: Jobs, reasons: dict[Part, list[str]]) -> None:
    try:
        jobs.check()
        if jobs.full("report"):
            reasons["queue"].append("as many reports are waiting as may")
    except RecordsError as error:
        reasons["records"].append(f"the records of jobs cannot be written: {error}")
    except SQLAlchemyError as error:  # whose text is for the log: everybody may ask how the service is
        _log.error("records of jobs cannot be written", reason=said(error))
        reasons["records"].append("the records of jobs cannot be written; the log says why")


def _look_at_inbox(inbox: Inbox, reasons: list[str]) -> None:
    with suppress(SQLAlchemyError):  # the look at the records tells
        waiting = inbox.waiting()
        if waiting.oldest is not None and waiting.oldest > LONG:
            reasons.append(
                f"{waiting.polls:,} polls wait to be brought into the lake, the oldest for "
                f"{waiting.oldest.total_seconds():.0f} s; the log says why"
            )
        if inbox.full():
            reasons.append("as many polls wait to be brought into the lake as may")


def _look_at_lake(settings: Settings, reasons: list[str]) -> LakeHealth:
    try:
        snapshot = KeptLake(settings.lake).snapshot()
        newest = resolve_as_of(snapshot)
        require_files(snapshot, shifted(newest, -LAST_WEEK - settings.carry_limit).date())
    except EmptyLakeError as error:
        reasons.append(f"{error}; if it had some, see whether its disk is mounted, and whether STOREMON_LAKE is right")
        return LakeHealth()
    except StoremonError as error:
        reasons.append(str(error))
        return LakeHealth()
    return LakeHealth(newest, dict(snapshot.versions))


def _look_at_disks(settings: Settings, reasons: list[str]) -> DiskHealth:
    try:
        disk = shutil.disk_usage(settings.reports)
        with TemporaryFile(dir=settings.reports) as file:
            file.write(b"a report could be written")
    except OSError as error:
        reasons.append(f"{settings.reports}: no report can be written here: {error.strerror}")
        return DiskHealth(0, 0)
    folders = {str(settings.reports): disk.free}
    with suppress(OSError):  # in object storage, or not there: the look at the lake tells
        if Path(settings.lake).stat().st_dev != settings.reports.stat().st_dev:
            folders[settings.lake] = shutil.disk_usage(settings.lake).free
    reasons += [
        f"{folder}: {free / 1e6:.0f} MB of disk space are free; make room"
        for folder, free in folders.items()
        if free < LEAST_FREE_BYTES
    ]
    return DiskHealth(disk.free, disk.total)
