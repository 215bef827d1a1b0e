"""The four routes over a real running service."""

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storemon.answers.report import report
from storemon.intake.lake import Lake
from storemon.records.database import connected
from storemon.settings import Settings
from tests.postgres import Postgres
from tests.printed import report_csv
from tests.service.conftest import write_csvs
from tests.service.server import REAL, Server, running
from tests.service.waiting import ingestion_of, report_of, trigger, until


@pytest.fixture(scope="module", params=[1, 2], ids=["1 process", "2 processes"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("server"))
        write_csvs(Path("data"))
        Lake("parquet").ingest("data")
        with running(*REAL, workers=request.param) as server:
            yield server


def test_all_routes(server: Server) -> None:
    with server.client() as client:
        assert ingestion_of(client, "./data")["status"] == "Complete"
        assert ingestion_of(client, "data/store_status.csv")["tables"][0]["known"] == 5
        assert client.post("/ingest", json={"path": "../"}).status_code == 400
        report_id = trigger(client)
        download = report_of(client, report_id)
        assert download.content == report_csv(report(Lake("parquet")))
        assert client.get(f"/get_report/{report_id}").content == download.content
        assert client.get("/health").status_code == 200
        assert client.get("/schema").status_code == 200
        assert client.get("/get_report/1").status_code == 400


def test_many_clients_at_once(server: Server) -> None:
    def ask(_: int) -> bytes:
        with server.client() as client:
            return report_of(client, trigger(client)).content

    with ThreadPoolExecutor(20) as pool, server.client() as client:
        reports = pool.map(ask, range(30))
        for _ in range(3):
            assert ingestion_of(client, "./data")["status"] == "Complete"
        assert set(reports) == {report_csv(report(Lake("parquet")))}


def test_each_request_and_each_job_is_a_line(server: Server) -> None:
    with server.client() as client:
        report_id = trigger(client)
        assert report_of(client, report_id).status_code == 200
        client.get("/nowhere?secret=no")
        client.post("/ingest", json={"path": "a secret body"})
    requests = server.logged("request")
    (nowhere,) = [line for line in requests if line["path"].startswith("/nowhere")]
    assert (nowhere["method"], nowhere["status"], nowhere["level"]) == ("GET", 404, "info")
    assert nowhere["milliseconds"] > 0
    assert [line["status"] for line in requests if report_id in line["path"]][-1] == 200
    (job,) = [line for line in server.logged("job complete") if line["id"] == report_id]
    assert (job["kind"], job["attempt"]) == ("report", 1)
    assert "a secret body" not in server._log.read_text()


def test_every_line_of_a_request_and_of_its_job_has_its_id(server: Server) -> None:
    def lines(event: str, request_id: str) -> list[dict[str, Any]]:
        return [line for line in server.logged(event) if line.get("request_id") == request_id]

    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with server.client() as client:
        client.post("/ingest", json={"path": "./data"}, headers={"X-Request-ID": "load-7", "traceparent": trace})
        asked = client.post("/v1/reports", headers={"X-Request-ID": "ask-8"})
        assert asked.headers["x-request-id"] == "ask-8"
        for odd in (b"a b", b"x" * 65, b"\xc3\xa4", b""):
            told = client.get("/v1/reports", headers={b"X-Request-ID": odd, b"traceparent": b"odd"})
            assert re.fullmatch("[0-9a-f]{32}", told.headers["x-request-id"])
        assert told.headers["x-content-type-options"] == "nosniff"
        assert "x-request-id" not in client.get("/health").headers, "the older routes answer as they always did"
    for request_id, kind in (("load-7", "ingestion"), ("ask-8", "report")):
        (job,) = until(partial(lines, "job complete", request_id))
        assert job["kind"] == kind
        assert [line["method"] for line in lines("request", request_id)] == ["POST"]
        assert job.get("traceparent") == (trace if request_id == "load-7" else None)
    (audited,) = lines("write", "load-7")
    assert audited["traceparent"] == trace


def test_a_taken_port_is_named(settings: Settings) -> None:
    assert settings
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = subprocess.run([sys.executable, *REAL, "--port", port], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port" in ran.stderr


def test_a_host_that_is_none_is_named(settings: Settings) -> None:
    assert settings
    here = ["--host", "no.such.host.invalid", "--allow-anonymous"]
    ran = subprocess.run([sys.executable, *REAL, *here], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert re.search(r"cannot listen on no\.such\.host\.invalid:8000: [A-Z][a-z ]+; choose another --port", ran.stderr)


def test_a_variable_that_is_no_setting_is_logged(settings: Settings) -> None:
    assert settings
    with running(*REAL, STOREMON_PROT="8080") as server:
        (line,) = server.logged("setting not known")
    assert line["reason"] == "STOREMON_PROT: there is no such setting; did you mean STOREMON_PORT?"


def test_the_page_s_program_runs(lake: Lake) -> None:
    assert lake.path
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    with running(*REAL) as server:
        found: dict[str, Any] = {}
        exec(program.replace("http://127.0.0.1:8000", server.url), found)  # noqa: S102 - it is ours
    assert found["report"].columns[:2] == ["store_id", "availability_last_30d"]


def test_a_reports_folder_that_is_a_file_is_named(settings: Settings) -> None:
    settings.reports.write_text("a file")
    ran = subprocess.run([sys.executable, *REAL, "--port", "0"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert re.search(r"reports: nothing can be kept here: .*File exists", ran.stderr)


def test_the_log_is_for_people_on_a_terminal(settings: Settings) -> None:
    assert settings
    terminal, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, *REAL, "--port", "0"], stderr=theirs)
    try:
        os.close(theirs)
        line = os.read(terminal, 10_000).decode()
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert "listening" in line
    assert not line.startswith("{")


def test_a_database_that_hangs_holds_up_nothing_else(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOREMON_DATABASE", address := postgres.database())
    with ExitStack() as stack:
        server = stack.enter_context(running(*REAL))
        client, pool = stack.enter_context(server.client()), stack.enter_context(ThreadPoolExecutor())
        report_id = trigger(client)
        records = connected(address)
        stack.callback(records.dispose)
        other = stack.enter_context(records.connect())
        other.exec_driver_sql("BEGIN; LOCK TABLE jobs, keys IN ACCESS EXCLUSIVE MODE")
        hanging = [pool.submit(client.get, path) for path in (f"/get_report/{report_id}", f"/v1/reports/{report_id}")]
        for _ in range(10):
            with server.client() as another:
                assert another.get("/health/live", timeout=5).status_code == 200
        assert not any(each.done() for each in hanging)
        other.exec_driver_sql("ROLLBACK")
        assert all(each.result().status_code != 404 for each in hanging)
