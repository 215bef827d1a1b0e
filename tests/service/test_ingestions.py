from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.errors import InputError
from storemon.intake.lake import Lake
from storemon.records.jobs import Jobs
from storemon.service.work import run_ingestion
from storemon.settings import Settings
from tests.service.conftest import POLLS, write_csvs
from tests.service.waiting import ingestion_of

Client = TestClient[Litestar]


def test_an_ingestion_from_start_to_counts(client: Client) -> None:
    answer = client.post("/ingest", json={"path": "./data"})
    assert answer.status_code == 200
    assert answer.json().keys() == {"message", "ingest_id"}
    assert answer.json()["message"] == "Data ingestion started in the background..."
    status = ingestion_of(client, "./data")
    assert status["status"] == "Complete"
    counts = {table["table"]: (table["read"], table["known"], table["rejected"]) for table in status["tables"]}
    assert counts == {"polls": (5, 5, 0), "hours": (1, 1, 0), "zones": (1, 1, 0)}


@pytest.mark.parametrize(
    "path",
    [
        lambda data: str(data.absolute()),
        lambda _: "data/../data/store_status.csv",
        lambda data: str(_link(data / "link", data / "store_status.csv")),
    ],
)
def test_paths_in_the_data_folder(client: Client, settings: Settings, path: Callable[[Path], str]) -> None:
    assert ingestion_of(client, path(settings.data))["status"] == "Complete"


@pytest.mark.parametrize(
    "path",
    [
        lambda _: "/etc/passwd",
        lambda _: "data/../../data",
        lambda _: "..",
        lambda _: ".",
        lambda _: "",
        lambda _: "data/missing.csv",
        lambda _: "data\x00",
        lambda _: "x" * 10_000,
        lambda _: "outside",
        lambda data: str(data.absolute()) + "_of_others",
        lambda data: str(_link(data / "link", data.parent / "outside" / "store_status.csv")),
        lambda data: str(_link(data / "folder", data.parent / "outside")),
        lambda data: str(_link(data / "folder", data.parent / "outside") / "store_status.csv"),
        lambda data: str(_link(data / "circle", data.absolute() / "circle")),
    ],
)
def test_other_paths_are_refused_and_touch_nothing(
    client: Client, settings: Settings, jobs: Jobs, path: Callable[[Path], str]
) -> None:
    write_csvs(Path("outside"))
    write_csvs(Path("data_of_others"))
    answer = client.post("/ingest", json={"path": path(settings.data)})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "in the data folder" in answer.json()["detail"]
    assert not Path(settings.lake).exists()
    assert jobs.claim("ingestion", "us") is None


def _link(link: Path, target: Path) -> Path:
    link.symlink_to(target.absolute())
    return link


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: it is missing"),
        (b"{path", "JSON is malformed"),
        (b"[]", "body: Expected `object`, got `array`"),
        (b"{}", "body: Object missing required field `path`"),
        (b'{"path": 1}', "path: Expected `str`, got `int`"),
        (b"\xff", "JSON is malformed"),
    ],
)
def test_bad_bodies(client: Client, body: bytes, said: str) -> None:
    answer = client.post("/ingest", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert said in answer.json()["detail"]


def test_a_link_that_is_bent_after_the_request(settings: Settings, jobs: Jobs) -> None:
    write_csvs(Path("outside"))
    jobs.add("ingestion", {"path": str(_link(settings.data / "bent", Path("outside")).absolute())})
    job = jobs.claim("ingestion", "us")
    assert job is not None
    with pytest.raises(InputError, match="in the data folder"):
        run_ingestion(settings, job)
    assert not Path(settings.lake).exists()


def test_rows_that_cannot_be_read_are_counted(client: Client, settings: Settings) -> None:
    (settings.data / "store_status.csv").write_text(POLLS + "4,shut,2024-10-14 20:00:00 UTC\n")
    (polls,) = [table for table in ingestion_of(client, "data")["tables"] if table["table"] == "polls"]
    assert (polls["read"], polls["added"], polls["rejected"]) == (6, 5, 1)
    assert list(polls["reasons"].values()) == [1]


@pytest.mark.parametrize(
    ("polls", "said"),
    [
        ("store_id,status\n1,active\n", "timestamp_utc"),
        ("store_id,status,timestamp_utc\n1,shut,2024-10-14 20:00:00 UTC\n", "none of the rows can be read"),
    ],
)
def test_an_ingestion_that_fails_says_why(client: Client, settings: Settings, polls: str, said: str) -> None:
    (settings.data / "store_status.csv").write_text(polls)
    status: dict[str, Any] = ingestion_of(client, "data/store_status.csv")
    assert status["status"] == "Failed"
    assert said in status["reason"]
    assert Lake(settings.lake).snapshot().newest_poll() is None


def test_what_is_to_be_said_of_the_files(client: Client, settings: Settings) -> None:
    """Hours of another name and kind, a file that is not used, and a store without a zone."""
    folder = settings.data / "export"
    folder.mkdir()
    (folder / "checks.csv").write_text("store;state;time\nnew;up;1728896400\n")
    hours = {"store_id": ["new"], "weekday": ["Mon"], "opens": ["9:00 AM"], "closes": ["5:00 PM"]}
    pl.DataFrame(hours).write_parquet(folder / "opening.parquet")
    (folder / "notes.md").write_text("nothing")
    status = ingestion_of(client, str(folder))
    assert status["status"] == "Complete"
    assert {table["table"]: table["added"] for table in status["tables"]} == {"hours": 1, "polls": 1}
    assert len(status["taken"]) == 2
    assert status["unused"] == [
        f"{(folder / 'notes.md').resolve()} is no CSV, NDJSON, Parquet or Excel file, by its ending"
    ]
    assert any(weak.startswith("1 of ") and "no time zone" in weak for weak in status["weaknesses"])
    assert {"taken", "unused"}.isdisjoint(ingestion_of(client, "./data/store_status.csv"))
