"""Every error over HTTP, as problem details (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.plugins.problem_details import ProblemDetailsConfig, ProblemDetailsException, ProblemDetailsPlugin
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import InputError
from storemon.records.jobs import QueueFullError
from storemon.records.opening import said

RETRY_SECONDS = 5
OUT_OF_REACH = "the records of jobs are out of reach; ask again in a few seconds, and if that lasts, look into the log"
"""What is told of a database: what it says itself has statements in it, addresses, and what others asked for."""
_CUT_OFF = "client disconnected prematurely"
"""What Litestar says, with a status of 500, of who leaves before the body has come."""

_log = structlog.stdlib.get_logger("storemon.problems")


class Problem(msgspec.Struct):
    """What went wrong: the HTTP status, its name, and what to do about it."""

    status: int
    title: str
    detail: str


def problem(
    status: int, detail: str, /, *, headers: dict[str, str] | None = None, **more: Any
) -> ProblemDetailsException:
    """Build the exception that is answered with ``status``; ``more`` members are added, and override."""
    title = HTTPStatus(status).phrase
    return ProblemDetailsException(status_code=status, title=title, detail=detail, headers=headers, extra=more)


def problems(**described: str) -> dict[int, ResponseSpec]:
    """Describe a route's problems for OpenAPI, as in ``problems(_404="there is no such report")``."""
    numbered = [(HTTPStatus(int(status.lstrip("_"))), text) for status, text in described.items()]
    return {
        status: described_problem(Problem, {"status": status, "title": status.phrase, "detail": text})
        for status, text in numbered
    }


def described_problem(kind: type, told: dict[str, Any]) -> ResponseSpec:
    """Describe a problem by what it tells."""
    return ResponseSpec(
        kind,
        description=told["detail"],
        media_type="application/problem+json",
        generate_examples=False,
        examples=[Example(value=told)],
    )


def joined(*described: Mapping[int, ResponseSpec]) -> dict[int, ResponseSpec]:
    """Put descriptions together: one status can have several reasons."""
    found: dict[int, ResponseSpec] = {}
    for status, more in (each for one in described for each in one.items()):
        known = found.setdefault(status, more)
        if known is not more:
            text = f"{known.description}. Or: {more.description}"
            found[status] = replace(known, description=text, examples=[*(known.examples or ()), *(more.examples or ())])
    return found


def problems_plugin() -> ProblemDetailsPlugin:
    """Map whatever is raised to a problem."""
    return ProblemDetailsPlugin(
        ProblemDetailsConfig(
            exception_to_problem_detail_map={
                HTTPException: from_http,
                InputError: lambda error: problem(400, str(error)),
                QueueFullError: lambda error: problem(503, str(error), headers={"Retry-After": str(RETRY_SECONDS)}),
                SQLAlchemyError: _from_records,
                # Nothing of ours goes that deep, only what reads a body.
                RecursionError: lambda _: problem(400, "the body is nested too deeply; send a flat object"),
                Exception: _from_bug,
            }
        )
    )


def from_http(error: HTTPException) -> ProblemDetailsException:
    """Say in words which field of a request was wrong."""
    if error.detail == _CUT_OFF:  # to whoever left; but a mistake of ours it is not
        return problem(400, "the body ended before it was whole; send all of it")
    fields = error.extra if isinstance(error.extra, list) else []
    detail = "; ".join(_of_field(**field) for field in fields) or error.detail
    return problem(error.status_code, detail, headers=error.headers)


def _of_field(key: str, message: str, source: str) -> str:
    # Litestar calls a body "data", and one that is not there "'data'".
    name, why = source if key == "data" else key, "it is missing" if message == "'data'" else message
    return f"{name}: {why}"


def _from_records(error: SQLAlchemyError) -> ProblemDetailsException:
    _log.error("records of jobs out of reach", reason=said(error))
    return problem(503, OUT_OF_REACH, headers={"Retry-After": str(RETRY_SECONDS)})


def _from_bug(error: Exception) -> ProblemDetailsException:
    _log.error("request failed", exc_info=error)
    return problem(500, "this was not foreseen; the log says more")
