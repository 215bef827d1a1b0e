"""The routes of alerts: list, look, acknowledge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from cyclopts import Parameter
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from storemon.engine.question import require_one_of
from storemon.errors import InputError
from storemon.questions.options import Value
from storemon.rules.conditions import Kind
from storemon.rules.rule import Severity
from storemon.service.door.callers import Caller, caller_of, needs
from storemon.service.problems import joined, problem
from storemon.service.schema import link, tells
from storemon.service.v1 import cursors
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Wanted, number, wanted
from storemon.service.v1.reports import MOST, USUAL, Page
from storemon.units.instants import instant_of
from storemon.watch.alerts.kept import LONGEST_REASON, STATES, Alerts, Happened, Kept, State, state_of

Asking = Request[Any, Any, Any]
AlertId = Annotated[
    UUID,
    PathParameter(description="The id of an alert.", examples=[Example(value="5f0c9a1e-8f0b-4d3c-9a57-2f4f1f6f3a10")]),
]
_LOOKED_AT = 5_000
"""So many alerts are looked at for a page, of which a key that sees some stores may not see all."""
_LINKS = {
    "look": link("get_v1_alerts_alert_id", "It, and what happened to it", alert_id="$response.body#/id"),
    "acknowledge": link(
        "post_v1_alerts_alert_id_acknowledge", "Say that somebody cares for it", alert_id="$response.body#/id"
    ),
}
_NEXT = link("get_v1_alerts", "The next page, with the same other parameters", cursor="$response.body#/next")


class Alert(msgspec.Struct):
    """An alert: of which rule and subject, since when, and how it is now."""

    id: UUID
    rule: str
    kind: Kind
    subject: str
    """The id of a store, or the tags of a group."""
    severity: Severity
    state: State
    fired_at: datetime
    resolved_at: datetime | None
    """When it was over; null as long as it is not."""
    stale: bool
    """Whether nobody knows that it goes on."""
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    tags: Mapping[str, str]
    """Those of the store, or of the group."""
    facts: Mapping[str, Any]
    """What was known when it was found."""
    share: Mapping[str, Any] | None
    """How many of its group were open and down then; of a key that sees some stores, nothing."""


class Event(msgspec.Struct, omit_defaults=True):
    """What happened to an alert; who did it, and why, if somebody did."""

    happened_at: datetime
    what: str
    author: str | None = None
    reason: str | None = None


class OneAlert(Alert):
    """An alert with its events, in order."""

    events: list[Event]


class AlertsPage(msgspec.Struct):
    """Alerts, those first that fired last, and where the next page begins."""

    rows: list[Alert]
    next: str | None


class Acknowledgement(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody cares."""

    reason: Annotated[
        str, msgspec.Meta(min_length=1, max_length=LONGEST_REASON, examples=["The provider works on it."])
    ]


class _Place(NamedTuple):
    fired_at: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    id: UUID


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Which alerts are listed."""

    state: Annotated[
        str | None,
        Parameter(help="Only those that are open, acknowledged or closed."),
        Value("open", choices=lambda: STATES),
    ] = None
    rule: Annotated[str | None, Parameter(help="Only those of this rule."), Value("down")] = None
    subject: Annotated[
        str | None,
        Parameter(help="Only those of this subject: the id of a store, or the tags of a group."),
        Value("region=South"),
    ] = None


@get(
    "/alerts",
    dependencies=wanted(Listed, shown=Page),
    sync_to_thread=True,
    summary="Alerts, those first that fired last",
    responses=problems(wrong_question="A parameter is not known, or can't have this value"),
    opt=tells(next=_NEXT),
)
def list_alerts(request: Asking, alerts: NamedDependency[Alerts], wanted: NamedDependency[Wanted]) -> AlertsPage:
    """List the alerts; of a key that sees some stores only, those of them, and of groups of them.

    A page can have fewer than were asked for, and yet another one after it: there is none once next is null.
    """
    listed, page = wanted
    for name, text in (("rule", listed.rule), ("subject", listed.subject)):
        if text is not None and "\0" in text:
            raise InputError(f"{name} has the character NUL in it; leave it out")
    if listed.state is not None:
        require_one_of(listed.state, STATES, "state")
    limit = USUAL if page.limit is None else number("limit", page.limit, MOST)
    here = None if page.cursor is None else cursors.read(page.cursor, _Place)
    caller = caller_of(request.scope)
    look_at = _LOOKED_AT if caller.sees else limit
    found = alerts.newest(
        look_at + 1,
        state=next((state for state in STATES if state == listed.state), None),
        rule=listed.rule,
        subject=listed.subject,
        before=here and (here.fired_at, str(here.id)),
    )
    rows: list[Alert] = []
    for each in found[:look_at]:
        if len(rows) == limit:
            break
        here = _Place(each.fired_at, UUID(each.id))
        if is_seen(caller, each):
            rows.append(_told(each, caller))
    is_last = not found or (here is not None and str(here.id) == found[-1].id)
    return AlertsPage(rows, None if is_last or here is None else cursors.written(here))


_ONE = problems(wrong_question="The id is no UUID", not_found="There is no such alert")


@get("/alerts/{alert_id:str}", sync_to_thread=True, summary="An alert", responses=_ONE, opt=tells(**_LINKS))
def get_alert(request: Asking, alert_id: AlertId, alerts: NamedDependency[Alerts]) -> OneAlert:
    """Tell of an alert, and what happened to it."""
    return _whole(_found(request, alerts, alert_id), alerts, caller_of(request.scope))


@post(
    "/alerts/{alert_id:str}/acknowledge",
    status_code=200,
    sync_to_thread=True,
    summary="Acknowledge an alert",
    responses=joined(_ONE, problems(conflict="It is over")),
    opt=needs("writer") | tells(**_LINKS),
)
def acknowledge(
    request: Asking, alert_id: AlertId, data: JSONBody[Acknowledgement], alerts: NamedDependency[Alerts]
) -> OneAlert:
    """Say that somebody cares for it, and why: it is not told again, nor are others told. To say so again is noted."""
    if _found(request, alerts, alert_id).closed_at is not None:
        raise problem(409, "the alert is over; only one that is open can be acknowledged")
    caller = caller_of(request.scope)
    changed = alerts.acknowledge(str(alert_id), author_of(caller), data.reason)
    if changed is None:
        raise _no_such(alert_id)
    return _whole(changed, alerts, caller)


def author_of(caller: Caller) -> str:
    """Name who asks, for the records."""
    return caller.owner or "anybody"


def is_seen(caller: Caller, alert: Kept) -> bool:
    """Tell whether who asks may see an alert: of a store that it sees, or of a group of only such stores."""
    tags = alert.facts.get("tags") or {}
    is_of_group = alert.facts.get("zone") is None
    return all(tags.get(tag, None if is_of_group else "") == value for tag, value in caller.sees)


def _found(request: Asking, alerts: Alerts, alert_id: UUID) -> Kept:
    alert = alerts.get(str(alert_id))
    if alert is None or not is_seen(caller_of(request.scope), alert):
        raise _no_such(alert_id)
    return alert


def _no_such(alert_id: UUID) -> Exception:
    return problem(404, f"there is no alert {alert_id}; GET /v1/alerts lists them")


def _told(alert: Kept, caller: Caller) -> Alert:
    return Alert(**_parts(alert, caller))


def _whole(alert: Kept, alerts: Alerts, caller: Caller) -> OneAlert:
    return OneAlert(**_parts(alert, caller), events=[_event(each) for each in alerts.events(alert.id)])


def _parts(alert: Kept, caller: Caller) -> dict[str, Any]:
    return {
        "id": UUID(alert.id),
        "rule": alert.rule,
        "kind": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "state": state_of(alert),
        "fired_at": instant_of(alert.fired_at),
        "resolved_at": None if alert.resolved_at is None else instant_of(alert.resolved_at),
        "stale": alert.stale,
        "acknowledged_at": None if alert.acknowledged_at is None else instant_of(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "tags": alert.facts.get("tags") or {},
        "facts": alert.facts.get("facts") or {},
        "share": None if caller.sees else alert.facts.get("share"),
    }


def _event(event: Happened) -> Event:
    return Event(instant_of(event.happened_at), event.what, event.author, event.reason)


ALERTS = [list_alerts, get_alert, acknowledge]
