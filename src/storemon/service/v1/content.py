"""The route of a report's content: a download, in any form."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from storemon.engine.question import require_one_of
from storemon.questions.options import Value
from storemon.records.files import report_file
from storemon.records.jobs import ENDED, Jobs
from storemon.service.problems import problem
from storemon.service.schema import tells
from storemon.service.v1.described import UNCHANGED, DownloadOperation
from storemon.service.v1.files import sent
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Nothing, Wanted, wanted
from storemon.service.v1.reports import ONE_REPORT, ReportId, found_report
from storemon.service.work import report_as
from storemon.settings import Settings
from storemon.views.forms import MEDIA_TYPES, WITH_DOCUMENT, Document, Form


@dataclass(frozen=True, kw_only=True)
class Download:
    """In which form a report is downloaded."""

    format: Annotated[
        str | None,
        Parameter(help=f"{', '.join(WITH_DOCUMENT)} (default: csv)."),
        Value("parquet", choices=lambda: WITH_DOCUMENT),
    ] = None


@route(
    "/reports/{report_id:str}/content",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    dependencies=wanted(Nothing, shown=Download),
    sync_to_thread=True,
    summary="Download a report",
    responses={
        206: ResponseSpec(bytes, generate_examples=False, description="The range that was asked for"),
        **UNCHANGED,
        **ONE_REPORT,
        **problems(
            no_such_form="There is no such form of this report",
            conflict="It is not complete",
            gone="Its file is gone",
            no_such_range="There are no such bytes",
            facts_out_of_reach="The lake can't be read, of which a PDF is made",
        ),
    },
    opt=tells("ETag", "Last-Modified", "Content-Disposition", "X-As-Of", "X-Zone-Data"),
    operation_class=DownloadOperation,
)
def get_content(
    request: Request[Any, Any, Any],
    report_id: ReportId,
    settings: NamedDependency[Settings],
    jobs: NamedDependency[Jobs],
    wanted: NamedDependency[Wanted],
) -> Response[Any]:
    """Download a complete report in a form, whole or a range of it."""
    job = found_report(request, jobs, report_id)
    if job.state != "complete":
        why = f": {job.reason}" if job.reason else ""
        headers = {} if job.state in ENDED else {"Retry-After": "1"}
        raise problem(409, f"the report is {job.state}, not complete{why}", headers=headers)
    form = _form("csv" if wanted.shown.format is None else wanted.shown.format)
    is_triggered = "question" not in job.parameters
    if is_triggered and form != "csv":
        raise problem(406, "this report was triggered, and is a CSV only; ask for another with POST /v1/reports")
    headers = {"X-As-Of": job.parameters["as_of"], "X-Zone-Data": job.parameters.get("zone_data", "")}
    name = f"report-{job.parameters['as_of'][:10]}-{job.id[:8]}.{form}"
    etag, media_type = f'"{job.id}.{form}"', MEDIA_TYPES[form]
    try:
        file = report_file(settings, job.id) if is_triggered else report_as(settings, job, form)
        return sent(request, file, etag=etag, media_type=media_type, name=name, headers=headers)
    except FileNotFoundError as error:
        raise problem(410, "the report was made, but its file is gone; ask for a new one") from error


def _form(named: str) -> Form | Document:
    require_one_of(named, WITH_DOCUMENT, "format")
    return next(form for form in WITH_DOCUMENT if form == named)
