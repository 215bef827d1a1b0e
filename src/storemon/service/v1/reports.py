"""The routes of reports that are made meanwhile: ask, look, follow, download, cancel, delete."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from cyclopts import Parameter
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, JSONBody, PathParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from storemon.engine.question import require_one_of
from storemon.errors import InputError
from storemon.questions.options import Value
from storemon.records.jobs import ENDED, Job, Jobs, State
from storemon.service.door.callers import Caller, caller_of
from storemon.service.problems import joined, problem
from storemon.service.reports import OF_ID
from storemon.service.schema import link, tells
from storemon.service.v1 import cursors
from storemon.service.v1.described import AskOperation
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Cursor, Nothing, Wanted, number, wanted
from storemon.service.work import question_parameters, remove_report
from storemon.service.workers import Workers
from storemon.settings import Settings
from storemon.units.instants import microseconds, parse_instant

MOST, USUAL = 1_000, 50  # reports of a page
LONGEST_KEY = 255
STATES: Sequence[State] = ("queued", "running", *ENDED)
LARGEST_QUESTION = 65_536
"""Bytes of a question: it is kept, and told by every look at its report; those of a straight answer have less."""
MOST_URGENT = 100
_IDEMPOTENCY_KEY = HeaderParameter(
    name="Idempotency-Key",
    description="A text of your own: sent again with the same question, it gives the same report.",
    schema_extra={"oneOf": None, "type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    examples=[Example(value="october")],
)
_LOOK_SECONDS, _PING_SECONDS = 0.25, 15
ReportId = Annotated[UUID, PathParameter(**OF_ID)]
_FROM_IT = {"report_id": "$response.body#/id"}
_LINKS = {
    "look": link("get_v1_reports_report_id", "How far it is", **_FROM_IT),
    "follow": link("get_v1_reports_report_id_events", "Its states as they change", **_FROM_IT),
    "download": link("get_v1_reports_report_id_content", "Its file, once it is complete", **_FROM_IT),
    "cancel": link("post_v1_reports_report_id_cancel", "End it before it has ended", **_FROM_IT),
    "delete": link("delete_v1_reports_report_id", "Forget it once it has ended", **_FROM_IT),
}


class Report(msgspec.Struct, omit_defaults=True):
    """A report: how far it is, what was asked for, and of which facts it is."""

    id: UUID
    state: State
    question: dict[str, Any]
    created_at: datetime
    content: str
    """Where it can be downloaded, once complete."""
    events: str
    """Where its states can be followed."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    """How long it took."""
    starts: int = 0
    progress: float = 0
    """The share that is done, from 0 to 1."""
    priority: int = 0
    run_after: datetime | None = None
    as_of: str | None = None
    zone_data: str | None = None
    versions: dict[str, int] = {}
    rows: int | None = None
    reason: str | None = None


class Reports(msgspec.Struct):
    """Reports, the newest first, and where the next page begins."""

    rows: list[Report]
    next: str | None


class Place(NamedTuple):
    """Where a page of jobs begins: before the one that was queued then."""

    queued_at: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    id: UUID


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Which reports are listed."""

    state: Annotated[
        str | None,
        Parameter(help="Only those that are queued, running, complete, failed or canceled."),
        Value("complete", choices=lambda: STATES),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """When it is a report's turn."""

    priority: Annotated[
        str | None,
        Parameter(
            help=f"From -{MOST_URGENT} to {MOST_URGENT}: the higher ones start first (default: 0; above it for admins)."
        ),
        Value(-5, least=-MOST_URGENT, most=MOST_URGENT),
    ] = None
    run_after: Annotated[
        str | None, Parameter(help="An instant before which it does not start."), Value("2024-10-14T12:00:00Z")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """How much of the list is shown."""

    limit: Annotated[
        str | None, Parameter(help=f"So many, up to {MOST:,} (default: {USUAL})."), Value(20, least=1, most=MOST)
    ] = None
    cursor: Cursor = None


@post(
    "/reports",
    status_code=202,
    sync_to_thread=True,
    summary="Ask for a report",
    response_description="It is queued, durably; Location says where to look",
    dependencies=wanted(Turn, shown=Nothing),
    responses={
        200: ResponseSpec(
            Report, generate_examples=False, description="It was asked for before with this Idempotency-Key"
        ),
        **problems(
            wrong_question="The question can't be understood",
            not_allowed="Only an admin may go before others",
            too_large="The question is too large",
            gone="The report was deleted at once",
            key_used="This Idempotency-Key was used for another question",
            too_many_waiting="Too many reports are waiting",
        ),
    },
    opt=tells("Location", **_LINKS),
    operation_class=AskOperation,
)
def ask_for_report(  # noqa: PLR0917 - Litestar gives them by name
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    jobs: NamedDependency[Jobs],
    workers: NamedDependency[Workers],
    wanted: NamedDependency[Wanted],
    data: JSONBody[dict[str, Any] | None] = None,
    key: Annotated[str | None, _IDEMPOTENCY_KEY] = None,
) -> Response[Report]:
    """Ask for a report of any question: a JSON object of the parameters of /v1/report, all of them optional.

    The same Idempotency-Key with the same question gives the same report, however often it is sent.
    """
    caller = caller_of(request.scope)
    if len(msgspec.json.encode(data)) > LARGEST_QUESTION:
        raise problem(413, f"the question is larger than {LARGEST_QUESTION:,} bytes; ask for less at once")
    parameters = question_parameters(settings, data or {}, caller)
    turn = _turn(wanted.question, caller)
    if key is None:
        return _accepted(jobs.get("report", workers.add("report", parameters, **turn)), 202)
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError(f"the Idempotency-Key has {len(key)} characters; it can have 1 to {LONGEST_KEY}")
    own_key = f"{caller.owner} {key}"
    known = jobs.find("report", own_key)
    job = known or jobs.get("report", workers.add("report", parameters, dedupe_key=own_key, **turn))
    if job and job.parameters.get("question") != parameters["question"]:
        raise problem(422, "this Idempotency-Key was used for another question; send a new key", kind="key-used")
    return _accepted(job, 202 if known is None else 200)


def _turn(asked: Turn, caller: Caller) -> dict[str, int | None]:
    text = asked.priority or "0"
    if not re.fullmatch(r"[+-]?\d{1,3}", text, re.ASCII) or abs(int(text)) > MOST_URGENT:
        raise InputError(f"priority is {text!r}; it can be a whole number from -{MOST_URGENT} to {MOST_URGENT}")
    if int(text) > 0 and not caller.may("admin"):
        raise problem(403, "only an admin's key may have a report go before those of others: leave out priority")
    run_after = None if asked.run_after is None else microseconds(parse_instant(asked.run_after))
    return {"priority": int(text), "run_after": run_after}


def _accepted(job: Job | None, status: int) -> Response[Report]:
    if job is None:
        raise problem(410, "the report was deleted at once")
    told = _told(job)
    return Response(told, status_code=status, headers={"Location": f"/v1/reports/{told.id}"})


@get(
    "/reports",
    dependencies=wanted(Listed, shown=Page),
    sync_to_thread=True,
    summary="Reports, the newest first",
    responses=problems(wrong_question="A parameter is not known, or can't have this value"),
    opt=tells(
        next=link("get_v1_reports", "The next page, with the same other parameters", cursor="$response.body#/next")
    ),
)
def list_reports(
    request: Request[Any, Any, Any], jobs: NamedDependency[Jobs], wanted: NamedDependency[Wanted]
) -> Reports:
    """List the reports there are; for a key that sees some stores only, those that it asked for."""
    caller = caller_of(request.scope)
    own = caller.owner if caller.sees else None
    listed, page = wanted
    if listed.state is not None:
        require_one_of(listed.state, STATES, "state")
    limit = USUAL if page.limit is None else number("limit", page.limit, MOST)
    here = None if page.cursor is None else cursors.read(page.cursor, Place)
    before = here and (here.queued_at, str(here.id))
    found = jobs.list("report", limit + 1, state=listed.state, key=own, before=before)
    following = Place(found[limit - 1].queued_at, UUID(found[limit - 1].id)) if len(found) > limit else None
    return Reports([_told(job) for job in found[:limit]], following and cursors.written(following))


ONE_REPORT = problems(wrong_question="The id is no UUID", not_found="There is no such report")


@get("/reports/{report_id:str}", summary="A report", responses=ONE_REPORT, opt=tells(**_LINKS))
async def get_one(request: Request[Any, Any, Any], report_id: ReportId, jobs: NamedDependency[Jobs]) -> Report:
    """Tell how far a report is, what was asked for, and of which facts it is."""
    return _told(_seen(request, await jobs.look("report", str(report_id)), report_id))


@post(
    "/reports/{report_id:str}/cancel",
    status_code=200,
    sync_to_thread=True,
    summary="Cancel a report",
    responses=joined(
        ONE_REPORT,
        problems(conflict="It has ended already", not_allowed="Another key asked for it, and this one is no admin's"),
    ),
    opt=tells(look=_LINKS["look"], delete=_LINKS["delete"]),
)
def cancel(request: Request[Any, Any, Any], report_id: ReportId, jobs: NamedDependency[Jobs]) -> Report:
    """End a report that has not ended, of one's own, or as an admin."""
    _own(request, jobs, report_id)
    if not jobs.cancel("report", str(report_id)):
        state = found_report(request, jobs, report_id).state
        raise problem(409, f"the report is {state}; only one that has not ended can be canceled")
    return _told(found_report(request, jobs, report_id))


@delete(
    "/reports/{report_id:str}",
    sync_to_thread=True,
    summary="Delete a report",
    responses=joined(
        ONE_REPORT,
        problems(
            conflict="It has not ended; cancel it first",
            not_allowed="Another key asked for it, and this one is no admin's",
        ),
    ),
)
def delete_one(
    request: Request[Any, Any, Any],
    report_id: ReportId,
    settings: NamedDependency[Settings],
    jobs: NamedDependency[Jobs],
) -> None:
    """Delete a report that has ended, and its files: of one's own, or as an admin."""
    job = _own(request, jobs, report_id)
    if job.state not in ENDED:
        raise problem(409, f"the report is {job.state}; cancel it first")
    remove_report(settings, job.id)
    jobs.delete("report", job.id)


@get(
    "/reports/{report_id:str}/events",
    summary="Follow a report",
    media_type="text/event-stream",
    responses=ONE_REPORT,
)
async def follow(request: Request[Any, Any, Any], report_id: ReportId, jobs: NamedDependency[Jobs]) -> ServerSentEvent:
    """Send an event with the report each time its state changes, or how far it is, until it has ended."""
    _seen(request, await jobs.look("report", str(report_id)), report_id)
    return ServerSentEvent(_events(jobs, report_id))


async def _events(jobs: Jobs, report_id: UUID) -> AsyncIterator[ServerSentEventMessage]:
    told, silent_since = None, asyncio.get_running_loop().time()
    while told is None or told[0] not in ENDED:
        job = await jobs.look("report", str(report_id))
        if job is None:
            return
        now = asyncio.get_running_loop().time()
        if told != (job.state, job.progress):
            told, silent_since = (job.state, job.progress), now
            yield ServerSentEventMessage(data=msgspec.json.encode(_told(job)).decode(), event=job.state)
            continue
        if now - silent_since >= _PING_SECONDS:  # so that nobody between us takes the connection for dead
            silent_since = now
            yield ServerSentEventMessage(comment="still there")
        await asyncio.sleep(_LOOK_SECONDS)


def _own(request: Request[Any, Any, Any], jobs: Jobs, report_id: UUID) -> Job:
    """Find a report that whoever asks may change."""
    job, caller = found_report(request, jobs, report_id), caller_of(request.scope)
    if not caller.may("admin") and job.parameters.get("key") != caller.owner:
        raise problem(403, "this report was asked for by somebody else; an admin's key may change it")
    return job


def found_report(request: Request[Any, Any, Any], jobs: Jobs, report_id: UUID) -> Job:
    """Find a report that whoever asks may see."""
    return _seen(request, jobs.get("report", str(report_id)), report_id)


def _seen(request: Request[Any, Any, Any], job: Job | None, report_id: UUID) -> Job:
    caller = caller_of(request.scope)
    if job is None or (caller.sees and job.parameters.get("key") != caller.owner):
        raise problem(404, f"there is no report {report_id}; ask for one with POST /v1/reports")
    return job


def _told(job: Job) -> Report:
    asked, result = job.parameters, job.result or {}
    started_at, ended_at = _instant(job.started_at), _instant(job.ended_at)
    return Report(
        UUID(job.id),
        job.state,
        asked.get("question", {}),
        datetime.fromtimestamp(job.queued_at / 1e6, UTC),
        f"/v1/reports/{job.id}/content",
        f"/v1/reports/{job.id}/events",
        started_at=started_at,
        ended_at=ended_at,
        seconds=(ended_at - started_at).total_seconds() if started_at and ended_at else None,
        starts=job.attempts,
        progress=job.progress or 0,
        priority=job.priority,
        run_after=_instant(job.run_after),
        as_of=asked.get("as_of"),
        zone_data=asked.get("zone_data"),
        versions=asked.get("versions", {}),
        rows=result.get("rows", result.get("stores")),
        reason=job.reason,
    )


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)


REPORTS = [ask_for_report, list_reports, get_one, cancel, delete_one, follow]
