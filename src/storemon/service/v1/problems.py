"""Every error of the versioned API, as problem details (RFC 9457) with a type: a heading of docs/problems.md."""

import re
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.plugins.problem_details import ProblemDetailsException
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import EmptyLakeError, InputError, StoppedError, StoremonError
from storemon.records.inbox import InboxFullError
from storemon.records.jobs import QueueFullError
from storemon.records.opening import said
from storemon.service.door.limits import BusyError
from storemon.service.problems import OUT_OF_REACH, RETRY_SECONDS, described_problem, from_http, joined

_log = structlog.stdlib.get_logger("storemon.problems")


class _Kind(NamedTuple):
    """A kind of problem: its status, the last part of its type, its title."""

    status: int
    name: str
    title: str


_BY_ERROR: dict[type[Exception], _Kind] = {
    InputError: _Kind(400, "wrong-question", "The question can't be understood"),
    EmptyLakeError: _Kind(404, "no-polls", "There are no polls yet"),
    QueueFullError: _Kind(503, "too-many-waiting", "Too many are waiting"),
    InboxFullError: _Kind(503, "too-many-waiting", "Too many are waiting"),
    BusyError: _Kind(503, "busy", "Too many answers are being computed"),
    StoppedError: _Kind(504, "took-too-long", "The answer takes too long"),
    SQLAlchemyError: _Kind(503, "records-out-of-reach", "The records can't be reached"),
    StoremonError: _Kind(503, "facts-out-of-reach", "The facts can't be reached"),
    RecursionError: _Kind(400, "wrong-body", "The body can't be read"),
    Exception: _Kind(500, "unforeseen", "This was not foreseen"),
}
_BY_STATUS = {
    400: _Kind(400, "wrong-question", "The question can't be understood"),
    401: _Kind(401, "no-key", "This needs a key"),
    403: _Kind(403, "not-allowed", "This key may not do this"),
    404: _Kind(404, "not-found", "There is no such thing"),
    405: _Kind(405, "wrong-method", "It can't be used in this way"),
    406: _Kind(406, "no-such-form", "There is no such form"),
    408: _Kind(408, "body-too-slow", "The body did not arrive in time"),
    409: _Kind(409, "conflict", "It is not in a state for this"),
    410: _Kind(410, "gone", "It is no longer there"),
    413: _Kind(413, "too-large", "The body is too large"),
    415: _Kind(415, "wrong-body", "The body can't be read"),
    422: _Kind(422, "answer-too-large", "The answer is too large"),
    416: _Kind(416, "no-such-range", "There are no such bytes"),
    429: _Kind(429, "too-often", "This was asked too often"),
    503: _Kind(503, "facts-out-of-reach", "The facts can't be reached"),
}
_BY_NAME = {
    "key-used": _Kind(422, "key-used", "The Idempotency-Key was used for another question"),
    "issuer-out-of-reach": _Kind(503, "issuer-out-of-reach", "Nobody can tell whether the token is good"),
}

_KINDS = {kind.name: kind for kind in (*_BY_ERROR.values(), *_BY_STATUS.values(), *_BY_NAME.values())}
_PAGE = "docs/problems.md#"


class TypedProblem(msgspec.Struct):
    """What went wrong: a type that stays the same, its name, the HTTP status, what to do about it, and where it was."""

    type: Annotated[str, msgspec.Meta(pattern=r"^docs/problems\.md#")]
    title: str
    status: int
    detail: str
    instance: str


def status_of(name: str) -> int:
    """Tell the status of a problem by the last part of its type, with ``_`` for ``-``."""
    return _KINDS[name.replace("_", "-")].status


def problems(**described: str) -> dict[int, ResponseSpec]:
    """Describe a route's problems for OpenAPI by their types, as in ``problems(not_found="there is no such report")``.

    Those that any route can have are added to them (`storemon.service.schema`).
    """
    several = [_told(_KINDS[name.replace("_", "-")], text, "/v1") for name, text in described.items()]
    return joined(*({told["status"]: described_problem(TypedProblem, told)} for told in several))


def _told(kind: _Kind, detail: str, path: str) -> dict[str, Any]:
    told = {"type": f"{_PAGE}{kind.name}", "title": kind.title, "status": kind.status}
    return told | {"detail": detail, "instance": path}


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with what went wrong, where, and what to try."""
    kind = next(_BY_ERROR[each] for each in type(error).__mro__ if each in _BY_ERROR)
    detail, more, headers = said(error) if isinstance(error, SQLAlchemyError) else str(error), {}, {}
    if isinstance(error, HTTPException):
        told = error if isinstance(error, ProblemDetailsException) else from_http(error)
        more = dict(error.extra) if isinstance(error.extra, dict) else {}
        refused = _Kind(told.status_code, "refused", told.title or "It is refused")
        kind = _BY_NAME.get(more.pop("kind", ""), _BY_STATUS.get(told.status_code, refused))
        detail, headers = told.detail, dict(told.headers or {})
    elif isinstance(error, RecursionError):
        detail = "the body is nested too deeply; send a flat object"
    elif kind.name == "unforeseen":
        _log.error("request failed", exc_info=error)
        detail = "this was not foreseen; the log says more"
    elif kind.status == 503:  # noqa: PLR2004
        _log.error("request failed", reason=detail)
        detail = OUT_OF_REACH if isinstance(error, SQLAlchemyError) else detail
        headers["Retry-After"] = str(RETRY_SECONDS)
    body = _told(kind, _named(detail), request.url.path) | more
    return Response(
        msgspec.json.encode(body), status_code=kind.status, media_type="application/problem+json", headers=headers
    )


def handlers() -> dict[Any, Callable[..., Response[bytes]]]:
    """Have every error answered so, whatever handles those of other routes."""
    return dict.fromkeys([*_BY_ERROR, HTTPException, ProblemDetailsException], answer_problem)


def answer_outside(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer where no route is taken: under /v1, and at its other path, as its routes do, elsewhere as always."""
    if request.url.path.startswith(("/v1/", "/api/v2/")):
        if isinstance(error, NotFoundException):
            error = NotFoundException("there is no such path; /schema lists those there are")
        return answer_problem(request, error)
    return from_http(error).to_response(request)


def _named(detail: str) -> str:
    """Call parameters by the names that they have here."""
    return re.sub(r"--([a-z][a-z-]*)", lambda found: found[1].replace("-", "_"), detail)
