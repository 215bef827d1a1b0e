"""The service: the application, and the processes that serve it."""

import gc
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Router
from litestar.di import NamedDependency, Provide
from litestar.exceptions import (
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
)
from litestar.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from storemon.arrivals.gathering import Gatherer
from storemon.arrivals.moving import Mover
from storemon.errors import InputError
from storemon.lake.schemas import FACTS
from storemon.records.inbox import Inbox
from storemon.records.jobs import Jobs, Kind
from storemon.records.keys import Keys, opened_keys
from storemon.records.leases import Leases
from storemon.records.opening import opened_records
from storemon.service.arriving import Arriving
from storemon.service.door.callers import Doorkeeper, tokens_of
from storemon.service.door.connections import Connection
from storemon.service.door.hosts import ParsedHost
from storemon.service.door.limits import AnswersInTurn, BodyInTime, make_room, rates_of
from storemon.service.health import Running, health, live
from storemon.service.influx import ping, write_lines
from storemon.service.ingestions import get_ingestion, ingest
from storemon.service.logs import RequestLog, configure_logs
from storemon.service.metrics import metrics
from storemon.service.problems import problems_plugin
from storemon.service.reports import get_report, get_report_by_path, trigger_report
from storemon.service.schema import describe, openapi_config
from storemon.service.telemetry.counted import (
    RequestCount,
    begin_at_nothing,
    count_look,
    count_moved,
    count_sending,
    counted_in_a_folder,
)
from storemon.service.telemetry.scraped import Found
from storemon.service.telemetry.stores import StoresNow
from storemon.service.telemetry.traces import require_tracing, traced
from storemon.service.v1.alerts import ALERTS
from storemon.service.v1.answers import ANSWERS
from storemon.service.v1.content import get_content
from storemon.service.v1.polls import push_polls
from storemon.service.v1.problems import answer_outside, handlers
from storemon.service.v1.reports import REPORTS
from storemon.service.v1.rules import RULES
from storemon.service.v1.schedules import SCHEDULES
from storemon.service.v1.silences import SILENCES
from storemon.service.v1.tables import FACTS as LOADING
from storemon.service.work import let_go, remove_unwanted, run_ingestion, run_report
from storemon.service.workers import GRACE_SECONDS, Run, Workers
from storemon.settings import Settings
from storemon.units.sizes import parse_size
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.silences import Silences
from storemon.watch.book import Book, read_whole
from storemon.watch.schedules.kept import Schedules
from storemon.watch.schedules.work import Work
from storemon.watch.watching import Watching

_OUTSIDE = (
    NotFoundException,
    MethodNotAllowedException,
    NotAuthorizedException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
)
"""What is raised where no route is taken."""
_START_SECONDS = 15
"""How long a process may take to start before it is taken for hung, and killed; a busy machine takes 5 for it."""
_log = structlog.stdlib.get_logger("storemon.service")


def create_app(settings: Settings, runs: Mapping[Kind, Run] | None = None) -> Litestar:
    """Build the application; ``runs`` takes the place of what the jobs of each kind do.

    Raises:
        RecordsError: the records of jobs and keys cannot be opened or made.

    """
    records = opened_records(settings)
    jobs = Jobs(records, lease=settings.lease, max_queued=settings.max_queued)
    runs = runs or {
        "report": partial(run_report, settings, jobs),
        "ingestion": partial(run_ingestion, settings),
        "schedule": Work(settings, records).run,
    }
    workers = Workers(
        jobs,
        runs,
        lease=settings.lease,
        limit=settings.job_limit,
        unwanted=partial(remove_unwanted, settings, jobs),
        tidy=partial(let_go, settings, jobs),
    )
    inbox = Inbox(records, most=parse_size(settings.inbox))
    gatherer = Gatherer(inbox)
    mover = Mover(settings, inbox, Leases(records), moved=count_moved)
    book, alerts, silences = Book(settings, records), Alerts(records), Silences(records)
    watching = Watching(settings, records, book, looked=count_look, counting=count_sending)
    running = Running(jobs, workers, inbox, mover, watching)
    stores_now = StoresNow(settings)
    begin_at_nothing(runs, [table.name for table in FACTS], watching.channels() if settings.watch else [])
    app = Litestar(
        [
            Router(
                "",
                route_handlers=[trigger_report, get_report, get_report_by_path, ingest, get_ingestion],
                tags=["basic"],
            ),
            Router("", route_handlers=[health, live, metrics, ping], tags=["operation"]),
            Router("", route_handlers=[write_lines], tags=["arrivals"]),
            Router(
                "/v1",
                route_handlers=[
                    Router("", route_handlers=ANSWERS, middleware=[AnswersInTurn(settings)], tags=["answers"]),
                    Router("", route_handlers=[*REPORTS, get_content], tags=["reports"]),
                    Router("", route_handlers=LOADING, tags=["facts"]),
                    Router("", route_handlers=[push_polls], tags=["arrivals"]),
                    Router("", route_handlers=[*ALERTS, *SILENCES, *RULES], tags=["alerts"]),
                    Router("", route_handlers=SCHEDULES, tags=["schedules"]),
                ],
                exception_handlers=handlers(),
            ),
        ],
        dependencies=_provided(settings, jobs, workers, stores_now)
        | {
            "arriving": _given(Arriving.of(settings, gatherer)),
            "running": _given(running),
            "schedules": _given(Schedules(records)),
            "book": _given(book),
            "alerts": _given(alerts),
            "silences": _given(silences),
            "scraped": _given(Found(settings, running)),
        },
        plugins=[problems_plugin()],
        middleware=[Doorkeeper(Keys(records), tokens_of(settings), rates_of(settings)), BodyInTime(settings)],
        request_max_body_size=parse_size(settings.body),
        exception_handlers=dict.fromkeys(_OUTSIDE, answer_outside),
        openapi_config=openapi_config(),
        on_startup=[
            partial(make_room, settings),
            workers.start,
            mover.start,
            *([watching.start] if settings.watch else []),
        ],
        on_shutdown=[
            watching.stop,
            gatherer.stop,
            workers.stop,
            mover.stop,
            stores_now.stop,
            records.dispose,
        ],
        logging_config=None,
    )
    describe(app)
    return app


def _provided(settings: Settings, jobs: Jobs, workers: Workers, stores_now: StoresNow) -> dict[str, Provide]:
    """Give handlers what they ask for by its name, one after the other.

    What does not depend on each other Litestar gives in tasks of their own, which takes longer than a poll.
    """

    def of_settings() -> Settings:
        return settings

    def of_jobs(settings: NamedDependency[Settings]) -> Jobs:  # noqa: ARG001
        return jobs

    def of_workers(jobs: NamedDependency[Jobs]) -> Workers:  # noqa: ARG001
        return workers

    def of_stores_now(workers: NamedDependency[Workers]) -> StoresNow:  # noqa: ARG001
        return stores_now

    found: dict[str, Callable[..., object]] = {
        "settings": of_settings,
        "jobs": of_jobs,
        "workers": of_workers,
        "stores_now": of_stores_now,
    }
    return {name: Provide(give, sync_to_thread=False) for name, give in found.items()}


def _given(what: object) -> Provide:
    """Give handlers one and the same thing: one of these depends on nothing, and a push asks for no other."""

    def give() -> Any:
        return what

    return Provide(give, sync_to_thread=False)


def serve(settings: Settings) -> None:
    """Answer requests until a signal ends it: SIGINT and SIGTERM let running work end, or hand it back.

    Raises:
        InputError: the address cannot be listened on, traces cannot be sent as the environment says, or it is to watch
            and the file of rules cannot be understood.
        RecordsError: the records of jobs and keys cannot be opened or made.

    """
    configure_logs()
    for stranger in Settings.strangers():
        _log.warning("setting not known", reason=stranger)
    tokens_of(settings)  # a person should hear of these here, not each process
    require_tracing()
    if settings.watch and settings.rules.exists():
        read_whole(settings.rules)
    with opened_keys(settings) as keys:
        _require_keys(settings, keys)
    with _listen(settings) as listener:
        config = uvicorn.Config(
            partial(_process_app, settings),
            factory=True,
            workers=settings.workers,
            log_config=None,
            access_log=False,
            http=partial(Connection, seconds=settings.request_time.total_seconds()),  # type: ignore[arg-type]
            ws="none",
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=[*settings.proxies],
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_worker_healthcheck=_START_SECONDS,
        )
        host, port = listener.getsockname()[:2]
        _log.info("listening", host=host, port=port, processes=settings.workers)
        if settings.workers > 1:
            with counted_in_a_folder():
                Multiprocess(config, [listener]).run()
            return
        try:
            uvicorn.Server(config).run([listener])
        except KeyboardInterrupt:
            os._exit(0)  # a job that was handed back may still be at work in a library: don't take Python down under it


def _process_app(settings: Settings) -> ASGIApp:
    """Build what one process serves."""
    if parent := multiprocessing.parent_process():
        configure_logs()
        Thread(target=_end_with, args=(parent,), daemon=True).start()
    app = RequestCount(traced(RequestLog(ParsedHost(create_app(settings)))))
    gc.freeze()  # what is there now stays: to look through it for garbage would halt all requests for 50 ms and more
    return app


def _end_with(parent: BaseProcess) -> None:
    """Stop when the first process is gone, however it went: else the port would stay taken."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _require_keys(settings: Settings, keys: Keys) -> None:
    """Keep a service that anybody could ask anything on this machine, unless that is what is wanted."""
    if settings.allow_anonymous or settings.host == "localhost" or settings.issuer or keys.any():
        return
    try:
        is_here = ip_address(settings.host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise InputError(
            f"on {settings.host} everybody could ask, for there are no keys; make one with: storemon keys create, or "
            "say --allow-anonymous"
        )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        where, why = f"{settings.host}:{settings.port}", (error.strerror or str(error)).partition(" (while ")[0]
        raise InputError(f"cannot listen on {where}: {why}; choose another --port or --host") from error
    # Connections inherit it; asyncio sets it only on sockets it made. Without it an answer's body waits for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
