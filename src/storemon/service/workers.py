"""The threads that run the jobs of one process: one for each kind, and one that looks after them.

That one shows that the process is alive and how far its jobs are, stops those that nobody wants any more or that take
too long, and lets go of what is no longer kept.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Event, Lock, Thread, current_thread
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import StoremonError
from storemon.records.jobs import Job, Jobs, Kind, PutBackError
from storemon.records.opening import said
from storemon.service.telemetry.counted import Outcome, count_job, count_restart
from storemon.service.telemetry.traces import traced_job
from storemon.stopping import Stop
from storemon.threads import give_way
from storemon.units.durations import format_duration

LOOK_SECONDS = 1  # how often to look for jobs that other processes queued, handed back, or died of
GRACE_SECONDS = 5  # how long a stop waits for running jobs to end
_TIDY_SECONDS = 60  # how often to let go of what is no longer kept

_OF_REQUEST = ("request_id", "traceparent")
"""What the lines of a job are known by: they are those of the request that asked for it."""

Run = Callable[[Job], dict[str, Any]]
"""Does what a job asks for and returns its result; a `StoremonError` fails the job with its text as the reason, and a
`PutBackError` has it start again later."""

_log = structlog.stdlib.get_logger("storemon.jobs")


class _Running:
    """A job that a thread of this process is at, and what stops it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop = Stop()
        self._started = time.monotonic()
        self._stopped: float | None = None

    @property
    def seconds(self) -> float:
        """For how long it has been running."""
        return time.monotonic() - self._started

    def end(self, reason: str) -> bool:
        """Have it stop. Tell whether it has not let go for so long that it must be stuck."""
        self._stopped = self._stopped or time.monotonic()
        self.stop.now(reason)
        return time.monotonic() - self._stopped > GRACE_SECONDS


class Workers:
    """Runs jobs, one of each kind at a time."""

    def __init__(
        self,
        jobs: Jobs,
        runs: Mapping[Kind, Run],
        *,
        lease: timedelta,
        limit: timedelta = timedelta.max,
        unwanted: Callable[[Job], None] = lambda _: None,
        tidy: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take ``runs`` as what to do for each kind of job.

        Args:
            jobs: the records of the jobs.
            runs: what each kind of job does.
            lease: after how long without a sign of life others take this process for dead.
            limit: how long a job may take.
            unwanted: removes what a job has made that was canceled meanwhile.
            tidy: lets go of what is no longer kept, and tells how much that was.

        """
        self._jobs = jobs
        self._runs = runs
        self._limit = limit
        self._unwanted = unwanted
        self._tidy = tidy
        self._tidied = time.monotonic()
        self._look_seconds = min(LOOK_SECONDS, lease.total_seconds() / 4)
        self._owner = str(uuid4())
        self._running: dict[Kind, _Running] = {}
        self._lock = Lock()
        """Held to say whose turn it is: of a job that has been taken from its thread, that one must know at once."""
        self._out_of_reach: set[str] = set()
        self._wakes = {kind: Event() for kind in runs}
        self._stopping, self._stopped = Event(), Event()
        self._threads = {kind: self._thread(kind) for kind in runs}
        self._looking = Thread(target=self._look_after, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to look for jobs."""
        for thread in (self._looking, *self._threads.values()):
            thread.start()

    def add(self, kind: Kind, parameters: dict[str, Any], **how: Any) -> str:
        """Queue a job as `Jobs.add` does, and start it here at once if this process is free."""
        asked = structlog.contextvars.get_contextvars()
        parameters = parameters | {name: asked[name] for name in _OF_REQUEST if name in asked}
        job_id = self._jobs.add(kind, parameters, **how)
        self._wakes[kind].set()
        return job_id

    def ended(self) -> list[str]:
        """Name the threads that have ended, though nobody stopped them: what those did, this process no longer does."""
        if self._stopping.is_set():
            return []
        threads = (*self._threads.values(), self._looking)
        return [thread.name for thread in threads if thread.ident and not thread.is_alive()]

    def stop(self) -> None:
        """Take no more jobs, give the running ones a grace, and hand back those that need longer."""
        self._stopping.set()
        for wake in self._wakes.values():
            wake.set()
        deadline = time.monotonic() + GRACE_SECONDS
        with self._lock:
            threads = [*self._threads.values()]
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._stopped.set()
        self._looking.join()
        if any(thread.is_alive() for thread in threads):
            try:
                _log.warning("jobs handed back", count=self._jobs.hand_back(self._owner))
            except SQLAlchemyError as error:  # their leases run out by themselves
                _log.warning("jobs not handed back", reason=said(error))
            for running in list(self._running.values()):
                running.stop.now("the service has stopped")

    def _thread(self, kind: Kind) -> Thread:
        # A daemon: a job that outlasts the grace is handed back, and must not keep the process from ending.
        return Thread(target=self._work, args=(kind,), name=kind, daemon=True)

    def _work(self, kind: Kind) -> None:
        give_way()
        while not self._stopping.is_set() and self._threads[kind] is current_thread():
            try:
                job = self._jobs.claim(kind, self._owner)
                self._reached(kind)
                if job is not None:
                    self._run(job)
                    continue
            except SQLAlchemyError as error:
                self._missed(kind, error)
            except OSError:  # what a job has made that nobody wants can't be removed
                _log.exception("job not cleared away", kind=kind)
            self._wakes[kind].wait(LOOK_SECONDS)
            self._wakes[kind].clear()

    def _run(self, job: Job) -> None:
        started = time.perf_counter()
        log = _log.bind(kind=job.kind, id=job.id, attempt=job.attempts)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**_known_by(job))
        running = self._running[job.kind] = _Running(job)
        outcome: Outcome | None = "failed"
        if job.attempts > 1:
            count_restart(job.kind)
            log.warning("job started again", reason="the process that ran it died, hung, or lost the records")
        try:
            with traced_job(job), running.stop.heeded():
                result = self._runs[job.kind](job)
            if self._jobs.complete(job, result):
                outcome = "complete"
                log.info("job complete", seconds=_since(started))
            else:
                outcome = "canceled"
                self._unwanted(job)
                log.info("job no longer wanted", seconds=_since(started))
        except PutBackError as wait:
            outcome = None if self._jobs.postpone(job, wait.after, wait.parameters) else "canceled"
        except StoremonError as error:
            outcome = self._fail(job, str(error))
            if outcome == "failed":
                log.warning("job failed", seconds=_since(started), reason=str(error))
            else:
                log.info("job no longer wanted", seconds=_since(started), reason=str(error))
        except SQLAlchemyError:
            raise  # its end can't be recorded: without a lease it will be run again
        except BaseException as error:  # a panic in Rust is no Exception, and must not end this thread
            reason = f"{type(error).__name__}: {error}. This was not foreseen; the log says more under this job's id."
            outcome = self._fail(job, reason)
            log.exception("job failed", seconds=_since(started))
        finally:
            with self._lock:
                is_own = self._running.get(job.kind) is running
                if is_own:
                    del self._running[job.kind]
            if is_own and outcome:
                count_job(job.kind, outcome, running.seconds)

    def _fail(self, job: Job, reason: str) -> Outcome:
        if self._jobs.fail(job, reason):
            return "failed"
        self._unwanted(job)
        return "canceled"

    def _look_after(self) -> None:
        while not self._stopped.wait(self._look_seconds):
            try:
                for running in list(self._running.values()):
                    self._look_at(running)
                if count := self._jobs.give_up():
                    _log.error("jobs given up", count=count, reason="each time, the process that ran one died")
                if time.monotonic() - self._tidied > _TIDY_SECONDS:
                    if count := self._tidy():  # of many not all at once: leases are not renewed meanwhile
                        _log.info("jobs no longer kept", count=count)
                    else:
                        self._tidied = time.monotonic()
                self._reached(self._looking.name)
            except SQLAlchemyError as error:
                self._missed(self._looking.name, error)
            except OSError:
                _log.exception("jobs not looked after")

    def _missed(self, thread: str, error: SQLAlchemyError) -> None:
        """Tell that a thread can't reach the records: once, for it tries again every second."""
        if thread not in self._out_of_reach:
            self._out_of_reach.add(thread)
            _log.error("records of jobs out of reach", thread=thread, reason=said(error))

    def _reached(self, thread: str) -> None:
        if thread in self._out_of_reach:
            self._out_of_reach.remove(thread)
            _log.info("records of jobs within reach again", thread=thread)

    def _look_at(self, running: _Running) -> None:
        job = running.job
        reason = "it was canceled, or another process has taken it over"
        if self._jobs.renew(job, running.stop.progress):
            if running.seconds < self._limit.total_seconds():
                return
            reason = (
                f"it took longer than {format_duration(self._limit)}, the limit of a job (STOREMON_JOB_LIMIT): ask for "
                "fewer stores or a shorter window, or raise it"
            )
        if running.end(reason) and self._replace(running):
            count_job(job.kind, "failed", running.seconds)
            _log.error("job stuck", kind=job.kind, id=job.id, reason=reason, **_known_by(job))
            self._jobs.fail(job, reason)

    def _replace(self, running: _Running) -> bool:
        """Put another thread in the place of one that a library does not let go; it ends when it gets back.

        Tell whether that was done: it may have got back at this moment.
        """
        kind = running.job.kind
        with self._lock:
            if self._running.get(kind) is not running:
                return False
            del self._running[kind]
            self._threads[kind] = self._thread(kind)
            self._threads[kind].start()
        return True


def _known_by(job: Job) -> dict[str, str]:
    return {name: job.parameters[name] for name in _OF_REQUEST if name in job.parameters}


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
