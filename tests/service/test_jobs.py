import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import fields

from storemon.service.jobs import ATTEMPTS, Job, Jobs, QueueFullError
from storemon.service.records import RECORDS, _prepare, open_records

LEASE = timedelta(seconds=60)
NO_LEASE = timedelta()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "storemon.db"


@pytest.fixture
def jobs(database: Path) -> Iterator[Jobs]:
    records = open_records(database)
    yield Jobs(records, lease=LEASE, max_queued=3)
    records.dispose()


@pytest.fixture
def lapsing(database: Path) -> Iterator[Jobs]:
    """The same jobs, seen by someone whose leases end at once."""
    records = open_records(database)
    yield Jobs(records, lease=NO_LEASE, max_queued=3)
    records.dispose()


def read(jobs: Jobs, job_id: str) -> Job:
    job = jobs.get("report", job_id)
    assert job is not None
    return job


def claimed(jobs: Jobs, owner: str = "us") -> Job:
    job = jobs.claim("report", owner)
    assert job is not None
    return job


def test_a_job_has_a_field_for_each_column() -> None:
    assert [field.name for field in fields(Job)] == [column.name for column in RECORDS.columns]


def test_a_job_goes_from_queued_to_complete(jobs: Jobs) -> None:
    job_id = jobs.add("report", {"carry_limit_us": 1})
    queued = read(jobs, job_id)
    assert (queued.state, queued.attempts, queued.owner) == ("queued", 0, None)
    assert queued.parameters == {"carry_limit_us": 1}
    job = claimed(jobs)
    assert (job.id, job.state, job.attempts, job.owner) == (job_id, "running", 1, "us")
    jobs.pin(job, {"carry_limit_us": 1, "versions": {"polls": 0}})
    jobs.complete(job, {"stores": 3})
    complete = read(jobs, job_id)
    assert (complete.state, complete.result, complete.reason) == ("complete", {"stores": 3}, None)
    assert complete.parameters == {"carry_limit_us": 1, "versions": {"polls": 0}}
    assert 0 < complete.queued_at <= (complete.started_at or 0) <= (complete.ended_at or 0) < time.time() * 1e6 + 1
    assert jobs.claim("report", "us") is None


def test_a_job_fails_with_a_reason(jobs: Jobs) -> None:
    job_id = jobs.add("report", {})
    jobs.fail(claimed(jobs), "there are no polls")
    failed = read(jobs, job_id)
    assert (failed.state, failed.reason, failed.result) == ("failed", "there are no polls", None)


def test_the_kinds_are_apart(jobs: Jobs) -> None:
    job_id = jobs.add("ingestion", {})
    assert jobs.get("report", job_id) is None
    assert jobs.claim("report", "us") is None
    assert jobs.claim("ingestion", "us") is not None


def test_the_oldest_comes_first(jobs: Jobs) -> None:
    added = [jobs.add("report", {}) for _ in range(3)]
    assert [claimed(jobs).id for _ in range(3)] == added


def test_the_queue_is_bounded(jobs: Jobs) -> None:
    assert not jobs.full("report")
    for _ in range(3):
        jobs.add("report", {})
    assert jobs.full("report")
    with pytest.raises(QueueFullError, match="3 jobs are waiting"):
        jobs.add("report", {})
    jobs.add("ingestion", {})
    claimed(jobs)
    assert jobs.add("report", {})


def test_the_queue_is_bounded_for_many_at_once(jobs: Jobs) -> None:
    def add(_: int) -> bool:
        try:
            return bool(jobs.add("report", {}))
        except QueueFullError:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(add, range(64))) == 3


def test_a_lease_that_is_renewed_holds(jobs: Jobs) -> None:
    jobs.add("report", {})
    job = claimed(jobs)
    jobs.renew("us", {job.id})
    renewed = read(jobs, job.id)
    assert (renewed.lease_ends_at or 0) > (job.lease_ends_at or 0)
    jobs.renew("others", {job.id})
    assert read(jobs, job.id) == renewed
    assert jobs.claim("report", "others") is None


def test_a_job_whose_owner_died_is_run_again(jobs: Jobs, lapsing: Jobs) -> None:
    job_id = jobs.add("report", {})
    dead = claimed(lapsing, "dead")
    lapsing.pin(dead, {"as_of": "then"})
    time.sleep(0.001)
    again = claimed(jobs)
    assert (again.id, again.owner, again.attempts, again.parameters) == (job_id, "us", 2, {"as_of": "then"})


def test_an_owner_taken_for_dead_cannot_end_the_job(jobs: Jobs, lapsing: Jobs) -> None:
    job_id = jobs.add("report", {})
    late = claimed(lapsing, "late")
    time.sleep(0.001)
    again = claimed(jobs)
    jobs.complete(late, {"stores": 1})
    jobs.fail(late, "too late")
    jobs.pin(late, {"as_of": "wrong"})
    assert read(jobs, job_id) == again
    jobs.complete(again, {"stores": 2})
    assert read(jobs, job_id).result == {"stores": 2}


def test_a_job_that_takes_everyone_down_is_given_up(jobs: Jobs, lapsing: Jobs) -> None:
    job_id = jobs.add("report", {})
    for attempt in range(1, ATTEMPTS + 1):
        assert jobs.give_up() == 0
        assert claimed(lapsing, f"owner {attempt}").attempts == attempt
        time.sleep(0.001)
    assert lapsing.claim("report", "one more") is None
    assert jobs.give_up() == 1
    failed = read(jobs, job_id)
    assert failed.state == "failed"
    assert f"given up after {ATTEMPTS} starts" in (failed.reason or "")


def test_what_is_handed_back_has_not_been_tried(jobs: Jobs) -> None:
    job_id = jobs.add("report", {})
    stopped = claimed(jobs, "stopped")
    assert jobs.hand_back("others") == 0
    assert jobs.hand_back("stopped") == 1
    assert (read(jobs, job_id).state, read(jobs, job_id).attempts) == ("queued", 0)
    jobs.complete(stopped, {})
    assert claimed(jobs).attempts == 1


def test_records_are_on_disk_and_stay(database: Path, jobs: Jobs) -> None:
    job_id = jobs.add("report", {})
    with sqlite3.connect(database) as other:
        assert other.execute("SELECT state FROM jobs WHERE id = ?", [job_id]).fetchall() == [("queued",)]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


CLAIMER = """
import sys
from datetime import timedelta
from pathlib import Path
from storemon.service.jobs import Jobs
from storemon.service.records import open_records
jobs = Jobs(open_records(Path(sys.argv[1])), lease=timedelta(seconds=60), max_queued=1000)
while job := jobs.claim("report", sys.argv[2]):
    jobs.complete(job, {"owner": sys.argv[2]})
    print(job.id, flush=True)
"""


def test_claims_are_exclusive_over_processes(database: Path, jobs: Jobs) -> None:
    many = Jobs(jobs._records, lease=LEASE, max_queued=1000)
    added = [many.add("report", {}) for _ in range(100)]
    owners = [
        subprocess.Popen([sys.executable, "-c", CLAIMER, str(database), str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    claims = [line for owner in owners for line in owner.communicate(timeout=60)[0].splitlines()]
    assert [owner.returncode for owner in owners] == [0] * 4
    assert sorted(claims) == sorted(added)


def test_processes_may_open_new_records_at_once(database: Path) -> None:
    owners = [subprocess.Popen([sys.executable, "-c", CLAIMER, str(database), str(n)]) for n in range(4)]
    assert [owner.wait(60) for owner in owners] == [0] * 4


def test_new_records_wait_for_another_who_makes_them(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(open_records, database)
        time.sleep(0.3)
        assert not opening.done()
        other.execute("COMMIT")
        opening.result().dispose()


def test_new_records_do_not_wait_for_ever(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.service.records.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(database, isolation_level=None)) as other, closing(sqlite3.connect(database)) as late:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _prepare(late, None)
