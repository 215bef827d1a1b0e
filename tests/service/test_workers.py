import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from storemon.errors import LakeError
from storemon.records.jobs import ATTEMPTS, Job, Jobs, Kind, PutBackError
from storemon.service import workers as module
from storemon.service.workers import Run, Workers
from storemon.stopping import advance, check
from tests.service.waiting import until

LEASE = timedelta(seconds=0.4)


class PanicError(BaseException):
    """What a panic in Rust is like in Python: no Exception."""


def started(jobs: Jobs, run: Run, kind: Kind = "report", **how: Any) -> Workers:
    workers = Workers(jobs, {kind: run}, lease=LEASE, **how)
    workers.start()
    return workers


def ended(jobs: Jobs, job_id: str) -> Job:
    def look() -> Job | None:
        job = jobs.get("report", job_id)
        return job if job and job.ended_at else None

    return until(look)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def _no_thread_is_left(jobs: Jobs, release: threading.Event) -> Iterator[None]:  # noqa: ARG001 - as long as they are
    yield
    release.set()
    until(lambda: all(thread.name != "report" for thread in threading.enumerate()))


def test_a_job_is_run_at_once(jobs: Jobs) -> None:
    workers = started(jobs, lambda job: {"seen": job.parameters["asked"]})
    try:
        job = ended(jobs, workers.add("report", {"asked": 7}))
    finally:
        workers.stop()
    assert (job.state, job.result) == ("complete", {"seen": 7})


def test_jobs_that_others_queued_are_found(jobs: Jobs) -> None:
    workers = started(jobs, lambda _: {})
    try:
        assert ended(jobs, jobs.add("report", {})).state == "complete"
    finally:
        workers.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LakeError("there is no table"), "there is no table"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device. This was not foreseen"),
        (PanicError("index out of bounds"), "PanicError: index out of bounds. This was not foreseen"),
    ],
)
def test_an_error_fails_the_job_and_not_the_worker(jobs: Jobs, error: BaseException, reason: str) -> None:
    def run(job: Job) -> dict[str, Any]:
        if job.parameters["bad"]:
            raise error
        return {}

    workers = started(jobs, run)
    try:
        failed = ended(jobs, workers.add("report", {"bad": True}))
        assert failed.state == "failed"
        assert (failed.reason or "").startswith(reason)
        assert ended(jobs, workers.add("report", {"bad": False})).state == "complete"
    finally:
        workers.stop()


def test_records_out_of_reach_are_told_once(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
    claim, tried, back = jobs.claim, threading.Semaphore(0), threading.Event()

    def claim_if_there(kind: Kind, owner: str) -> Job | None:
        if back.is_set():
            return claim(kind, owner)
        tried.release()
        raise OperationalError("SELECT 1", {}, OSError("there is no\n way"))

    monkeypatch.setattr(jobs, "claim", claim_if_there)
    with capture_logs() as lines:
        workers = started(jobs, lambda _: {})
        try:
            for _ in range(3):
                assert tried.acquire(timeout=10)
            back.set()
            assert ended(jobs, jobs.add("report", {})).state == "complete"
        finally:
            workers.stop()
    told = [line for line in lines if "reach" in line["event"]]
    assert [line["event"] for line in told] == ["records of jobs out of reach", "records of jobs within reach again"]
    assert (told[0]["thread"], told[0]["reason"]) == ("report", "there is no way")


def test_a_job_that_was_lost_is_told(jobs: Jobs) -> None:
    lapsing = Jobs(jobs._records, lease=timedelta(0), max_queued=10)
    job_id = jobs.add("report", {"request_id": "night-1"})
    for owner in "abcde"[: ATTEMPTS - 1]:
        assert lapsing.claim("report", owner)
    with capture_logs() as lines:
        workers = started(jobs, lambda _: {})
        try:
            assert ended(jobs, job_id).state == "complete"
        finally:
            workers.stop()
    assert [(line["event"], line["attempt"]) for line in lines if line.get("id") == job_id] == [
        ("job started again", ATTEMPTS),
        ("job complete", ATTEMPTS),
    ]
    given_up = jobs.add("report", {})
    for owner in "abcde":
        assert lapsing.claim("report", owner)
    with capture_logs() as lines:
        workers = started(jobs, lambda _: {})
        try:
            assert ended(jobs, given_up).state == "failed"
            (told,) = until(lambda: [line for line in lines if line["event"] == "jobs given up"])
        finally:
            workers.stop()
    assert told["count"] == 1


def test_one_job_of_a_kind_at_a_time(jobs: Jobs) -> None:
    at_work, most = 0, 0
    lock = threading.Lock()

    def run(_: Job) -> dict[str, Any]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.02)
        with lock:
            at_work -= 1
        return {}

    workers = started(jobs, run)
    try:
        for job_id in [workers.add("report", {}) for _ in range(5)]:
            assert ended(jobs, job_id).state == "complete"
    finally:
        workers.stop()
    assert most == 1


def test_a_long_job_keeps_its_lease(jobs: Jobs) -> None:
    starts: list[int] = []

    def run(job: Job) -> dict[str, Any]:
        starts.append(job.attempts)
        threading.Event().wait(3 * LEASE.total_seconds())
        return {}

    first = started(jobs, run)
    second = started(jobs, run)
    try:
        assert ended(jobs, first.add("report", {})).attempts == 1
    finally:
        first.stop()
        second.stop()
    assert starts == [1]


def test_a_stop_lets_a_running_job_end(jobs: Jobs) -> None:
    entered = threading.Event()

    def run(_: Job) -> dict[str, Any]:
        entered.set()
        threading.Event().wait(0.2)
        return {}

    workers = started(jobs, run)
    job_id, waiting_id = (workers.add("report", {}) for _ in range(2))
    assert entered.wait(10)
    workers.stop()
    assert ended(jobs, job_id).state == "complete"
    waiting = jobs.get("report", waiting_id)
    assert waiting is not None
    assert (waiting.state, waiting.attempts) == ("queued", 0)


def test_a_stop_hands_back_what_needs_longer(
    jobs: Jobs, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    entered = threading.Event()

    def run(_: Job) -> dict[str, Any]:
        entered.set()
        release.wait(60)
        return {"by": "the one that was stopped"}

    stopped = started(jobs, run)
    job_id = stopped.add("report", {})
    assert entered.wait(10)
    stopped.stop()
    handed_back = jobs.get("report", job_id)
    assert handed_back is not None
    assert (handed_back.state, handed_back.attempts, handed_back.owner) == ("queued", 0, None)
    next_one = started(jobs, lambda _: {"by": "the next one"})
    try:
        assert ended(jobs, job_id).result == {"by": "the next one"}
        release.set()
    finally:
        next_one.stop()


def endless(job: Job) -> dict[str, Any]:
    """Work on until it is told to stop, unless it is to end at once."""
    for step in range(6000 if job.parameters.get("endless") else 0):
        advance(step + 1, 10_000)
        check()
        threading.Event().wait(0.01)
    return {}


def test_a_canceled_job_lets_its_thread_go(jobs: Jobs) -> None:
    unwanted: list[Job] = []
    workers = started(jobs, endless, unwanted=unwanted.append)
    with capture_logs() as lines:
        try:
            job_id = workers.add("report", {"endless": True})
            until(lambda: (job := jobs.get("report", job_id)) and job.progress)
            assert jobs.cancel("report", job_id)
            assert ended(jobs, workers.add("report", {})).state == "complete"
        finally:
            workers.stop()
    assert [line["event"] for line in lines if line.get("id") == job_id] == ["job no longer wanted"]
    canceled = jobs.get("report", job_id)
    assert canceled is not None
    assert (canceled.state, canceled.reason) == ("canceled", None)
    assert 0 < (canceled.progress or 0) < 1


def test_what_was_canceled_at_its_very_end_is_unwanted(jobs: Jobs, release: threading.Event) -> None:
    unwanted: list[str] = []

    def run(job: Job) -> dict[str, Any]:
        release.wait(60)
        jobs.cancel("report", job.id)
        return {"made": True}

    workers = started(jobs, run, unwanted=lambda job: unwanted.append(job.id))
    job_id = workers.add("report", {})
    release.set()
    assert ended(jobs, job_id).state == "canceled"
    workers.stop()
    assert unwanted == [job_id]


def test_a_job_that_takes_too_long_fails_and_lets_its_thread_go(jobs: Jobs) -> None:
    workers = started(jobs, endless, limit=timedelta(seconds=0.5))
    try:
        failed = ended(jobs, workers.add("report", {"endless": True}))
        assert failed.state == "failed"
        assert "it took longer than" in (failed.reason or "")
        assert "STOREMON_JOB_LIMIT" in (failed.reason or "")
        assert ended(jobs, workers.add("report", {})).state == "complete"
    finally:
        workers.stop()


def test_a_thread_that_does_not_let_go_is_replaced(
    jobs: Jobs, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    back = threading.Event()

    def run(job: Job) -> dict[str, Any]:
        if job.parameters.get("stuck"):
            release.wait(60)
            back.set()
        return {"by": threading.current_thread().name}

    workers = started(jobs, run, limit=timedelta(seconds=0.5))
    try:
        with capture_logs() as lines:
            stuck = workers.add("report", {"stuck": True, "request_id": "night-1"})
            assert "it took longer than" in (ended(jobs, stuck).reason or "")
            (told,) = until(lambda: [line for line in lines if line["event"] == "job stuck"])
        assert (told["id"], told["request_id"]) == (stuck, "night-1")
        assert ended(jobs, workers.add("report", {})).state == "complete"
        release.set()
        assert back.wait(10)
        until(lambda: sum(thread.name == "report" for thread in threading.enumerate()) == 1)
        assert ended(jobs, workers.add("report", {})).state == "complete"
        failed = jobs.get("report", stuck)
        assert failed is not None
        assert failed.state == "failed"
    finally:
        workers.stop()


def test_a_thread_that_lets_go_while_it_is_replaced(
    jobs: Jobs, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    fail = jobs.fail

    def fails(job: Job, reason: str) -> bool:
        """Let the thread get back just now."""
        release.set()
        until(lambda: not workers._running)
        return fail(job, reason)

    def run(job: Job) -> dict[str, Any]:
        if job.parameters.get("stuck"):
            release.wait(60)
        return {}

    monkeypatch.setattr(jobs, "fail", fails)
    workers = started(jobs, run, limit=timedelta(seconds=0.5))
    try:
        stuck = workers.add("report", {"stuck": True})
        ended(jobs, stuck)
        assert ended(jobs, workers.add("report", {})).state == "complete"
        until(lambda: sum(thread.name == "report" for thread in threading.enumerate()) == 1)
        assert workers.ended() == []
    finally:
        workers.stop()


def test_what_is_no_longer_kept_is_let_go(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIDY_SECONDS", 0)
    tidied = threading.Event()

    def tidy() -> int:
        tidied.set()
        return 1

    workers = started(jobs, lambda _: {}, tidy=tidy)
    try:
        assert tidied.wait(10)
    finally:
        workers.stop()


def test_a_job_that_is_put_back_starts_again(jobs: Jobs) -> None:
    """Its start in vain does not count, and its thread is free for others meanwhile."""

    def run(job: Job) -> dict[str, Any]:
        if job.parameters["looks"] < 3:
            raise PutBackError(timedelta(milliseconds=50), job.parameters | {"looks": job.parameters["looks"] + 1})
        return job.parameters

    workers = started(jobs, run)
    try:
        waiting = workers.add("report", {"looks": 0})
        assert ended(jobs, workers.add("report", {"looks": 9})).state == "complete"
        job = ended(jobs, waiting)
    finally:
        workers.stop()
    assert (job.state, job.attempts, job.result) == ("complete", 1, {"looks": 3})
