"""The routes that speak as InfluxDB does, so that Telegraf, and each client of InfluxDB, can send polls unchanged."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import QueryParameter, RawBody

from storemon.intake.pushed.reading import Unit
from storemon.service.arriving import Arriving
from storemon.service.door.callers import AS_INFLUX, NOBODY, OF_ALL_STORES, needs
from storemon.service.problems import problem
from storemon.service.v1.problems import answer_problem, handlers, problems

_TOLD = 5
_LINE = "store_status,store_id=27da2c26-f5a7-45bb-905c-bdc9558cea5e active=true 1728936000000000000\n"
_CODES = {401: "unauthorized", 403: "forbidden", 413: "request too large", 500: "internal error", 503: "unavailable"}
Precision = Annotated[
    Unit,
    QueryParameter(
        description="The unit of the timestamps, as InfluxDB 1 or 2 calls it.", examples=[Example(value="ns")]
    ),
]


def answer_as_influx(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with a problem that has InfluxDB's ``code`` and ``message`` besides."""
    told = answer_problem(request, error)
    body = msgspec.json.decode(told.content)
    body |= {"code": _CODES.get(told.status_code or 0, "invalid"), "message": body["detail"]}
    told.content = msgspec.json.encode(body)
    return told


def _described(**given: Any) -> Operation:
    text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING), examples={"one poll": Example(value=_LINE)})
    # Not required: InfluxDB answers a body of no lines with 204 as well.
    return replace(Operation(**given), request_body=RequestBody(content={"text/plain": text}))


@post(
    ["/v1/write", "/api/v2/write"],
    status_code=204,
    opt=needs("writer") | OF_ALL_STORES | AS_INFLUX,
    summary="Send polls in InfluxDB's line protocol",
    description="Take polls as InfluxDB takes lines: `store_status,store_id=… active=true 1728936000`. Its parameters "
    "`org`, `bucket`, `db` and `rp` are let by. The key is sent as its clients send theirs: `Authorization: Token …`, "
    "or as the password. With 204 they are on disk. If some lines can't be read, the others are taken, and a 400 tells "
    "which and why.",
    response_description="They are on disk",
    responses=problems(
        wrong_question="Lines can't be read; the others are on disk",
        wrong_body="It is packed in another way",
        too_many_waiting="As many polls wait to be brought into the lake as may",
    ),
    exception_handlers=dict.fromkeys(handlers(), answer_as_influx),
    operation_class=_described,  # type: ignore[arg-type]
)
async def write_lines(
    request: Request[Any, Any, Any], body: RawBody, arriving: NamedDependency[Arriving], precision: Precision = "ns"
) -> None:
    """Take polls as InfluxDB takes lines. Litestar does not find this text, as there are two paths."""
    if len(request.query_params.getall("precision", [])) > 1:
        raise problem(400, "precision is given more than once, and nobody can tell which counts; give it once")
    told = await arriving.take(request, body, "line", "influx", precision)
    if told.rejected:
        why = "; ".join(f"line {one.line}: {one.reason}" for one in told.rejected[:_TOLD])
        more = f"; and {told.rejected_count - _TOLD} more" if told.rejected_count > _TOLD else ""
        both = told.taken + told.rejected_count
        raise problem(400, f"partial write: {told.taken:,} of {both:,} polls were taken; {why}{more}")


@get("/ping", sync_to_thread=False, status_code=204, opt=NOBODY, summary="Does this process answer, as InfluxDB does?")
def ping() -> None:
    """Answer with nothing, as clients of InfluxDB ask before they write."""
