import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from msgspec.structs import fields, replace
from sqlalchemy import Engine, update

from storemon.records.jobs import ATTEMPTS, Job, Jobs, QueueFullError, cancel_scheduled, newest_scheduled, pinned
from storemon.records.tables import JOBS
from storemon.settings import Settings
from storemon.units.keeping import Keeping
from tests.service.waiting import until

LEASE = timedelta(seconds=60)
NO_LEASE = timedelta()


@pytest.fixture
def jobs(records: Engine) -> Jobs:
    return Jobs(records, lease=LEASE, max_queued=3)


@pytest.fixture
def lapsing(records: Engine) -> Jobs:
    """The same jobs, seen by someone whose leases end at once."""
    return Jobs(records, lease=NO_LEASE, max_queued=3)


def read(jobs: Jobs, job_id: str) -> Job:
    job = jobs.get("report", job_id)
    assert job is not None
    return job


def claimed(jobs: Jobs, owner: str = "us") -> Job:
    job = jobs.claim("report", owner)
    assert job is not None
    return job


def test_a_job_has_a_field_for_each_column() -> None:
    assert [field.name for field in fields(Job)] == [column.name for column in JOBS.columns]


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
    assert jobs.renew(job, 0.5)
    renewed = read(jobs, job.id)
    assert (renewed.lease_ends_at or 0) > (job.lease_ends_at or 0)
    assert renewed.progress == 0.5
    assert not jobs.renew(replace(job, owner="others"), 1)
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
    assert not jobs.complete(late, {"stores": 1})
    assert not jobs.fail(late, "too late")
    assert not jobs.renew(late, None)
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


def test_those_of_a_higher_priority_come_first(jobs: Jobs) -> None:
    low, usual, high = (jobs.add("report", {}, priority=priority) for priority in (-1, 0, 1))
    assert [claimed(jobs).id for _ in range(3)] == [high, usual, low]


def test_a_job_waits_for_its_instant(jobs: Jobs) -> None:
    soon = time.time_ns() // 1000 + 300_000
    job_id = jobs.add("report", {}, run_after=soon)
    assert jobs.claim("report", "us") is None
    at_once = jobs.add("report", {}, run_after=soon - 1_000_000)
    assert claimed(jobs).id == at_once
    until(lambda: jobs.claim("report", "us"))
    job = read(jobs, job_id)
    assert (job.started_at or 0) >= soon


def test_what_is_asked_for_once_is_there_once(jobs: Jobs) -> None:
    with ThreadPoolExecutor(16) as pool:
        added = set(pool.map(lambda n: jobs.add("report", {"n": n}, dedupe_key="the same"), range(32)))
    assert len(added) == 1
    assert (first := jobs.find("report", "the same")) is not None
    assert {first.id} == added
    assert jobs.find("ingestion", "the same") is None
    jobs.complete(claimed(jobs), {})
    assert {jobs.add("report", {}, dedupe_key="the same")} == added
    assert {jobs.add("report", {}, dedupe_key="another")} != added


def test_one_that_was_asked_for_is_found_while_the_queue_is_full(jobs: Jobs) -> None:
    added = [jobs.add("report", {}, dedupe_key=str(n)) for n in range(3)]
    assert jobs.add("report", {}, dedupe_key="1") == added[1]


def test_what_was_canceled_cannot_end_otherwise(jobs: Jobs) -> None:
    job_id = jobs.add("report", {})
    running = claimed(jobs)
    assert jobs.cancel("report", job_id)
    assert not jobs.renew(running, 0.9)
    assert not jobs.complete(running, {})
    assert read(jobs, job_id).state == "canceled"
    assert not jobs.cancel("report", job_id)


@pytest.mark.parametrize(
    ("keep", "outdated"),
    [
        (Keeping(), []),
        (Keeping(count=2), [1, 0]),
        (Keeping(count=9), []),
        (Keeping(age=timedelta(days=1)), [0]),
        (Keeping(age=timedelta(days=1), count=3), [0]),
        (Keeping(age=timedelta(days=1), count=1), [2, 1, 0]),
    ],
)
def test_what_is_no_longer_kept(records: Engine, keep: Keeping, outdated: list[int]) -> None:
    jobs = Jobs(records, lease=LEASE, max_queued=10)
    ended = []
    for _ in range(4):
        ended.append(jobs.add("report", {}))
        jobs.complete(claimed(jobs), {})
        time.sleep(0.001)
    waiting, running = jobs.add("report", {}), claimed(jobs)
    assert waiting == running.id
    jobs.add("ingestion", {})
    ingestion = jobs.claim("ingestion", "us")
    assert ingestion is not None
    jobs.fail(ingestion, "the newest of its kind")
    with records.connect() as connection:
        a_day = 86_400_000_000
        connection.execute(update(JOBS).where(JOBS.c.id == ended[0]).values(ended_at=JOBS.c.ended_at - a_day - 1))
    assert {job.id for job in jobs.outdated(keep)} == {ended[place] for place in outdated}


CLAIMER = """
import sys
from datetime import timedelta
from pathlib import Path
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.settings import Settings
settings = Settings.load(reports=Path(sys.argv[1]), database=sys.argv[2])
jobs = Jobs(opened_records(settings), lease=timedelta(seconds=60), max_queued=1000)
while job := jobs.claim("report", sys.argv[3]):
    jobs.complete(job, {"owner": sys.argv[3]})
    print(job.id, flush=True)
"""


def claimers(settings: Settings) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CLAIMER, str(settings.reports), settings.database]
    return [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]


def test_claims_are_exclusive_over_processes(settings: Settings, records: Engine) -> None:
    many = Jobs(records, lease=LEASE, max_queued=1000)
    added = [many.add("report", {}) for _ in range(100)]
    owners = claimers(settings)
    claims = [line for owner in owners for line in owner.communicate(timeout=60)[0].splitlines()]
    assert [owner.returncode for owner in owners] == [0] * 4
    assert sorted(claims) == sorted(added)


def test_processes_may_open_new_records_at_once(settings: Settings) -> None:
    owners = claimers(settings)
    assert [(owner.communicate(timeout=60)[0], owner.returncode) for owner in owners] == [("", 0)] * 4


def test_a_job_that_is_put_back_waits_and_starts_again_as_if_it_had_not(jobs: Jobs) -> None:
    job_id = jobs.add("report", {"n": 1})
    job = claimed(jobs)
    assert jobs.postpone(job, timedelta(hours=1), {"n": 2})
    waiting = read(jobs, job_id)
    assert (waiting.state, waiting.owner, waiting.attempts, waiting.parameters) == ("queued", None, 0, {"n": 2})
    assert (waiting.run_after or 0) > time.time() * 1e6 + 3e9
    assert jobs.claim("report", "us") is None
    assert not jobs.postpone(job, timedelta(), {})  # it is nobody's now


def test_one_that_is_put_back_for_no_time_can_be_had_at_once(jobs: Jobs) -> None:
    jobs.add("report", {"n": 1})
    assert jobs.postpone(claimed(jobs), timedelta(), {"n": 2})
    again = claimed(jobs)
    assert (again.attempts, again.parameters) == (1, {"n": 2})


def test_jobs_of_schedules_are_told_by_their_names(jobs: Jobs, records: Engine) -> None:
    first, second, other = (jobs.add("schedule", {"schedule": name}) for name in ("a", "a", "b"))
    assert [job.id for job in jobs.list("schedule", 9, schedule="a")] == [second, first]
    with records.connect() as connection:
        assert {name: job.id for name, job in newest_scheduled(connection).items()} == {"a": second, "b": other}
        assert cancel_scheduled(connection, "a") == 2
        assert cancel_scheduled(connection, "a") == 0
    assert [job.state for job in jobs.list("schedule", 9)] == ["queued", "canceled", "canceled"]


def test_what_is_written_in_a_transaction_is_the_owners_only(jobs: Jobs, records: Engine) -> None:
    jobs.add("report", {"n": 1})
    job = claimed(jobs)
    with records.connect() as connection:
        assert pinned(connection, job, {"n": 2})
        assert not pinned(connection, replace(job, owner="others"), {"n": 3})
    assert read(jobs, job.id).parameters == {"n": 2}
