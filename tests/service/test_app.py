import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.answers.report import report
from storemon.errors import LakeError
from storemon.intake.lake import Lake
from storemon.records import database
from storemon.records.jobs import Job, Jobs
from storemon.records.opening import opened_records
from storemon.service.app import create_app
from storemon.settings import Settings
from storemon.units.addresses import SQLITE
from storemon.units.zones import EDITION
from tests.printed import report_csv
from tests.service.conftest import VERSIONS
from tests.service.waiting import ingestion_of, report_of, trigger

Client = TestClient[Litestar]


def assert_problem(answer: httpx.Response, status: int, said: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert said in problem["detail"]


class Stuck:
    """Runs jobs that wait until they are released."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()

    def __call__(self, _: Job) -> dict[str, Any]:
        self.entered.set()
        self.release.wait(60)
        raise LakeError("the lake is gone; make a new one")


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    stuck = Stuck()
    yield stuck
    stuck.release.set()


@pytest.fixture
def stuck_client(settings: Settings, stuck: Stuck) -> Iterator[Client]:
    small = msgspec.structs.replace(settings, max_queued=2)
    with TestClient(create_app(small, {"report": stuck, "ingestion": stuck})) as client:
        yield client
        stuck.release.set()


def test_a_report_from_trigger_to_download(client: Client, lake: Lake, settings: Settings) -> None:
    answer = client.post("/trigger_report")
    assert answer.status_code == 200
    assert list(answer.json()) == ["report_id"]
    report_id = answer.json()["report_id"]
    assert str(UUID(report_id)) == report_id
    download = report_of(client, report_id)
    assert download.status_code == 200
    assert download.headers["content-type"] == "text/csv; charset=utf-8"
    assert download.headers["content-disposition"] == f'attachment; filename="report-{report_id}.csv"'
    assert download.headers["x-report-status"] == "Complete"
    assert download.headers["x-report-as-of"] == "2024-10-14T23:30:00.500000+00:00"
    assert download.headers["x-report-carry-limit"] == "7d"
    assert download.headers["x-report-lake"] == " ".join(f"{table}={at}" for table, at in VERSIONS.items())
    assert download.headers["etag"]
    assert download.content == report_csv(report(lake))
    assert client.get(f"/get_report/{report_id}").content == download.content
    assert [path.name for path in settings.reports.glob("*.csv*")] == [f"{report_id}.csv"]


def test_a_report_says_running_until_it_is_done(stuck_client: Client, stuck: Stuck) -> None:
    running, queued = trigger(stuck_client), trigger(stuck_client)
    assert stuck.entered.wait(10)
    for report_id in (running, queued):
        for answer in (
            stuck_client.get("/get_report", params={"report_id": report_id}),
            stuck_client.get(f"/get_report/{report_id}"),
        ):
            assert (answer.status_code, answer.json()) == (200, {"status": "Running"})
            assert answer.headers["content-type"] == "application/json"


def test_a_failed_report_says_why(stuck_client: Client, stuck: Stuck) -> None:
    stuck.release.set()
    answer = report_of(stuck_client, trigger(stuck_client))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "status": "Failed",
        "title": "Internal Server Error",
        "detail": "the report failed: the lake is gone; make a new one",
        "reason": "the lake is gone; make a new one",
    }


def test_a_report_without_polls_fails_with_advice(client: Client) -> None:
    answer = report_of(client, trigger(client))
    assert answer.status_code == 500
    assert "storemon ingest" in answer.json()["reason"]


def test_a_report_whose_file_is_gone(client: Client, lake: Lake, settings: Settings) -> None:
    assert lake.path
    report_id = trigger(client)
    report_of(client, report_id)
    (settings.reports / f"{report_id}.csv").unlink()
    assert_problem(client.get(f"/get_report/{report_id}"), 410, "trigger a new one")


def test_unknown_and_malformed_ids(client: Client) -> None:
    unknown = str(uuid4())
    assert_problem(client.get(f"/get_report/{unknown}"), 404, unknown)
    assert_problem(client.get("/get_report", params={"report_id": unknown}), 404, unknown)
    assert_problem(client.get(f"/ingest/{unknown}"), 404, unknown)
    assert_problem(client.get("/get_report"), 400, "report_id")
    for bad in ("1", "", "../../etc/passwd", "'; DROP TABLE jobs; --"):
        assert_problem(client.get("/get_report", params={"report_id": bad}), 400, "report_id: Invalid UUID")
    assert_problem(client.get("/get_report/1"), 400, "report_id: Invalid UUID")
    assert_problem(client.get("/ingest/1"), 400, "ingest_id: Invalid UUID")


def test_an_ingestion_is_no_report(client: Client) -> None:
    status = ingestion_of(client, "./data")
    assert_problem(client.get(f"/get_report/{status['ingest_id']}"), 404, "there is no report")


def test_other_problems(client: Client) -> None:
    assert_problem(client.get("/nothing"), 404, "Not Found")
    assert_problem(client.get("/trigger_report"), 405, "Method Not Allowed")
    assert "POST" in client.get("/trigger_report").headers["allow"]


def test_a_bug_is_a_problem_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jobs, "get", lambda *_: 1 / 0)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        assert_problem(client.get(f"/get_report/{uuid4()}"), 500, "the log says more")


def test_a_full_queue_asks_to_come_again(stuck_client: Client, stuck: Stuck) -> None:
    trigger(stuck_client)
    assert stuck.entered.wait(10)
    for _ in range(2):
        trigger(stuck_client)
    answer = stuck_client.post("/trigger_report")
    assert_problem(answer, 503, "2 jobs are waiting")
    assert int(answer.headers["retry-after"]) > 0
    assert stuck_client.post("/ingest", json={"path": "./data"}).status_code == 200
    assert_problem(stuck_client.get("/health"), 503, "as many reports are waiting as may")


def test_a_report_names_what_it_used(client: Client, lake: Lake, jobs: Jobs) -> None:
    assert lake.path
    report_id = trigger(client)
    report_of(client, report_id)
    job = jobs.get("report", report_id)
    assert job is not None
    assert job.parameters == {
        "carry_limit_us": timedelta(days=7) // timedelta(microseconds=1),
        "zone_data": EDITION,
        "versions": VERSIONS,
        "as_of": datetime(2024, 10, 14, 23, 30, 0, 500_000, UTC).isoformat(),
    }
    assert job.result == {"stores": 3}


def test_records_that_cannot_be_written_are_a_503(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lake.path
    records = opened_records(settings)
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)  # less, and a busy machine holds up the service itself as long
    with TestClient(create_app(settings)) as client:
        report_id = trigger(client)
        report_of(client, report_id)
        lock = "BEGIN IMMEDIATE" if settings.database == SQLITE else "BEGIN; LOCK TABLE jobs IN SHARE MODE"
        other = records.connect()
        other.exec_driver_sql(lock)
        answer = client.post("/trigger_report")
        assert_problem(answer, 503, "the records of jobs are out of reach")
        assert int(answer.headers["retry-after"]) > 0
        assert_problem(client.get("/health"), 503, "the records of jobs cannot be written")
        for told in (answer, client.post("/v1/reports"), client.get("/health")):
            assert told.status_code == 503
            assert not re.search("SQL|BEGIN|jobs[.]|psycopg|sqlite|lock", told.text), (
                "what a database says is for the log"
            )
        assert client.get(f"/get_report/{report_id}").status_code == 200
        other.exec_driver_sql("COMMIT")
        other.close()
        records.dispose()
        assert client.get("/health").status_code == 200
        assert report_of(client, trigger(client)).status_code == 200
