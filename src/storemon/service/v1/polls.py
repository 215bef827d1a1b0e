"""The route of arriving polls."""

from dataclasses import replace
from typing import Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import RawBody

from storemon.intake.pushed.reading import MEDIA_TYPES
from storemon.service.arriving import Arriving, Taken
from storemon.service.door.callers import OF_ALL_STORES, needs
from storemon.service.problems import problem
from storemon.service.v1.problems import problems

_POLL = {
    "store_id": "27da2c26-f5a7-45bb-905c-bdc9558cea5e",
    "status": "active",
    "timestamp_utc": "2024-10-14T20:00:00Z",
}
_CSV = f"{','.join(_POLL)}\n{','.join(_POLL.values())}\n"


def _described(**given: Any) -> Operation:
    """Describe the body in each form that it can have."""
    poll = Schema(type=OpenAPIType.OBJECT)
    polls = Schema(one_of=[poll, Schema(type=OpenAPIType.ARRAY, items=poll)])
    text = Schema(type=OpenAPIType.STRING)
    in_forms: dict[str, tuple[Schema, object]] = {
        "application/json": (polls, [_POLL]),
        "application/x-ndjson": (text, f"{msgspec.json.encode(_POLL).decode()}\n"),
        "text/csv": (text, _CSV),
    }
    content = {
        media_type: OpenAPIMediaType(schema=schema, examples={"one poll": Example(value=value)})
        for media_type, (schema, value) in in_forms.items()
    }
    return replace(Operation(**given), request_body=RequestBody(content=content, required=True))


@post(
    "/polls",
    status_code=202,
    opt=needs("writer") | OF_ALL_STORES,
    summary="Send polls",
    response_description="They are on disk, but for those that are told",
    responses=problems(
        wrong_question="The body can't be read, or none of its polls",
        wrong_body="It is of another media type, or packed in another way",
        too_many_waiting="As many polls wait to be brought into the lake as may",
    ),
    operation_class=_described,  # type: ignore[arg-type]
)
async def push_polls(request: Request[Any, Any, Any], body: RawBody, arriving: NamedDependency[Arriving]) -> Taken:
    """Take polls in JSON (one object, or an array), NDJSON, CSV or as an Arrow stream; `Content-Encoding: gzip` too.

    With the answer they are on disk, and within ten seconds they are in every answer. Sending some again adds nothing.
    A poll that can't be read is told with its line and the reason, and the others are taken; if none can be read, it
    is a 400, which tells the same.
    """
    if unknown := next(iter(request.query_params), None):
        raise problem(400, f"there is no parameter {unknown!r}: polls are sent without any; leave it out")
    media_type = request.content_type[0]
    form = MEDIA_TYPES.get(media_type or "application/json")
    if form is None:
        raise problem(415, f"{media_type} is not taken here; send one of {', '.join(MEDIA_TYPES)}")
    told = await arriving.take(request, body, form, "http")
    if told.rejected and not told.taken:
        first = told.rejected[0]
        why = f"line {first.line}: {first.reason}"
        raise problem(400, f"none of the {told.rejected_count:,} polls can be read; {why}", **msgspec.to_builtins(told))
    return told
