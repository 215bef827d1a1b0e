"""What a job of each kind is asked for, and what it does."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from storemon.answers.report import report_by_range
from storemon.calendar.windows import DEFAULT_WINDOWS
from storemon.engine.measures import SEVEN_COLUMNS, chosen
from storemon.engine.question import resolve_as_of
from storemon.errors import FileError, InputError
from storemon.intake.lake import Lake
from storemon.service.jobs import Job, Jobs, pinned_versions
from storemon.service.records import open_records, records_file
from storemon.settings import Settings
from storemon.units.zones import EDITION
from storemon.views.answer import legend_of_report
from storemon.views.export import export, remove_parts, save

_SEVEN_COLUMNS = legend_of_report(chosen(SEVEN_COLUMNS, None), DEFAULT_WINDOWS)


def report_parameters(settings: Settings) -> dict[str, Any]:
    """Say what a report is asked for; its first start adds the lake's ``versions`` and ``as_of``."""
    return {"carry_limit_us": settings.carry_limit // timedelta(microseconds=1)}


def report_file(settings: Settings, job_id: str) -> Path:
    """Name the CSV of a report."""
    return settings.reports / f"{job_id}.csv"


def run_report(settings: Settings, jobs: Jobs, job: Job) -> dict[str, Any]:
    """Write a report's CSV, on every start the same bytes; the result counts its ``stores``.

    Raises:
        StoremonError: there are no polls, the lake can't be read, or the file can't be written.

    """
    asked = job.parameters
    snapshot = Lake(settings.lake).snapshot(asked.get("versions"))
    if "as_of" not in asked:
        now = {"versions": dict(snapshot.versions), "as_of": resolve_as_of(snapshot).isoformat(), "zone_data": EDITION}
        jobs.pin(job, asked := asked | now)
    frames = report_by_range(
        snapshot,
        measures=SEVEN_COLUMNS,
        memory=settings.memory,
        as_of=datetime.fromisoformat(asked["as_of"]),
        carry_limit=timedelta(microseconds=asked["carry_limit_us"]),
        on=settings.on,
    )
    file = report_file(settings, job.id)
    remove_parts(file)
    return {"stores": save(file, lambda opened: export(frames, "csv", _SEVEN_COLUMNS, opened))}


def kept_versions(settings: Settings) -> list[dict[str, int]]:
    """List the versions of the lake's tables that a report in the reports folder needs.

    Raises:
        FileError: the records of the reports cannot be read, so nobody can tell.

    """
    file = records_file(settings)
    if not file.exists():
        return []
    try:
        records = open_records(file)
        versions = pinned_versions(records)
        records.dispose()
    except SQLAlchemyError as error:
        raise FileError(f"{file}: the records of the reports cannot be read: {error}") from error
    return versions


def ingestion_parameters(settings: Settings, path: str) -> dict[str, Any]:
    """Say what an ingestion is asked for: a folder or file in the data folder, all links followed.

    Raises:
        InputError: ``path`` is not in the data folder, or nothing is there.

    """
    try:
        data, found = settings.data.resolve(), Path(path).resolve()
        inside = found.is_relative_to(data) and found.exists()
    except (OSError, RuntimeError, ValueError):  # no permission, too long; links in a circle; a null character
        inside = False
    if not inside:
        raise InputError(f"there is no {path!r} in the data folder; name the folder, or a folder or file in it")
    return {"path": str(found)}


def run_ingestion(settings: Settings, job: Job) -> dict[str, Any]:
    """Load what was asked for into the lake; the result is what became of each file, as ``tables``.

    Raises:
        StoremonError: a file can't be read, or none of its rows; the lake can't be written.

    """
    path = ingestion_parameters(settings, job.parameters["path"])["path"]  # a link may have been put there since
    ingestion = Lake(settings.lake).ingest(path, memory=settings.memory)
    if not ingestion.readable:
        reasons = "; ".join(f"{table.file}: {reason}" for table in ingestion.tables for reason in table.reasons)
        raise FileError(f"none of the rows can be read: {reasons}")
    result: dict[str, Any] = msgspec.to_builtins(ingestion)
    return result
