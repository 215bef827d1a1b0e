"""Processes that die in the midst of a job, and the job that ends all the same."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from storemon.answers.report import report
from storemon.intake.lake import Lake
from storemon.records.jobs import ATTEMPTS, Job, Jobs, Kind
from storemon.settings import Settings
from tests.printed import report_csv
from tests.service.conftest import POLLS, write_csvs
from tests.service.server import REAL, SLOW, running
from tests.service.waiting import downloaded, report_of, trigger, until

both = pytest.mark.parametrize("workers", [1, 2])


def begun(jobs: Jobs, job_id: str, kind: Kind = "report") -> Job:
    """Wait until a job has started, and if it is a report, fixed what it works on."""

    def look() -> Job | None:
        job = jobs.get(kind, job_id)
        return job if job and job.state == "running" and (kind == "ingestion" or "as_of" in job.parameters) else None

    return until(look)


@both
def test_a_report_that_was_killed_is_made_after_a_restart(
    settings: Settings, lake: Lake, jobs: Jobs, workers: int
) -> None:
    with running(*SLOW, workers=workers, SLOW_SECONDS="60") as server:
        with server.client() as client:
            report_id, waiting_id = trigger(client), trigger(client)
        parameters = begun(jobs, report_id).parameters
        expected = report_csv(report(lake))
        server.kill()
    (settings.reports / f".{report_id}.csv.123.part").write_text("store_id,up")
    write_csvs(settings.data, POLLS + "1,inactive,2024-10-14 23:50:00 UTC\n")
    lake.ingest(settings.data)
    with running(*REAL, workers=workers) as server, server.client() as client:
        assert client.get(f"/get_report/{report_id}").json() == {"status": "Running"}
        assert report_of(client, report_id).content == expected
        again = jobs.get("report", report_id)
        assert again is not None
        assert (again.attempts, again.parameters) == (2, parameters)
        assert report_of(client, waiting_id).status_code == 200
        assert report_of(client, trigger(client)).content == report_csv(report(lake)) != expected
        assert not list(settings.reports.glob(".*.part"))
        server.kill()
    with running(*REAL) as server, server.client() as client:
        assert client.get(f"/get_report/{report_id}").content == expected


def test_a_report_whose_process_was_killed_is_made_by_another(lake: Lake, jobs: Jobs) -> None:
    with running(*SLOW, workers=2, SLOW_SECONDS="1.5") as server, server.client() as client:
        until(lambda: client.get("/health").status_code == 200)
        reports = [trigger(client), trigger(client)]
        for report_id in reports:
            begun(jobs, report_id)
        for process in until(server.workers):
            os.kill(process, signal.SIGKILL)
        for report_id in reports:
            assert downloaded(server.url, report_id) == report_csv(report(lake))


def test_an_ingestion_that_was_killed_is_run_again(settings: Settings, jobs: Jobs) -> None:
    with running(*SLOW, SLOW_SECONDS="60") as server, server.client() as client:
        ingest_id = client.post("/ingest", json={"path": "data"}).json()["ingest_id"]
        begun(jobs, ingest_id, "ingestion")
        server.kill()
    with running(*REAL) as server, server.client() as client:
        until(lambda: client.get(f"/ingest/{ingest_id}").json()["status"] == "Complete")
        assert client.get("/health").status_code == 200
    assert Lake(settings.lake).snapshot().newest_poll() is not None


def test_a_report_that_kills_its_process_is_given_up(lake: Lake, jobs: Jobs) -> None:
    assert lake.path
    report_id = jobs.add("report", {"carry_limit_us": 1})
    dying = Jobs(jobs._records, lease=timedelta(), max_queued=1)
    until(lambda: (job := dying.claim("report", "dead")) and job.attempts == ATTEMPTS - 1)
    with running(*SLOW, SLOW_SECONDS="60") as server:
        assert begun(jobs, report_id).attempts == ATTEMPTS
        server.kill()
    with running(*REAL) as server, server.client() as client:
        answer = report_of(client, report_id)
        assert (answer.status_code, answer.json()["status"]) == (500, "Failed")
        assert f"given up after {ATTEMPTS} starts" in answer.json()["reason"]


@pytest.mark.parametrize(("workers", "with_signal"), [(1, signal.SIGINT), (1, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_signal_lets_a_short_job_end(lake: Lake, jobs: Jobs, workers: int, with_signal: signal.Signals) -> None:
    with running(*SLOW, workers=workers, SLOW_SECONDS="0.5") as server:
        with server.client() as client:
            report_id = trigger(client)
        begun(jobs, report_id)
        assert server.stop(with_signal) in (0, -with_signal)
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url)
    job = jobs.get("report", report_id)
    assert job is not None
    assert (job.state, job.attempts) == ("complete", 1)
    assert Path(f"reports/{report_id}.csv").read_bytes() == report_csv(report(lake))


@both
def test_ctrl_c_hands_a_long_job_back(lake: Lake, jobs: Jobs, workers: int) -> None:
    with running(*SLOW, workers=workers, SLOW_SECONDS="60") as server:
        with server.client() as client:
            report_id = trigger(client)
        begun(jobs, report_id)
        server.stop(signal.SIGINT)
    job = jobs.get("report", report_id)
    assert job is not None
    assert (job.state, job.attempts) == ("queued", 0)
    with running(*REAL) as server, server.client() as client:
        assert report_of(client, report_id).content == report_csv(report(lake))


@both
def test_stop_and_start_lose_nothing(settings: Settings, lake: Lake, jobs: Jobs, workers: int) -> None:
    """Stopped in the midst of a report and of an ingestion, with more of both waiting, and one done."""
    with running(*REAL, workers=workers) as server, server.client() as client:
        done_id = trigger(client)
        done = report_of(client, done_id).content
        assert server.stop(signal.SIGTERM) in (0, -signal.SIGTERM)
    write_csvs(settings.data, POLLS + "1,inactive,2024-10-14 23:50:00 UTC\n")
    with running(*SLOW, workers=workers, SLOW_SECONDS="60") as server:
        with server.client() as client:
            reports = [trigger(client) for _ in range(3)]
            ingestions = [client.post("/ingest", json={"path": "data"}).json()["ingest_id"] for _ in range(2)]
        fixed = {each: begun(jobs, each).parameters for each in reports[:workers]}
        begun(jobs, ingestions[0], "ingestion")
        expected = report_csv(report(lake))
        assert server.stop(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert not {job.state for job in jobs.list("report", 9)} - {"complete", "queued"}, (
        "handed back, not left to be found"
    )
    with running(*REAL, workers=workers) as server, server.client() as client:
        for ingest_id in ingestions:
            until(lambda asked=ingest_id: client.get(f"/ingest/{asked}").json()["status"] == "Complete")  # type: ignore[misc]
        made = {each: report_of(client, each).content for each in reports}
        assert report_of(client, done_id).content == done
    for report_id, parameters in fixed.items():
        assert made[report_id] == expected
        again = jobs.get("report", report_id)
        assert again is not None
        assert again.parameters == parameters
    assert made[reports[-1]] in {expected, report_csv(report(lake))}
    assert report_csv(report(lake)) != expected


def test_processes_do_not_outlive_the_first(settings: Settings) -> None:
    assert settings
    with running(*REAL, workers=2) as server:
        with server.client() as client:
            until(lambda: client.get("/health").status_code == 503)
        until(lambda: len(server.workers()) == 2)
        left = server.workers()
        server.process.kill()
        server.process.wait()
        until(lambda: not any(map(_alive, left)))


def _alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()
