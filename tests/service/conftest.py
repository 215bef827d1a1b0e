from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.service.app import create_app
from storemon.settings import Settings
from tests.examples import DEEP

POLLS = """store_id,status,timestamp_utc
1,active,2024-10-14 20:00:00 UTC
1,inactive,2024-10-14 23:00:00 UTC
2,active,2024-10-14 23:30:00.5 UTC
2,active,2024-10-07 12:00:00 UTC
3,inactive,2024-10-01 00:00:00 UTC
"""
HOURS = """store_id,dayOfWeek,start_time_local,end_time_local
1,0,09:00:00,17:30:00
"""
ZONES = """store_id,timezone_str
1,America/New_York
"""
VERSIONS = {"polls": 0, "hours": 0, "zones": 0, "special_hours": -1, "maintenance": -1, "tags": -1, "rejected": -1}
"""Those of the tables once these CSVs have been loaded."""


def write_csvs(folder: Path, polls: str = POLLS) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "store_status.csv").write_text(polls)
    (folder / "menu_hours.csv").write_text(HOURS)
    (folder / "timezones.csv").write_text(ZONES)


@pytest.fixture(params=["sqlite", "postgresql"] if DEEP else ["sqlite"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a service keeps its records, and those that are started do too."""
    if request.param == "sqlite":
        return "sqlite"
    address: str = request.getfixturevalue("postgres").database()
    monkeypatch.setenv("STOREMON_DATABASE", address)
    return address


@pytest.fixture
def settings(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with folders of their own; ``data`` holds three CSVs, the lake is not there yet."""
    monkeypatch.chdir(tmp_path)
    write_csvs(Path("data"))
    folders = {"lake": "parquet", "data": Path("data"), "reports": Path("reports")}
    return Settings.load(**folders, database=database, lease=timedelta(seconds=2))


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake(settings.lake)
    lake.ingest(settings.data)
    return lake


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient[Litestar]]:
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def jobs(settings: Settings) -> Iterator[Jobs]:
    """The records of jobs, seen from outside the service."""
    records = opened_records(settings)
    yield Jobs(records, lease=settings.lease, max_queued=settings.max_queued)
    records.dispose()
