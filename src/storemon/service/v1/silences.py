"""The routes of silences: list, add, look, end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from cyclopts import Parameter
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from storemon.questions.options import LONGEST
from storemon.service.door.callers import Caller, caller_of, needs
from storemon.service.problems import problem
from storemon.service.schema import link, tells
from storemon.service.v1.alerts import author_of
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Nothing, Wanted, wanted
from storemon.settings import Settings
from storemon.units.instants import instant_of, parse_instant
from storemon.watch.alerts import silences as kept
from storemon.watch.alerts.kept import LONGEST_REASON, Alerts
from storemon.watch.alerts.matching import require_matching
from storemon.watch.alerts.silences import MOST, OF_ALERT, Silences
from storemon.watch.book import Book

Asking = Request[Any, Any, Any]
SilenceId = Annotated[
    UUID,
    PathParameter(description="The id of a silence.", examples=[Example(value="5f0c9a1e-8f0b-4d3c-9a57-2f4f1f6f3a10")]),
]
_LINKS = {
    "look": link("get_v1_silences_silence_id", "It", silence_id="$response.body#/id"),
    "end": link("post_v1_silences_silence_id_end", "End it now", silence_id="$response.body#/id"),
}


class Silence(msgspec.Struct):
    """A silence: of what nothing is told, from when to when, and why."""

    id: UUID
    matching: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    created_at: datetime


class AllSilences(msgspec.Struct):
    """Silences."""

    rows: list[Silence]


def _like(example: object, **limits: Any) -> msgspec.Meta:
    return msgspec.Meta(examples=[example], **limits)


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be silent: all that matches every condition, by rule, severity, subject, or tags."""

    matching: Annotated[dict[str, str], _like({"region": "South"}, max_length=kept.MOST_CONDITIONS)]
    ends_at: Annotated[str, _like("2999-01-01T00:00:00Z", max_length=LONGEST)]
    reason: Annotated[str, _like("New tills", min_length=1, max_length=LONGEST_REASON)]
    starts_at: Annotated[str | None, _like("2024-10-14T12:00:00Z")] = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Which silences are listed."""

    ended: Annotated[bool, Parameter(help=f"Those that have ended, the last {MOST:,}, in place of the others.")] = False


@get(
    "/silences",
    dependencies=wanted(Listed, shown=Nothing),
    sync_to_thread=True,
    summary="Silences",
    responses=problems(wrong_question="A parameter is not known, or can't have this value"),
)
def list_silences(request: Asking, silences: NamedDependency[Silences], wanted: NamedDependency[Wanted]) -> AllSilences:
    """List the silences that last or are to come, the next to end first; of a key that sees some stores, theirs."""
    caller = caller_of(request.scope)
    return AllSilences([_told(each) for each in silences.all(ended=wanted.question.ended) if _is_seen(caller, each)])


@post(
    "/silences",
    sync_to_thread=True,
    summary="Silence what matches",
    response_description="It is silent",
    responses=problems(
        wrong_question="It can't be understood, matches nothing there is, or would be over before it begins",
        facts_out_of_reach="The lake can't be read",
    ),
    opt=needs("writer") | tells("Location", **_LINKS),
)
def add_silence(  # noqa: PLR0917 - Litestar gives them by name
    request: Asking,
    data: JSONBody[Wish],
    settings: NamedDependency[Settings],
    book: NamedDependency[Book],
    alerts: NamedDependency[Alerts],
    silences: NamedDependency[Silences],
) -> Response[Silence]:
    """Keep back what is told of alerts that match, until it ends; what goes on then is told at once.

    A key that sees some stores only must say so: its tags are among the conditions.
    """
    caller = caller_of(request.scope)
    _require_own(caller, data.matching)
    require_matching(
        data.matching, caller.snapshot(settings), book.in_force().rules, alerts, names_rules=not caller.sees
    )
    starts_at = None if data.starts_at is None else parse_instant(data.starts_at)
    added = silences.add(data.matching, starts_at, parse_instant(data.ends_at), author_of(caller), data.reason)
    return Response(_told(added), status_code=201, headers={"Location": f"/v1/silences/{added.id}"})


_ONE = problems(wrong_question="The id is no UUID", not_found="There is no such silence")


@get("/silences/{silence_id:str}", sync_to_thread=True, summary="A silence", responses=_ONE, opt=tells(**_LINKS))
def get_silence(request: Asking, silence_id: SilenceId, silences: NamedDependency[Silences]) -> Silence:
    """Tell of a silence."""
    return _told(_found(request, silences, silence_id))


@post(
    "/silences/{silence_id:str}/end",
    status_code=200,
    sync_to_thread=True,
    summary="End a silence",
    responses=_ONE,
    opt=needs("writer") | tells(look=_LINKS["look"]),
)
def end_silence(request: Asking, silence_id: SilenceId, silences: NamedDependency[Silences]) -> Silence:
    """End a silence now; of one that has ended, nothing changes."""
    _found(request, silences, silence_id)
    silences.end(str(silence_id))
    return _told(_found(request, silences, silence_id))


def _require_own(caller: Caller, matching: dict[str, str]) -> None:
    """Keep a key that sees some stores from silencing what is told of others."""
    if any(not value or tag in OF_ALERT for tag, value in caller.sees):
        raise problem(403, "this key sees stores by what they lack, which no silence can say; use one that sees all")
    if lacking := [f"{tag}={value}" for tag, value in caller.sees if matching.get(tag) != value]:
        raise problem(403, f"this key sees some stores only, and can silence those: add {', '.join(lacking)}")


def _is_seen(caller: Caller, silence: kept.Silence) -> bool:
    return all(tag not in OF_ALERT and value and silence.matching.get(tag) == value for tag, value in caller.sees)


def _found(request: Asking, silences: Silences, silence_id: UUID) -> kept.Silence:
    silence = silences.get(str(silence_id))
    if silence is None or not _is_seen(caller_of(request.scope), silence):
        raise problem(404, f"there is no silence {silence_id}; GET /v1/silences lists them")
    return silence


def _told(silence: kept.Silence) -> Silence:
    instants = (instant_of(silence.starts_at), instant_of(silence.ends_at))
    return Silence(
        UUID(silence.id), silence.matching, *instants, silence.reason, silence.author, instant_of(silence.created_at)
    )


SILENCES = [list_silences, add_silence, get_silence, end_silence]
