"""The routes of schedules: keep, list, pause, resume, run, forget; and the history of their runs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from storemon.errors import InputError
from storemon.records.jobs import Job, Jobs
from storemon.service.door.callers import OF_ALL_STORES, Caller, caller_of, needs
from storemon.service.problems import joined, problem
from storemon.service.schema import link, tells
from storemon.service.v1 import cursors
from storemon.service.v1.problems import problems
from storemon.service.v1.query import Nothing, Wanted, number, wanted
from storemon.service.v1.reports import MOST, USUAL, Page, Place
from storemon.settings import Settings
from storemon.watch.channels.reading import Channels, is_address, read_tables, shown
from storemon.watch.schedules.kept import Kept, Schedules
from storemon.watch.schedules.runs import Run, run_of
from storemon.watch.schedules.schedule import NAME, AskedQuestion, Schedule

Asking = Request[Any, Any, Any]
Name = Annotated[
    str, PathParameter(description="What a schedule is called.", pattern=NAME, examples=[Example(value="weekly")])
]
_OUTWARD = ("mail:", "https:", "http:")
"""What whoever asks over HTTP can name by its address: none of them is a place on the service's own machine."""
_READING, _WRITING = OF_ALL_STORES, needs("admin") | OF_ALL_STORES
_BY_NAME = {"name": "$response.body#/name"}
_LINKS = {
    "look": link("get_v1_schedules_name", "It, and its newest run", **_BY_NAME),
    "history": link("get_v1_schedules_name_history", "Its runs", **_BY_NAME),
    "run": link("post_v1_schedules_name_run", "Run it now", **_BY_NAME),
    "pause": link("post_v1_schedules_name_pause", "Let no tick start it", **_BY_NAME),
    "resume": link("post_v1_schedules_name_resume", "Go on with its next tick", **_BY_NAME),
    "remove": link("delete_v1_schedules_name", "Forget it", **_BY_NAME),
}
_ONE = problems(wrong_question="It can't be called so", not_found="There is no such schedule")


class Scheduled(msgspec.Struct, omit_defaults=True):
    """A schedule that is kept. Only admins are told addresses in full."""

    name: str
    cron: str
    zone: str
    to: list[str]
    question: AskedQuestion
    form: str
    grace: str
    paused: bool
    written_at: datetime
    author: str | None = None
    next_at: datetime | None = None
    """The next tick."""
    newest: Run | None = None


class AllScheduled(msgspec.Struct):
    """All schedules, by their names."""

    rows: list[Scheduled]


class Runs(msgspec.Struct):
    """Runs, the newest first, and where the next page begins."""

    rows: list[Run]
    next: str | None


@get("/schedules", sync_to_thread=True, summary="Schedules", opt=_READING)
def list_schedules(request: Asking, schedules: NamedDependency[Schedules]) -> AllScheduled:
    """List the schedules, each with its next tick and its newest run."""
    newest, caller = schedules.newest(), caller_of(request.scope)
    return AllScheduled([_told(kept, newest.get(kept.name), caller) for kept in schedules.list()])


@put(
    "/schedules/{name:str}",
    status_code=200,
    sync_to_thread=True,
    summary="Keep a schedule",
    opt=_WRITING | tells(**_LINKS),
    responses=problems(wrong_question="Something in it can't be understood"),
)
def keep_schedule(
    request: Asking,
    name: Name,
    data: JSONBody[Schedule],
    settings: NamedDependency[Settings],
    schedules: NamedDependency[Schedules],
) -> Scheduled:
    """Keep a schedule, in place of one of this name: that keeps its next tick if cron and zone stay the same.

    Recipients are channels of the service's file of rules, or addresses of mail and of webhooks.
    """
    for each in data.to:
        if is_address(each.strip()) and not each.strip().lower().startswith(_OUTWARD):
            raise InputError(
                f"{shown(each.strip())}: over HTTP only mail: and https: can be named by their addresses; let the "
                "service's file of rules have a channel of it, and name that"
            )
    caller = caller_of(request.scope)
    schedules.put(name, data, Channels(read_tables(settings.rules)), caller.key)
    return _told(_found(schedules, name), schedules.newest().get(name), caller)


@get("/schedules/{name:str}", sync_to_thread=True, summary="A schedule", responses=_ONE, opt=_READING | tells(**_LINKS))
def get_schedule(request: Asking, name: Name, schedules: NamedDependency[Schedules]) -> Scheduled:
    """Tell of a schedule what it asks, when, and its newest run."""
    return _told(_found(schedules, name), schedules.newest().get(name), caller_of(request.scope))


@delete("/schedules/{name:str}", sync_to_thread=True, summary="Forget a schedule", responses=_ONE, opt=_WRITING)
def remove_schedule(name: Name, schedules: NamedDependency[Schedules]) -> None:
    """Forget a schedule, and end what it has started and has not ended."""
    if not schedules.remove(name):
        raise _no_such(name)


@post(
    "/schedules/{name:str}/pause",
    status_code=200,
    sync_to_thread=True,
    summary="Pause a schedule",
    responses=_ONE,
    opt=_WRITING | tells(**_LINKS),
)
def pause_schedule(request: Asking, name: Name, schedules: NamedDependency[Schedules]) -> Scheduled:
    """Let no tick start it until it is resumed; what has started goes on."""
    schedules.pause(name)
    return _told(_found(schedules, name), schedules.newest().get(name), caller_of(request.scope))


@post(
    "/schedules/{name:str}/resume",
    status_code=200,
    sync_to_thread=True,
    summary="Resume a schedule",
    responses=_ONE,
    opt=_WRITING | tells(**_LINKS),
)
def resume_schedule(request: Asking, name: Name, schedules: NamedDependency[Schedules]) -> Scheduled:
    """Go on with the next tick from now; those of the pause are not made up for."""
    schedules.resume(name)
    return _told(_found(schedules, name), schedules.newest().get(name), caller_of(request.scope))


@post(
    "/schedules/{name:str}/run",
    status_code=202,
    sync_to_thread=True,
    summary="Run a schedule now",
    response_description="It is queued, durably",
    responses=joined(_ONE, problems(too_many_waiting="Too many runs are waiting", gone="The run was deleted at once")),
    opt=_WRITING,
)
def run_schedule(name: Name, schedules: NamedDependency[Schedules], jobs: NamedDependency[Jobs]) -> Run:
    """Ask its question as of now, and send the answer; it waits for no polls."""
    job = jobs.get("schedule", schedules.run(_found(schedules, name), jobs))
    if job is None:
        raise problem(410, "the run was deleted at once")
    return run_of(job)


@get(
    "/schedules/{name:str}/history",
    dependencies=wanted(Nothing, shown=Page),
    sync_to_thread=True,
    summary="The runs of a schedule",
    responses=_ONE,
    opt=_READING
    | tells(
        next=link("get_v1_schedules_name_history", "The next page", cursor="$response.body#/next"),
    ),
)
def get_history(
    name: Name, schedules: NamedDependency[Schedules], jobs: NamedDependency[Jobs], wanted: NamedDependency[Wanted]
) -> Runs:
    """List the runs of a schedule, the newest first, as long as they are kept."""
    _found(schedules, name)
    page: Any = wanted.shown
    limit = USUAL if page.limit is None else number("limit", page.limit, MOST)
    here = None if page.cursor is None else cursors.read(page.cursor, Place)
    found = jobs.list("schedule", limit + 1, schedule=name, before=here and (here.queued_at, str(here.id)))
    following = Place(found[limit - 1].queued_at, UUID(found[limit - 1].id)) if len(found) > limit else None
    return Runs([run_of(job) for job in found[:limit]], following and cursors.written(following))


def _found(schedules: Schedules, name: str) -> Kept:
    kept = schedules.get(name)
    if kept is None:
        raise _no_such(name)
    return kept


def _no_such(name: str) -> Exception:
    return problem(404, f"there is no schedule {name!r}; GET /v1/schedules lists them")


def _told(kept: Kept, newest: Job | None, caller: Caller) -> Scheduled:
    schedule = kept.schedule
    return Scheduled(
        kept.name,
        schedule.cron,
        schedule.zone,
        schedule.to if caller.may("admin") else [shown(each) for each in schedule.to],
        schedule.question,
        schedule.form,
        schedule.grace,
        kept.paused,
        kept.written_at,
        kept.author,
        None if kept.paused else kept.next_at,
        None if newest is None else run_of(newest),
    )


SCHEDULES = [
    list_schedules,
    keep_schedule,
    get_schedule,
    remove_schedule,
    pause_schedule,
    resume_schedule,
    run_schedule,
    get_history,
]
