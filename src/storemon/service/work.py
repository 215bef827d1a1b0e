"""What a job of each kind is asked for, and what it does."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from storemon.answers.report import report_by_range
from storemon.calendar.windows import DEFAULT_WINDOWS
from storemon.engine.measures import SEVEN_COLUMNS, chosen
from storemon.engine.question import resolve_as_of
from storemon.errors import FileError, InputError
from storemon.intake.lake import Lake
from storemon.questions import report
from storemon.questions.options import Means, ReportQuestion, question_of
from storemon.questions.paper import document
from storemon.records.files import report_file
from storemon.records.jobs import Job, Jobs, pinned_versions
from storemon.records.opening import are_there, opened_records
from storemon.service.door.callers import Caller
from storemon.service.telemetry.counted import count_rows
from storemon.settings import Settings
from storemon.units.zones import EDITION
from storemon.views.answer import legend_of_report
from storemon.views.export import export, remove_parts, save, write
from storemon.views.forms import WITH_DOCUMENT, Document, Form

MOST_PARTS_OF_A_STORE = 1_000_000
"""The most parts of windows of a store in a report, which are all in memory: the hours of a century."""
MOST_STORES_OF_A_DOCUMENT = 100_000
_LET_GO_SECONDS = 1
_BATCH = 100_000  # rows that are written at a time
_SEVEN_COLUMNS = legend_of_report(chosen(SEVEN_COLUMNS, None), DEFAULT_WINDOWS)


def report_parameters(settings: Settings) -> dict[str, Any]:
    """Say what a report is asked for; its first start adds the lake's ``versions`` and ``as_of``."""
    return {"carry_limit_us": settings.carry_limit // timedelta(microseconds=1)}


def question_parameters(settings: Settings, given: Mapping[str, object], caller: Caller) -> dict[str, Any]:
    """Say what a report of any question is asked for, by whom, and which stores that one sees.

    Raises:
        InputError: it can't be understood.

    """
    report.check(question_of(ReportQuestion, given), _means(settings, report_parameters(settings)))
    by = {"key": caller.owner, "sees": dict(caller.sees)}
    return {"question": dict(given), **by, **report_parameters(settings)}


def remove_report(settings: Settings, job_id: str) -> None:
    """Remove the files of a report, and what a killed process left of them."""
    for form in WITH_DOCUMENT:
        report_file(settings, job_id, form).unlink(missing_ok=True)
    remove_parts(report_file(settings, job_id, "*"))


def remove_unwanted(settings: Settings, jobs: Jobs, job: Job) -> None:
    """Remove the files of a report that was canceled while it was made, or deleted since."""
    now = jobs.get(job.kind, job.id)
    if now is None or now.state in {"canceled", "failed"}:
        remove_report(settings, job.id)


def report_as(settings: Settings, job: Job, form: Form | Document) -> Path:
    """Give the file of a complete report of any question in a form, written if it is not there yet.

    A document is made of the facts that the report is of.

    Raises:
        FileError: it can't be written.
        FileNotFoundError: what it is made of is gone.
        InputError: it can't be written in this form.
        StoremonError: its facts can't be read, of which a document is made.

    """
    file, exact = report_file(settings, job.id, form), report_file(settings, job.id, "parquet")
    if file.exists():
        return file
    if not exact.exists():
        raise FileNotFoundError(exact)
    question, means = question_of(ReportQuestion, job.parameters["question"]), _means(settings, job.parameters)
    if form == "pdf":
        snapshot = _asker(job).snapshot(settings, job.parameters["versions"])
        if (stores := len(snapshot.stores())) > MOST_STORES_OF_A_DOCUMENT:
            raise InputError(
                f"there are {stores:,} stores, and a PDF is made of {MOST_STORES_OF_A_DOCUMENT:,} at the most while "
                "somebody waits; on a machine that has the lake: storemon report --out week.pdf"
            )
        content = document(replace(question, as_of=job.parameters["as_of"]), snapshot, means)
        write(file, content)
        return file
    legend = report.legend(question)
    about = report.about(question, datetime.fromisoformat(job.parameters["as_of"]), means)
    rows = pl.scan_parquet(exact)
    batches = rows.collect_batches(chunk_size=_BATCH) if job.result and job.result["rows"] else [rows.collect()]
    save(file, lambda opened: export(batches, form, legend, opened, about))
    return file


def _means(settings: Settings, asked: Mapping[str, Any]) -> Means:
    return Means(timedelta(microseconds=asked["carry_limit_us"]), settings.memory, settings.on)


def _asker(job: Job) -> Caller:
    """Tell as whom a report is made: whoever sees some stores only, gets a report of those."""
    return Caller(sees=tuple(job.parameters.get("sees", {}).items()))


def run_report(settings: Settings, jobs: Jobs, job: Job) -> dict[str, Any]:
    """Write a report's file, on every start the same bytes; the result counts its ``stores``, or its ``rows``.

    Raises:
        StoremonError: there are no polls, the lake can't be read, or the file can't be written.

    """
    asked = job.parameters
    snapshot = _asker(job).snapshot(settings, asked.get("versions"))
    question = question_of(ReportQuestion, asked["question"]) if "question" in asked else None
    if "as_of" not in asked:
        as_of = question.now(snapshot) if question else resolve_as_of(snapshot)
        now = {"versions": dict(snapshot.versions), "as_of": as_of.isoformat(), "zone_data": EDITION}
        jobs.pin(job, asked := asked | now)
    if question:
        if (parts := report.parts(question, snapshot)) > MOST_PARTS_OF_A_STORE:
            raise InputError(
                f"the report has {parts:,} parts of windows for each store, and {MOST_PARTS_OF_A_STORE:,} is the most; "
                "ask for longer parts, or for several reports of a shorter window each"
            )
        answer = report.answer(question, snapshot, _means(settings, asked))
        exact = report_file(settings, job.id, "parquet")
        remove_parts(exact)
        return {"rows": save(exact, lambda opened: export(answer.frames, "parquet", answer.legend, opened))}
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
        RecordsError: the records of the reports cannot be read, so nobody can tell.

    """
    if not are_there(settings):
        return []
    records = opened_records(settings)
    try:
        with records.connect() as connection:
            return pinned_versions(connection)
    finally:
        records.dispose()


def let_go(settings: Settings, jobs: Jobs) -> int:
    """Forget the jobs that are no longer to be kept, and remove their files. Tell how many they were.

    That takes a second or so: of very many, the rest is for another time.
    """
    count, until = 0, time.monotonic() + _LET_GO_SECONDS
    for job in jobs.outdated(settings.keep_reports):
        remove_report(settings, job.id)  # before its record: so that no file is ever nobody's
        jobs.delete(job.kind, job.id)
        count += 1
        if time.monotonic() >= until:
            break
    return count


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
    count_rows(ingestion.tables)
    if not ingestion.readable:
        reasons = "; ".join(f"{table.file}: {reason}" for table in ingestion.tables for reason in table.reasons)
        raise FileError(f"none of the rows can be read: {reasons}")
    result: dict[str, Any] = msgspec.to_builtins(ingestion)
    return result
