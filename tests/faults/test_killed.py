"""Processes that are killed at any point, and nothing that was promised is lost."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from tests.examples import examples
from tests.faults.conftest import Place
from tests.postgres import Postgres
from tests.service.server import SLOW, Server, running
from tests.service.waiting import downloaded, eventually, until

POINTS = 50
_LONGEST = 0.6  # seconds: longer than a job with its wait takes


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[Server]:
    assert place.lake.path
    with running(*SLOW, workers=2, SLOW_SECONDS="0.2") as server:
        yield server


def point(n: int) -> float:
    """Spread so many points evenly, the last ones when the job has ended."""
    return _LONGEST * n / max(1, examples(POINTS) - 1)


def kill_workers(server: Server) -> None:
    for process in server.workers():
        os.kill(process, signal.SIGKILL)


def asked(server: Server, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, str]:
    """Ask until it is answered."""

    def once() -> httpx.Response | None:
        try:
            return httpx.request(method, f"{server.url}{path}", json=body, timeout=10)
        except httpx.TransportError:
            return None

    answer = until(once)
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


@pytest.mark.fault(
    "`kill -9` of the processes of a service while one makes a report, at points from its start to its end",
    "it is made by the next one, from the same facts to the same bytes",
)
@pytest.mark.parametrize("n", range(examples(POINTS)))
def test_while_a_report_is_made(place: Place, server: Server, n: int) -> None:
    report_id = asked(server, "POST", "/trigger_report")["report_id"]
    time.sleep(point(n))
    kill_workers(server)
    assert downloaded(server.url, report_id) == place.expected
    assert not [file for file in place.settings.reports.iterdir() if report_id in file.name and "part" in file.name]


@pytest.mark.fault(
    "`kill -9` of the processes of a service while one ingests, at points from its start to its end",
    "it is run again; the lake has each poll once, and no half of a file",
)
@pytest.mark.parametrize("n", range(examples(20)))
def test_while_files_are_ingested(place: Place, server: Server, n: int) -> None:
    ingest_id = asked(server, "POST", "/ingest", {"path": "data"})["ingest_id"]
    time.sleep(point(n * POINTS // 20))
    kill_workers(server)

    def complete() -> bool:
        answer = eventually(f"{server.url}/ingest/{ingest_id}")
        return answer is not None and answer.json()["status"] == "Complete"

    until(complete)
    report_id = asked(server, "POST", "/trigger_report")["report_id"]
    assert downloaded(server.url, report_id) == place.expected
    every_poll = (
        pl.scan_delta(str(Path(place.settings.lake) / "polls"))
        .filter(pl.col("polled_on").is_not_null())
        .select("store_key", "polled_at")
        .collect()
    )
    assert every_poll.height == every_poll.unique().height == 5


@pytest.mark.fault(
    "`kill -9` of PostgreSQL while reports are asked for and made",
    "what was answered with an id is made; what could not be recorded was answered 503; the service goes on by itself",
)
@pytest.mark.parametrize("n", range(examples(10)))
def test_of_postgresql(shared: Place, postgres: Postgres, n: int) -> None:
    reports, refused = [], 0
    with running(*SLOW, SLOW_SECONDS="0.2") as server, server.client() as client:
        until(lambda: client.get("/health").status_code == 200)
        for asked_at in range(12):
            if asked_at == 4:
                time.sleep(0.05 * n)
                postgres.kill()
            if asked_at == 8:
                postgres.start()
            answer = client.post("/trigger_report")
            if answer.status_code == 200:
                reports.append(answer.json()["report_id"])
            else:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
                refused += 1
        assert refused >= 4
        assert len(reports) >= 4
        for report_id in reports:
            assert downloaded(server.url, report_id) == shared.expected
        assert client.get("/health").status_code == 200
    records = opened_records(shared.settings)
    jobs = Jobs(records, lease=timedelta(seconds=1), max_queued=9)
    assert {job.id for job in jobs.list("report", 100)} >= set(reports)
    records.dispose()


@pytest.mark.fault(
    "`kill -9` of one of two services that share their records and their work",
    "the other one makes what it was at, to the same bytes",
)
@pytest.mark.parametrize("n", range(examples(10)))
def test_of_one_of_two_services(shared: Place, n: int) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(running(*SLOW, SLOW_SECONDS="0.3")) for _ in range(2))
        reports = [asked(server, "POST", "/trigger_report")["report_id"] for server in (first, second) * 2]
        time.sleep(0.06 * n)
        first.kill()
        for report_id in reports:
            assert downloaded(second.url, report_id) == shared.expected
