"""The route of health, which tells whether a report could be made now."""

import shutil
from datetime import datetime
from typing import Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy.exc import SQLAlchemyError

from storemon.engine.question import resolve_as_of
from storemon.errors import StoremonError
from storemon.lake.kept import KeptLake
from storemon.records.jobs import Jobs
from storemon.service.callers import NOBODY
from storemon.service.problems import problem, problems
from storemon.settings import Settings

LEAST_FREE_BYTES = 64_000_000


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
    response_description="Yes",
    responses=problems(_503="No; the reasons say why"),
)
def health(settings: NamedDependency[Settings], jobs: NamedDependency[Jobs]) -> Health:
    """Answer with the state of the lake and the disk, after a look at the records and at how many jobs wait."""
    reasons = _of_records(jobs)
    found = Health(_of_lake(settings, reasons), _of_disk(settings, reasons), reasons)
    if reasons:
        raise problem(503, "; ".join(reasons), **msgspec.to_builtins(found))
    return found


def _of_records(jobs: Jobs) -> list[str]:
    try:
        jobs.check()
        return ["as many reports are waiting as may"] if jobs.full("report") else []
    except SQLAlchemyError as error:
        return [f"the records of jobs cannot be written: {error}"]


def _of_lake(settings: Settings, reasons: list[str]) -> LakeHealth:
    try:
        snapshot = KeptLake(settings.lake).snapshot()
        return LakeHealth(resolve_as_of(snapshot), dict(snapshot.versions))
    except StoremonError as error:
        reasons.append(str(error))
        return LakeHealth()


def _of_disk(settings: Settings, reasons: list[str]) -> DiskHealth:
    disk = shutil.disk_usage(settings.reports)
    if disk.free < LEAST_FREE_BYTES:
        reasons.append(f"{settings.reports}: {disk.free / 1e6:.0f} MB of disk space are free; make room")
    return DiskHealth(disk.free, disk.total)
