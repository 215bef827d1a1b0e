"""The routes of reports: trigger, poll, download.

A poll reads one record, which in a file waits for nobody and takes 0.2 ms: handing it to a thread would cost more, most
of all while jobs run. A trigger waits for the disk, and does it in a thread.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import PathParameter, QueryParameter
from litestar.response import File
from litestar.response.base import ASGIResponse

from storemon.records.files import report_file
from storemon.records.jobs import Job, Jobs
from storemon.service.door.callers import OF_ALL_STORES
from storemon.service.problems import problem, problems
from storemon.service.schema import link, tells
from storemon.service.work import report_parameters
from storemon.service.workers import Workers
from storemon.settings import Settings
from storemon.units.durations import format_duration

T = TypeVar("T")


class Triggered(msgspec.Struct):
    """A report's id."""

    report_id: UUID


class Running(msgspec.Struct):
    """A report that is waiting or being made."""

    status: Literal["Running"] = "Running"


class _Constant(Response[T]):
    """An answer that is always the same: it is written once."""

    _written: ASGIResponse | None = None

    def to_asgi_response(self, *given: Any, **named: Any) -> ASGIResponse:
        """Give it as it was written for the first one who asked."""
        if self._written is None:
            self._written = super().to_asgi_response(*given, **named)
        return self._written


_RUNNING = _Constant(Running())
_OF_REPORT = OF_ALL_STORES | tells("X-Report-Status")
OF_ID: dict[str, Any] = {
    "description": "The id of a report.",
    "examples": [Example(value="0b5f2a3e-7c1d-4e8f-9a6b-2d4c6e8f0a1b")],
}
ANSWERS = {
    200: ResponseSpec(
        Running,
        generate_examples=False,
        description="Still running; once complete, the CSV, with X-Report-Status: Complete",
    ),
    **problems(
        _400="The id is no UUID", _404="There is no such report", _410="Its file is gone", _500="The report failed"
    ),
}


@dataclass
class PollOperation(Operation):
    """A route that answers with a state, then with a file."""

    def __post_init__(self) -> None:
        """Name the media type of the file, too."""
        success = (self.responses or {})["200"]
        if isinstance(success, OpenAPIResponse) and success.content:
            success.content["text/csv"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))


@post(
    "/trigger_report",
    status_code=200,
    sync_to_thread=True,
    opt=OF_ALL_STORES
    | tells(poll=link("get_get_report_report_id", "How far it is, or the CSV", report_id="$response.body#/report_id")),
    summary="Trigger a report",
    response_description="The report is queued, durably",
    responses=problems(_503="Too many reports are waiting; Retry-After says when to come again"),
)
def trigger_report(settings: NamedDependency[Settings], workers: NamedDependency[Workers]) -> Triggered:
    """Ask for a report on the lake as it is when the work begins. Poll it by its id."""
    return Triggered(UUID(workers.add("report", report_parameters(settings))))


@get(
    "/get_report",
    opt=_OF_REPORT,
    summary="Poll or download a report",
    responses=ANSWERS,
    operation_class=PollOperation,
)
async def get_report(
    report_id: Annotated[UUID, QueryParameter(**OF_ID)],
    settings: NamedDependency[Settings],
    jobs: NamedDependency[Jobs],
) -> Response[Running] | File:
    """Answer with the CSV once it is complete, before that with the status."""
    return await _answer(settings, jobs, report_id)


@get(
    "/get_report/{report_id:str}",
    opt=_OF_REPORT,
    summary="Poll or download a report",
    responses=ANSWERS,
    operation_class=PollOperation,
)
async def get_report_by_path(
    report_id: Annotated[UUID, PathParameter(**OF_ID)],
    settings: NamedDependency[Settings],
    jobs: NamedDependency[Jobs],
) -> Response[Running] | File:
    """Answer with the CSV once it is complete, before that with the status."""
    return await _answer(settings, jobs, report_id)


async def _answer(settings: Settings, jobs: Jobs, report_id: UUID) -> Response[Running] | File:
    job = await jobs.look("report", str(report_id))
    if job is None:
        raise problem(404, f"there is no report {report_id}; trigger one with POST /trigger_report")
    if job.state == "failed":
        raise problem(500, f"the report failed: {job.reason}", status="Failed", reason=job.reason)
    if job.state == "canceled" or "question" in job.parameters:
        raise problem(410, f"there is no CSV of this report here; look at /v1/reports/{report_id}")
    return _download(settings, job) if job.state == "complete" else _RUNNING


def _download(settings: Settings, job: Job) -> File:
    file = report_file(settings, job.id)
    if not file.exists():
        raise problem(410, "the report was made, but its file is gone; trigger a new one")
    asked = job.parameters
    headers = {
        "X-Report-Status": "Complete",
        "X-Report-As-Of": asked["as_of"],
        "X-Report-Carry-Limit": format_duration(timedelta(microseconds=asked["carry_limit_us"])),
        "X-Report-Lake": " ".join(f"{table}={version}" for table, version in asked["versions"].items()),
    }
    if "zone_data" in asked:  # those of older reports were not written down
        headers["X-Report-Zone-Data"] = asked["zone_data"]
    return File(file, filename=f"report-{job.id}.csv", media_type="text/csv", headers=headers)
