"""The metrics: what is counted means what it says, over all processes, and costs no endless series."""

import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import httpx
import polars as pl
import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from storemon.intake.lake import Lake
from storemon.records.jobs import Job, Jobs
from storemon.records.keys import opened_keys
from storemon.service.app import create_app
from storemon.service.telemetry import stores
from storemon.settings import Settings
from tests.service.conftest import POLLS, write_csvs
from tests.service.server import REAL, SLOW, Server, running
from tests.service.test_health import of_a_file
from tests.service.waiting import ingestion_of, report_of, trigger, until

Series = dict[str, float]


def scraped(client: httpx.Client) -> Series:
    """Every series with its value, as in ``storemon_jobs{kind="report",state="queued"}``."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Series = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation.endswith(".")
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            series = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert series not in found
            found[series] = sample.value
    return found


def answered(found: Series, method: str, route: str, status: int) -> float:
    return found.get(f'storemon_http_requests_total{{method="{method}",route="{route}",status="{status}"}}', 0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two processes, and a poll of each state within opening hours now, and out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("server"))
        now = datetime.now(UTC)
        polls = "store_id,status,timestamp_utc\n"
        for store, status, ago in (("1", "active", 2), ("2", "inactive", 1), ("3", "active", 9 * 24), ("4", "nope", 1)):
            polls += f"{store},{status},{now - timedelta(hours=ago):%Y-%m-%d %H:%M:%S} UTC\n"
        write_csvs(Path("data"), polls)
        closed = (now + timedelta(days=3)).weekday()
        Path("data/menu_hours.csv").write_text(
            f"store_id,dayOfWeek,start_time_local,end_time_local\n2,{closed},09:00:00,17:30:00\n"
        )
        Lake("parquet").ingest("data")
        with running(*REAL, workers=2) as server:
            yield server


def test_all_processes_are_told_of(server: Server) -> None:
    with server.client() as first:
        before = scraped(first)
    for _ in range(20):
        with server.client() as client:  # another connection, and so perhaps another process
            assert client.get("/health").status_code == 200
    with server.client() as client:
        told = [scraped(client) for _ in range(5)]
    for found in told:
        assert answered(found, "GET", "/health", 200) - answered(before, "GET", "/health", 200) == 20
        count = 'storemon_http_request_duration_seconds_count{method="GET",route="/health"}'
        assert found[count] == answered(found, "GET", "/health", 200)
        assert found["storemon_http_requests_in_progress"] == 1, "that of the metrics"
        assert len([series for series in found if series.startswith("process_resident_memory_bytes")]) == 2
    assert [series for series in told[0] if series.startswith("storemon_build_info")]


def test_no_path_makes_a_series(server: Server) -> None:
    with server.client() as client:
        before = scraped(client)
        for number in range(5):
            assert client.get(f"/no/{number}").status_code == 404
            client.get(f"/get_report/0000000{number}-0000-4000-8000-000000000000")
            client.get(f"/v1/stores/{number}/explain")
            assert client.get("/health", headers={"host": f"a{number}:b"}).status_code == 400
            assert client.request(f"ODD{number}", "/health").status_code == 405
        after = scraped(client)
    assert answered(after, "GET", "none", 404) - answered(before, "GET", "none", 404) == 5
    assert answered(after, "GET", "none", 400) - answered(before, "GET", "none", 400) == 5
    assert answered(after, "other", "none", 405) - answered(before, "other", "none", 405) == 5
    assert answered(after, "GET", "/get_report/{report_id}", 404) == 5
    routes = {found[1] for series in after if (found := re.search(r'route="([^"]*)"', series))}
    assert not {route for route in routes if re.search(r"\d", route.replace("/v1", ""))}


@pytest.mark.parametrize(("method", "route"), [("POST", "/ingest"), ("PUT", "/v1/zones")])
def test_who_leaves_is_no_error_of_the_service(server: Server, method: str, route: str) -> None:
    head = f"{method} {route} HTTP/1.1\r\nhost: a\r\ncontent-type: text/csv\r\ncontent-length: 100\r\n\r\nst"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as connection:
        connection.sendall(head.encode())
    with server.client() as client:
        until(lambda: answered(scraped(client), method, route, 400))


def test_stores_by_state_are_those_of_now(server: Server) -> None:
    with server.client() as client:
        found = scraped(client)
    by_state = {series: value for series, value in found.items() if series.startswith("storemon_stores{") and value}
    assert by_state == {
        'storemon_stores{open="true",state="active"}': 1,
        'storemon_stores{open="false",state="inactive"}': 1,
        'storemon_stores{open="true",state="unknown"}': 1,
    }
    assert abs(found["storemon_stores_as_of_timestamp_seconds"] - datetime.now(UTC).timestamp()) < 120
    assert 3600 <= found["storemon_data_lag_seconds"] < 3600 + 300
    assert 0 <= found["storemon_commit_age_seconds"] < 300


def test_jobs_and_rows(server: Server) -> None:
    with server.client() as client:
        before = scraped(client)
        assert report_of(client, trigger(client)).status_code == 200
        Path("data/more").mkdir()
        write_csvs(Path("data/more"), POLLS + "5,broken,2024-10-14 23:50:00 UTC\n")
        assert ingestion_of(client, "data/more")["status"] == "Complete"
        assert client.put("/v1/zones", json=[{"store_id": "1", "timezone_str": "Nowhere"}] * 2).status_code == 400
        assert ingestion_of(client, "data/more/store_status.csv")["status"] == "Complete"
        (Path("data") / "odd.csv").write_text("no,poll\n1,2\n")
        assert ingestion_of(client, "data/odd.csv")["status"] == "Failed"
        after = scraped(client)

    def risen(series: str) -> float:
        return after[series] - before[series]

    assert risen('storemon_job_duration_seconds_count{kind="report",outcome="complete"}') == 1
    assert risen('storemon_job_duration_seconds_count{kind="ingestion",outcome="complete"}') == 2
    assert risen('storemon_job_duration_seconds_count{kind="ingestion",outcome="failed"}') == 1
    assert risen('storemon_jobs{kind="ingestion",state="failed"}') == 1
    assert risen('storemon_ingested_rows_total{outcome="added",table="polls"}') == 5
    assert risen('storemon_ingested_rows_total{outcome="known",table="polls"}') == 5
    assert risen('storemon_ingested_rows_total{outcome="rejected",table="polls"}') == 2
    assert risen('storemon_ingested_rows_total{outcome="rejected",table="zones"}') == 2
    assert risen('storemon_lake_rows{table="polls"}') == 5
    assert after['storemon_lake_rows{table="rejected"}'] > before['storemon_lake_rows{table="rejected"}'] > 0
    of_polls = [*Path("parquet/polls").rglob("*.parquet")]
    assert after['storemon_lake_files{table="polls"}'] == len(of_polls)
    assert after['storemon_lake_size_bytes{table="polls"}'] == sum(path.stat().st_size for path in of_polls)


def test_a_dead_process_is_at_nothing_any_more(settings: Settings, lake: Lake) -> None:
    assert settings.lake == lake.path.name
    with running(*SLOW, workers=2, SLOW_SECONDS="60") as server:
        until(lambda: len(server.workers()) == 2)
        (folder,) = variable(server.workers()[0], "PROMETHEUS_MULTIPROC_DIR")
        with server.client() as client, server.client() as following:
            report_id = trigger(client)
            with following.stream("GET", f"/v1/reports/{report_id}/events"):
                assert scraped(client)["storemon_http_requests_in_progress"] == 2
                dead = server.workers()
                for process in dead:
                    os.kill(process, signal.SIGKILL)
        until(lambda: len({*server.workers()} - {*dead}) == 2)
        with server.client() as client:
            found = scraped(client)
        assert found["storemon_http_requests_in_progress"] == 1
        assert not [series for series in found for process in dead if f'pid="{process}"' in series]
        assert answered(found, "POST", "/trigger_report", 200) == 1, "what was done is not forgotten"
        until(lambda: restarted(server))
        assert Path(folder).is_dir()
        server.stop(signal.SIGTERM)
        assert not Path(folder).exists()


def restarted(server: Server) -> bool:
    with server.client() as client:
        return scraped(client)['storemon_job_restarts_total{kind="report"}'] == 1


def variable(process: int, name: str) -> list[str]:
    variables = Path(f"/proc/{process}/environ").read_text().split("\0")
    return [value.removeprefix(f"{name}=") for value in variables if value.startswith(f"{name}=")]


@of_a_file
def test_what_is_broken_is_told_and_the_rest_too(settings: Settings, lake: Lake, jobs: Jobs) -> None:
    def ready(found: Series) -> dict[str, float]:
        return {part: found[f'storemon_ready{{part="{part}"}}'] for part in ("records", "queue", "lake", "disk")}

    with TestClient(create_app(settings)) as client:
        found = scraped(client)
        assert ready(found) == {"records": 1, "queue": 1, "lake": 1, "disk": 1}
        assert found['storemon_disk_free_bytes{disk="reports"}'] <= found['storemon_disk_size_bytes{disk="reports"}']
        shutil.rmtree(lake.path)
        found = scraped(client)
        assert ready(found) == {"records": 1, "queue": 1, "lake": 0, "disk": 1}
        assert not [series for series in found if series.startswith("storemon_data_lag")]
        assert found['storemon_jobs{kind="report",state="queued"}'] == 0
        shutil.rmtree(settings.reports)
        found = scraped(client)
        assert ready(found) == {"records": 0, "queue": 1, "lake": 0, "disk": 0}
        assert "storemon_http_requests_in_progress" in found
    assert jobs


def test_the_queue(settings: Settings, lake: Lake, jobs: Jobs) -> None:
    assert lake
    running_jobs = Event()

    def wait(_: Job) -> dict[str, Any]:
        running_jobs.wait(30)
        return {}

    with TestClient(create_app(settings, {"report": wait, "ingestion": wait})) as client:
        for _ in range(3):
            trigger(client)
        until(lambda: scraped(client)['storemon_jobs{kind="report",state="running"}'] == 1)
        found = scraped(client)
        assert found['storemon_jobs{kind="report",state="queued"}'] == 2
        assert found['storemon_jobs_oldest_queued_seconds{kind="report"}'] > 0
        assert found['storemon_jobs_oldest_queued_seconds{kind="ingestion"}'] == 0
        assert found["storemon_jobs_queued_limit"] == 100
        running_jobs.set()
        until(lambda: scraped(client)['storemon_jobs{kind="report",state="complete"}'] == 3)
    assert jobs


def test_a_job_that_is_canceled(settings: Settings, lake: Lake) -> None:
    assert lake
    going_on, canceled = Event(), 'storemon_job_duration_seconds_count{kind="report",outcome="canceled"}'

    def wait(_: Job) -> dict[str, Any]:
        going_on.wait(30)
        return {}

    with TestClient(create_app(settings, {"report": wait, "ingestion": wait})) as client:
        before = scraped(client)
        report_id = trigger(client)
        until(lambda: client.get(f"/v1/reports/{report_id}").json()["state"] == "running")
        assert client.post(f"/v1/reports/{report_id}/cancel").status_code == 200
        going_on.set()
        until(lambda: scraped(client)[canceled] == before[canceled] + 1)


def test_a_key_that_sees_some_stores_only_is_told_nothing(settings: Settings, lake: Lake) -> None:
    assert lake
    with opened_keys(settings) as keys, TestClient(create_app(settings)) as client:
        _, of_all = keys.create("reader")
        _, of_some = keys.create("admin", {"region": "West"})
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"X-API-Key": of_some}).status_code == 403
        assert client.get("/metrics", headers={"X-API-Key": of_all}).status_code == 200


def test_stores_are_counted_one_count_at_a_time_and_no_scrape_waits_long(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lake
    going_on, counted = Event(), []

    def slow(*_: Any, **__: Any) -> pl.DataFrame:
        counted.append(current_thread())
        going_on.wait(30)
        return pl.DataFrame({"store_id": ["a"], "state": ["active"], "is_open": [True]})

    monkeypatch.setattr(stores, "now", slow)
    monkeypatch.setattr(stores, "_PATIENCE_SECONDS", 0.01)
    stores_now = stores.StoresNow(settings)
    for _ in range(5):
        stores_now.refresh()
    assert len(counted) == 1
    going_on.set()
    stores_now.stop()
    stores_now.refresh()
    assert len(counted) == 1, "it was counted a moment ago"
    assert counted[0] is not current_thread()
