"""The threads that run the jobs of one process: one for each kind, and one that shows that the process is alive."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import StoremonError
from storemon.service.jobs import Job, Jobs, Kind
from storemon.service.telemetry.counted import counted_job
from storemon.service.telemetry.traces import traced_job
from storemon.threads import give_way

LOOK_SECONDS = 1  # how often to look for jobs that other processes queued, handed back, or died of
GRACE_SECONDS = 5  # how long a stop waits for running jobs to end

_OF_REQUEST = ("request_id", "traceparent")
"""What the lines of a job are known by: they are those of the request that asked for it."""

Run = Callable[[Job], dict[str, Any]]
"""Does what a job asks for and returns its result; a `StoremonError` fails the job with its text as the reason."""

_log = structlog.stdlib.get_logger("storemon.jobs")


class Workers:
    """Runs jobs, one of each kind at a time."""

    def __init__(self, jobs: Jobs, runs: Mapping[Kind, Run], *, lease: timedelta) -> None:
        """Take ``runs`` as what to do for each kind of job."""
        self._jobs = jobs
        self._runs = runs
        self._renewal_seconds = lease.total_seconds() / 4
        self._owner = str(uuid4())
        self._running: set[str] = set()
        self._wakes = {kind: Event() for kind in runs}
        self._stopping, self._stopped = Event(), Event()
        # Daemons: a job that outlasts the grace is handed back, and must not keep the process from ending.
        self._threads = [Thread(target=self._work, args=(kind,), name=kind, daemon=True) for kind in runs]
        self._renewing = Thread(target=self._renew, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to look for jobs."""
        for thread in (self._renewing, *self._threads):
            thread.start()

    def add(self, kind: Kind, parameters: dict[str, Any], *, job_id: str | None = None) -> str:
        """Queue a job as `Jobs.add` does, and start it here at once if this process is free."""
        asked = structlog.contextvars.get_contextvars()
        parameters = parameters | {name: asked[name] for name in _OF_REQUEST if name in asked}
        job_id = self._jobs.add(kind, parameters, job_id=job_id)
        self._wakes[kind].set()
        return job_id

    def ended(self) -> list[str]:
        """Name the threads that have ended, though nobody stopped them: what those did, this process no longer does."""
        if self._stopping.is_set():
            return []
        return [thread.name for thread in (*self._threads, self._renewing) if thread.ident and not thread.is_alive()]

    def stop(self) -> None:
        """Take no more jobs, give the running ones a grace, and hand back those that need longer."""
        self._stopping.set()
        for wake in self._wakes.values():
            wake.set()
        deadline = time.monotonic() + GRACE_SECONDS
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._stopped.set()
        self._renewing.join()
        if any(thread.is_alive() for thread in self._threads):
            _log.warning("jobs handed back", count=self._jobs.hand_back(self._owner))

    def _work(self, kind: Kind) -> None:
        give_way()
        while not self._stopping.is_set():
            try:
                job = self._jobs.claim(kind, self._owner)
                if job is not None:
                    self._run(job)
                    continue
            except SQLAlchemyError:
                _log.exception("records of jobs out of reach", kind=kind)
            self._wakes[kind].wait(LOOK_SECONDS)
            self._wakes[kind].clear()

    def _run(self, job: Job) -> None:
        started = time.perf_counter()
        log = _log.bind(kind=job.kind, id=job.id, attempt=job.attempts)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**{n: job.parameters[n] for n in _OF_REQUEST if n in job.parameters})
        self._running.add(job.id)
        try:
            with counted_job(job.kind, job.attempts), traced_job(job):
                result = self._runs[job.kind](job)
            self._jobs.complete(job, result)
            log.info("job complete", seconds=_since(started))
        except StoremonError as error:
            self._jobs.fail(job, str(error))
            log.warning("job failed", seconds=_since(started), reason=str(error))
        except SQLAlchemyError:
            raise  # its end can't be recorded: without a lease it will be run again
        except BaseException as error:  # a panic in Rust is no Exception, and must not end this thread
            reason = f"{type(error).__name__}: {error}. This was not foreseen; the log says more under this job's id."
            self._jobs.fail(job, reason)
            log.exception("job failed", seconds=_since(started))
        finally:
            self._running.discard(job.id)

    def _renew(self) -> None:
        while not self._stopped.wait(self._renewal_seconds):
            try:
                self._jobs.renew(self._owner, set(self._running))
                self._jobs.give_up()
            except SQLAlchemyError:
                _log.exception("leases not renewed")


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
