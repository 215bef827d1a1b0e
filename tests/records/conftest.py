from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storemon.records.opening import opened_records
from storemon.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a service that keeps its records in each of the databases."""
    address = "sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    return Settings.load(reports=tmp_path / "reports", database=address)


@pytest.fixture
def records(settings: Settings) -> Iterator[Engine]:
    records = opened_records(settings)
    yield records
    records.dispose()
