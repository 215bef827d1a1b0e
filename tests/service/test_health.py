import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from storemon.records.jobs import Job, Jobs
from storemon.records.opening import opened_records
from storemon.service.app import create_app
from storemon.settings import Settings
from storemon.watch.sending import Sender
from tests.service.conftest import VERSIONS
from tests.service.waiting import trigger, until

Client = TestClient[Litestar]
of_a_file = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""Of what can't befall records that a server keeps."""


def test_healthy(client: Client, lake: Lake) -> None:
    assert lake.path
    answer = client.get("/health")
    assert answer.status_code == 200
    found = answer.json()
    assert client.get("/health/ready").json().keys() == found.keys()
    assert found["lake"] == {
        "newest_poll_at": "2024-10-14T23:30:00.500000Z",
        "versions": VERSIONS,
    }
    assert 0 < found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert found["reasons"] == []


def assert_unhealthy(client: Client, said: str) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").status_code == 503
    answer = client.get("/health")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert said in answer.json()["detail"]
    assert [said in reason for reason in answer.json()["reasons"]] == [True]


def test_a_lake_without_polls(client: Client) -> None:
    assert_unhealthy(client, "no polls yet")
    assert_unhealthy(client, "if it had some, see whether its disk is mounted, and whether STOREMON_LAKE is right")


def test_a_lake_that_cannot_be_read(client: Client, lake: Lake) -> None:
    assert lake.path
    shutil.rmtree(lake.path / "polls" / "_delta_log")
    (lake.path / "polls" / "_delta_log").write_text("no log")
    assert_unhealthy(client, "polls")


def test_a_full_disk(client: Client, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lake.path
    usage = shutil.disk_usage("/")._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert_unhealthy(client, "1 MB of disk space are free")


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def overwrite_the_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-4] + b"zero")


@pytest.mark.parametrize("table", ["polls", "hours", "zones"])
@pytest.mark.parametrize("damage", [Path.unlink, cut_off, overwrite_the_end])
def test_a_file_of_the_lake_that_is_lost_or_damaged(
    client: Client, lake: Lake, table: str, damage: Callable[[Path], None]
) -> None:
    assert client.get("/health").status_code == 200, "and what it read is kept"
    damage(max((lake.path / table).rglob("*.parquet")))
    assert_unhealthy(client, "a file of the table is")


def test_old_files_are_not_looked_at(client: Client, settings: Settings, lake: Lake) -> None:
    (settings.data / "store_status.csv").write_text("store_id,status,timestamp_utc\n1,active,2024-01-01 00:00:00 UTC\n")
    lake.ingest(settings.data)
    (old,) = (lake.path / "polls" / "polled_on=2024-01-01").rglob("*.parquet")
    old.unlink()
    assert client.get("/health").status_code == 200


@of_a_file
def test_records_that_are_gone(client: Client, settings: Settings, lake: Lake) -> None:
    assert lake.path
    (settings.reports / "storemon.db").unlink()
    assert_unhealthy(client, "storemon.db is gone")


def test_records_that_cannot_be_written(client: Client, settings: Settings, lake: Lake) -> None:
    assert lake.path
    records = opened_records(settings)
    with records.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs RENAME TO no_jobs")
    records.dispose()
    assert_unhealthy(client, "the records of jobs cannot be written")


def test_a_folder_of_the_reports_that_takes_no_file(client: Client, settings: Settings, lake: Lake) -> None:
    assert lake.path
    shutil.rmtree(settings.reports)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert [reason for reason in answer.json()["reasons"] if "no report can be written here" in reason]


def test_a_full_queue(settings: Settings, lake: Lake) -> None:
    assert lake.path
    begun, going_on = Event(), Event()

    def wait(_: Job) -> dict[str, Any]:
        begun.set()
        going_on.wait(30)
        return {}

    app = create_app(msgspec.structs.replace(settings, max_queued=1), {"report": wait, "ingestion": wait})
    with TestClient(app) as client:
        trigger(client)
        assert begun.wait(30)
        until(lambda: client.post("/trigger_report").status_code == 503)
        assert_unhealthy(client, "as many reports are waiting as may")
        going_on.set()
        until(lambda: client.get("/health").status_code == 200)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended(settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object) -> NoReturn:
        raise SystemExit

    assert lake.path
    with TestClient(create_app(settings)) as client:
        assert client.get("/health").status_code == 200
        monkeypatch.setattr(Jobs, "claim", end)
        until(lambda: client.get("/health").status_code == 503)
        reasons = until(lambda: found if len(found := client.get("/health").json()["reasons"]) == 3 else None)
        kinds = ("report", "ingestion", "schedule")
        assert all(f"for {kind} " in reason for kind, reason in zip(kinds, reasons, strict=True))


@pytest.mark.usefixtures("lake")
def test_a_thread_that_watches_has_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sender, "_work", lambda _: None)
    with TestClient(create_app(msgspec.structs.replace(settings, watch=True))) as client:
        until(lambda: client.get("/health").status_code == 503)
        (reason,) = client.get("/health").json()["reasons"]
        assert reason == "the thread of this process for notices has ended; restart it"
    with TestClient(create_app(settings)) as client:  # where nobody watches, nothing has ended
        assert client.get("/health").status_code == 200
