"""Two services over one PostgreSQL and one lake, behind nginx: they share the work, and one may die."""

import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from httpx import Client

from storemon.answers.report import report
from storemon.intake.lake import Lake
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.conftest import COMMAND
from tests.postgres import Postgres
from tests.printed import report_csv
from tests.service.conftest import write_csvs
from tests.service.server import REAL, SLOW, Server, running
from tests.service.waiting import report_of, trigger, until

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
pytestmark = pytest.mark.skipif(not Path(NGINX).exists(), reason="there is no nginx here: apt-get install nginx-light")


@pytest.fixture
def settings(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    write_csvs(Path("data"))
    monkeypatch.setenv("STOREMON_DATABASE", address := postgres.database())
    return Settings.load(lake="parquet", data=Path("data"), reports=Path("reports"), database=address)


@pytest.fixture
def jobs(settings: Settings) -> Iterator[Jobs]:
    records = opened_records(settings)
    yield Jobs(records, lease=settings.lease, max_queued=settings.max_queued)
    records.dispose()


@contextmanager
def balanced(*servers: Server) -> Iterator[str]:
    """Let nginx share requests among services; its address."""
    folder = Path("nginx").resolve()
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    first, second = (server.url.rpartition(":")[2] for server in servers)
    config = (Path(__file__).parent / "nginx.conf").read_text()
    for name, value in {"FOLDER": str(folder), "FIRST": first, "SECOND": second, "PORT": str(port)}.items():
        config = config.replace(name, value)
    (folder / "nginx.conf").write_text(config)
    nginx = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        until(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.wait()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return not asked.connect_ex(("127.0.0.1", port))


def test_they_share_the_work(lake: Lake, jobs: Jobs) -> None:
    expected = report_csv(report(lake))
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*SLOW, SLOW_SECONDS="0.3")) for _ in range(2)]
        client = stack.enter_context(Client(base_url=stack.enter_context(balanced(*servers)), timeout=30))
        reports = [trigger(client) for _ in range(8)]
        for report_id in reports:
            assert report_of(client, report_id).content == expected
        done = [{line["id"] for line in server.logged("job complete")} for server in servers]
        assert done[0] | done[1] == set(reports)
        assert not done[0] & done[1]
        assert min(map(len, done)) > 1
        asked = Counter(line["path"].split("?")[0] for server in servers for line in server.logged("request"))
        assert asked["/trigger_report"] == len(reports)
        assert all(server.logged("request") for server in servers)
    for report_id in reports:
        job = jobs.get("report", report_id)
        assert job is not None
        assert (job.state, job.attempts) == ("complete", 1)


def test_one_may_die_in_the_midst_of_its_work(lake: Lake, jobs: Jobs) -> None:
    expected = report_csv(report(lake))
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*SLOW, SLOW_SECONDS="2")) for _ in range(2)]
        client = stack.enter_context(Client(base_url=stack.enter_context(balanced(*servers)), timeout=30))
        reports = [trigger(client) for _ in range(3)]
        until(lambda: sum((job := jobs.get("report", i)) is not None and job.state == "running" for i in reports) == 2)
        servers[0].kill()
        for report_id in reports:
            assert report_of(client, report_id).content == expected
        starts = [job.attempts for report_id in reports if (job := jobs.get("report", report_id))]
        assert sorted(starts) == [1, 1, 2]


def test_keys_hold_for_both(lake: Lake) -> None:
    assert lake.path
    made = subprocess.run(
        [*COMMAND, "keys", "create", "--role", "writer"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with ExitStack() as stack:
        servers = [stack.enter_context(running(*REAL)) for _ in range(2)]
        for server in servers:
            assert httpx.get(f"{server.url}/v1/report").status_code == 401
            assert httpx.get(f"{server.url}/v1/report", headers={"X-API-Key": made}).status_code == 200
