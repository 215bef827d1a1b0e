import shutil

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from tests.service.conftest import VERSIONS

Client = TestClient[Litestar]


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
