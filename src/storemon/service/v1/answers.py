"""The routes of answers."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from storemon.engine.question import require_one_of
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.questions import alerts, audit, explain, now, outages, paper, report, stores, week
from storemon.questions.options import (
    AuditQuestion,
    Facts,
    Grouped,
    Means,
    NowQuestion,
    Question,
    ReplayQuestion,
    ReportQuestion,
    StoresQuestion,
    Value,
)
from storemon.rules.writing import written
from storemon.service.door.callers import OF_ALL_STORES, caller_of
from storemon.service.schema import OF_FACTS, OF_PAGES, tells
from storemon.service.v1.answering import Made, answered, as_of_now, form_of, headers_of, means_of
from storemon.service.v1.described import UNCHANGED, AnswerOperation, ExplanationOperation, ReportOperation
from storemon.service.v1.files import has_tag
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Shown, ShownReport, Wanted, wanted
from storemon.settings import Settings
from storemon.units.instants import EPOCH
from storemon.views.answer import Answer
from storemon.views.plain import plain
from storemon.views.svg import draw
from storemon.watch.book import Book

Asking = Request[Any, Any, Any]
NamedTag = Annotated[
    str, PathParameter(description="A tag, as stores.csv names it.", examples=[Example(value="region")])
]
StoreId = Annotated[
    str,
    PathParameter(
        description="The id of a store.",
        examples=[Example(value="27da2c26-f5a7-45bb-905c-bdc9558cea5e")],  # of the sample
    ),
]
_PAPER = Made(paper.document, paper.parts)
_PICTURES = {"json": "application/json", "svg": "image/svg+xml"}
_RESPONSES = UNCHANGED | problems(
    wrong_question="A parameter is not known, or can't have this value",
    no_polls="There are no polls yet to take the answer's now from",
    no_such_form="There is no form that is accepted",
    answer_too_large="The answer is too large for a request to wait for",
    busy="As many answers are being computed as may",
    facts_out_of_reach="The lake can't be read",
    took_too_long="The answer takes too long",
)


def _rows(path: str, kind: type, summary: str, sort: str, fixed: Collection[str] = ()) -> get:
    """Make the route of rows that answer a kind of question, and can be sorted, say by ``sort``."""
    is_report = kind is ReportQuestion
    return get(
        path,
        dependencies=wanted(kind, shown=ShownReport if is_report else Shown, sort=sort, fixed=fixed),
        sync_to_thread=True,
        opt=tells(*OF_FACTS, *(["X-As-Of"] if issubclass(kind, Facts) else []), *OF_PAGES),
        summary=summary,
        responses=_RESPONSES,
        operation_class=ReportOperation if is_report else AnswerOperation,
    )


@dataclass(frozen=True, kw_only=True)
class RejectedQuestion:
    """What the list of rejected rows can be asked for."""

    file: Annotated[
        str | None, Parameter(help="Only those of this file, named as in the list."), Value("PUT /v1/hours")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How an explanation is shown."""

    format: Annotated[
        str | None,
        Parameter(help="json, or svg for a picture (default: by Accept, else json)."),
        Value("svg", choices=lambda: _PICTURES),
    ] = None


@_rows("/now", NowQuestion, "What is true now", "-open_time")
def get_now(request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]) -> Response[Any]:
    """Tell of each store its state, whether it is open, and since when; or count the open stores of groups by state."""
    return answered(request, settings, wanted, now.answer, name="now")


@_rows("/report", ReportQuestion, "Measures of each store or group", "-downtime_last_week")
def get_report(request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]) -> Response[Any]:
    """Compute uptime, downtime and other measures, by default in the last hour, day and week."""
    return answered(request, settings, wanted, report.answer, name="report", parts=report.parts, document=_PAPER)


@_rows(
    "/groups/{tag:str}",
    ReportQuestion,
    "Measures of each group of stores with the same value of a tag",
    "-downtime_last_week",
    fixed=("group_by", "overall"),
)
def get_groups(
    request: Asking, tag: NamedTag, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """Compute what a report tells, of all stores with the same value of a tag together."""
    question = wanted.question
    if question.group_by or question.overall:
        raise InputError("these are groups by the tag in the path; leave out group_by and overall, or ask /v1/report")
    grouped = wanted._replace(question=replace(question, group_by=(tag,)))
    return answered(request, settings, grouped, report.answer, name="groups", parts=report.parts, document=_PAPER)


@_rows("/outages", Question, "Outages", "-downtime")
def get_outages(request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]) -> Response[Any]:
    """List the outages in a window, by default the last day."""
    return answered(request, settings, wanted, outages.answer, name="outages")


@_rows("/hour-of-week", Grouped, "Uptime by weekday and hour", "-uptime")
def get_hour_of_week(
    request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """Add a window, by default the last four weeks, up by weekday and hour of the local clocks."""
    return answered(request, settings, wanted, week.answer, name="hour-of-week", parts=week.parts)


@_rows("/stores", StoresQuestion, "Stores", "availability_last_week")
def get_stores(request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]) -> Response[Any]:
    """List the stores with their tags and availability, by default in the last week."""
    return answered(request, settings, wanted, stores.answer, name="stores")


@_rows("/audit", AuditQuestion, "Audit", "-count")
def get_audit(request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]) -> Response[Any]:
    """Find what weakens the figures: what is missing, unknown or doubtful, with examples."""
    return answered(request, settings, wanted, audit.rows, name="audit")


@_rows("/rejected", RejectedQuestion, "Rows that could not be read", "line")
def get_rejected(
    request: Asking, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """List the rows that could not be read: file, line, reason, and the row as it stood."""
    return answered(request, settings, wanted, _rejected, name="rejected")


def _rejected(question: RejectedQuestion, snapshot: Snapshot, _: Means) -> Answer:
    rows = snapshot.rejected()
    if question.file is not None:
        require_one_of(question.file, rows["file"].unique().sort().to_list(), "file with rejected rows")
        rows = rows.filter(file=question.file)
    return Answer([rows], {}, "rejected rows", EPOCH)


@get(
    "/stores/{store_id:str}/explain",
    dependencies=wanted(Question, shown=Drawn),
    sync_to_thread=True,
    summary="Why a store has its figures",
    opt=tells(*OF_FACTS, "X-As-Of"),
    responses=_RESPONSES,
    operation_class=ExplanationOperation,
)
def get_explanation(
    request: Asking, store_id: StoreId, settings: NamedDependency[Settings], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """Explain the figures of a store in a window, by default the last day: as JSON, or drawn as SVG."""
    question, shown = wanted
    question = replace(question, as_of=as_of_now(question) or question.as_of)
    form = form_of(request, shown.format, _PICTURES)
    caller = caller_of(request.scope)
    snapshot = caller.snapshot(settings)
    headers = headers_of(snapshot, "explain", store_id, asdict(question), settings.carry_limit, form, caller.sees)
    if has_tag(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    told = explain.answer(question, store_id, snapshot, means_of(settings))
    headers["X-As-Of"] = told.as_of.isoformat()
    body = draw(told).encode() if form == "svg" else msgspec.json.encode(plain(told))
    return Response(body, media_type=_PICTURES[form], headers=headers)


@get(
    "/alerts/replay",
    dependencies=wanted(ReplayQuestion, sort="-notices", fixed=("policy",)),
    sync_to_thread=True,
    opt=tells(*OF_FACTS, "X-As-Of", *OF_PAGES) | OF_ALL_STORES,
    summary="Alerts that the rules in force would have made",
    responses=_RESPONSES,
    operation_class=AnswerOperation,
)
def get_replay(
    request: Asking, settings: NamedDependency[Settings], book: NamedDependency[Book], wanted: NamedDependency[Wanted]
) -> Response[Any]:
    """List the alerts that there would have been in a window, by default the last week, and the notices of each."""
    rules = book.in_force().rules

    def ask(question: ReplayQuestion, snapshot: Snapshot, means: Means) -> Answer:
        return alerts.answer(question, rules, snapshot, means).answer

    also = [written(rule) for rule in rules]
    return answered(request, settings, wanted, ask, name="alerts", parts=lambda *_: max(1, len(rules)), also=also)


ANSWERS = [
    get_replay,
    get_now,
    get_report,
    get_groups,
    get_outages,
    get_hour_of_week,
    get_stores,
    get_explanation,
    get_audit,
    get_rejected,
]
