"""What is counted while the service works: requests, jobs, rows; each process counts, any of them tells for all.

Where several processes serve, ``PROMETHEUS_MULTIPROC_DIR`` names a folder in which each keeps its counts. It must be
set before the first of them imports this module.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from storemon.errors import FileError
from storemon.intake.ingest import TableSummary
from storemon.service.telemetry.routes import method_of, route_of

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of the counts of several processes."""

Outcome = Literal["complete", "failed", "canceled"]
"""How the work of a job ends; canceled is also what another process has taken over."""

disable_created_metrics()  # of several processes nobody could tell them
_COUNTS = CollectorRegistry()
_REQUESTS = Counter(
    "storemon_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=_COUNTS
)
_REQUEST_SECONDS = Histogram(
    "storemon_http_request_duration_seconds",
    "How long requests took, to the last byte of the answer.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=_COUNTS,
)
_IN_PROGRESS = Gauge(
    "storemon_http_requests_in_progress",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=_COUNTS,
)
_JOB_SECONDS = Histogram(
    "storemon_job_duration_seconds",
    "How long the work of jobs took, start by start, by how it ended.",
    ["kind", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
    registry=_COUNTS,
)
_JOB_RESTARTS = Counter(
    "storemon_job_restarts", "Starts of jobs whose last start was lost with its process.", ["kind"], registry=_COUNTS
)
_ROWS = Counter(
    "storemon_ingested_rows",
    "Rows that this service was given for the lake, by what became of them.",
    ["table", "outcome"],
    registry=_COUNTS,
)
_ARRIVED = Counter(
    "storemon_arrived_polls",
    "Polls that were sent to this service, by the way they came and what became of them.",
    ["source", "outcome"],
    registry=_COUNTS,
)
_MOVED = Counter("storemon_inbox_moved_polls", "Polls that were brought into the lake.", ["outcome"], registry=_COUNTS)
_COMMITS = Counter("storemon_inbox_commits", "Commits by which they were.", registry=_COUNTS)
_LOOK_SECONDS = Histogram(
    "storemon_watch_look_duration_seconds",
    "How long looks at the rules took, with all that came of them.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=_COUNTS,
)
_SENDINGS = Counter(
    "storemon_notice_sendings",
    "Notices that this service tried to send, by channel and what became of them.",
    ["channel", "outcome"],
    registry=_COUNTS,
)
_STORES = Gauge(
    "storemon_stores",
    "Stores by their state, and whether they are open, at the instant that storemon_stores_as_of_timestamp_seconds is.",
    ["state", "open"],
    multiprocess_mode="livemostrecent",
    registry=_COUNTS,
)
_STORES_AS_OF = Gauge(
    "storemon_stores_as_of_timestamp_seconds",
    "When the stores were counted last.",
    multiprocess_mode="livemostrecent",
    registry=_COUNTS,
)


class RequestCount:
    """Counts each request to ``app``, and times it; also those that no route takes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        _IN_PROGRESS.set(0)  # a dead process may have had this one's number

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it when the answer has been sent."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        _IN_PROGRESS.inc()
        try:
            await self._app(scope, receive, watched)
        finally:
            _IN_PROGRESS.dec()
            answered, seconds = self._of(method_of(scope), route_of(scope), status)
            answered.inc()
            seconds.observe(time.perf_counter() - started)

    def _of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Find what counts such requests; the library would take longer than all else together."""
        told = (method, route, status)
        if told not in self._kept:
            self._kept[told] = (_REQUESTS.labels(*told), _REQUEST_SECONDS.labels(method, route))
        return self._kept[told]


@contextmanager
def counted_in_a_folder() -> Iterator[None]:
    """Let the processes that are started within the context count together, in a folder that ends with it.

    Raises:
        FileError: there is no place for a temporary folder.

    """
    try:
        made = TemporaryDirectory(prefix="storemon-metrics-", ignore_cleanup_errors=True)
    except OSError as error:
        raise FileError(f"the processes count in a temporary folder, and there is none: {error}; set TMPDIR") from error
    with made as folder:
        os.environ[FOLDER] = folder
        yield


def count_job(kind: str, outcome: Outcome, seconds: float) -> None:
    """Count a job whose work has ended, and how long it took."""
    _JOB_SECONDS.labels(kind, outcome).observe(seconds)


def count_restart(kind: str) -> None:
    """Count a start of a job whose last start was lost."""
    _JOB_RESTARTS.labels(kind).inc()


def count_rows(tables: Iterable[TableSummary]) -> None:
    """Count what became of the rows of an ingestion."""
    for table in tables:
        for outcome in ("added", "known", "rejected"):
            _ROWS.labels(table.table, outcome).inc(getattr(table, outcome))


@cache
def _arrived(source: str, outcome: str) -> Counter:
    return _ARRIVED.labels(source, outcome)


def count_arrived(source: str, taken: int, rejected: int) -> None:
    """Count polls that were sent: ``http`` or ``influx``."""
    _arrived(source, "taken").inc(taken)
    if rejected:
        _arrived(source, "rejected").inc(rejected)


def count_moved(polls: int, added: int) -> None:
    """Count a commit of polls from the inbox, and how many of them were new."""
    _COMMITS.inc()
    _MOVED.labels("added").inc(added)
    _MOVED.labels("known").inc(polls - added)


def count_look(_: object, seconds: float) -> None:
    """Count a look at the rules, and how long it took."""
    _LOOK_SECONDS.observe(seconds)


def count_sending(channel: str, outcome: str, notices: int) -> None:
    """Count notices that a channel was to take: ``sent``, ``failed``, which are tried again, or ``dead``."""
    _SENDINGS.labels(channel, outcome).inc(notices)


def count_stores(counts: Mapping[tuple[str, bool], int], as_of: float) -> None:
    """Tell how many stores are in a state, and open or not, as of an instant in seconds since 1970."""
    for (state, is_open), count in counts.items():
        _STORES.labels(state, str(is_open).lower()).set(count)
    _STORES_AS_OF.set(as_of)


def begin_at_nothing(kinds: Iterable[str], tables: Iterable[str], channels: Iterable[str]) -> None:
    """Tell of what never happened that it happened 0 times, so that the first time is seen as a rise."""
    for kind in kinds:
        _JOB_RESTARTS.labels(kind)
        for outcome in get_args(Outcome):
            _JOB_SECONDS.labels(kind, outcome)
    for table in tables:
        for outcome in ("added", "known", "rejected"):
            _ROWS.labels(table, outcome)
    for source in ("http", "influx"):
        for outcome in ("taken", "rejected"):
            _arrived(source, outcome)
    for outcome in ("added", "known"):
        _MOVED.labels(outcome)
    for channel in channels:
        for outcome in ("sent", "failed", "dead"):
            _SENDINGS.labels(channel, outcome)


def counts() -> bytes:
    """Write what all processes have counted, in Prometheus' text format."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return generate_latest(_COUNTS)
    processes()
    merged = CollectorRegistry()
    MultiProcessCollector(merged, folder)
    return generate_latest(merged)


def processes() -> list[int]:
    """List the ids of the processes that serve; what a dead one was at is forgotten, but not what it had done."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return [os.getpid()]
    alive = []
    for file in Path(folder).glob("gauge_livesum_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
            alive.append(process)
        except OSError:
            with suppress(FileNotFoundError):  # another process has seen it too
                mark_process_dead(process, folder)
    return sorted(alive)
