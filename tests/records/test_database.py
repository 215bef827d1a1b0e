import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from storemon.records.database import _prepare, alone, now
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.records.tables import JOBS
from storemon.settings import Settings
from tests.postgres import Postgres
from tests.records.test_jobs import LEASE


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "storemon.db"


def opened(database: Path) -> Engine:
    return opened_records(Settings(reports=database.parent))


def test_records_are_on_disk_and_stay(database: Path) -> None:
    records = opened(database)
    job_id = Jobs(records, lease=LEASE, max_queued=3).add("report", {})
    with closing(sqlite3.connect(database)) as other:
        assert other.execute("SELECT state FROM jobs WHERE id = ?", [job_id]).fetchall() == [("queued",)]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    records.dispose()


def test_new_records_wait_for_another_who_makes_them(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(opened, database)
        time.sleep(0.3)
        assert not opening.done()
        other.execute("COMMIT")
        opening.result().dispose()


def test_new_records_do_not_wait_for_ever(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.records.database.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(database, isolation_level=None)) as other, closing(sqlite3.connect(database)) as late:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _prepare(late, None)


def test_the_clock_is_that_of_the_database(records: Engine) -> None:
    with records.connect() as connection:
        told = [connection.scalar(select(now())) or 0 for _ in range(2)]
    assert told[0] < told[1]
    assert abs(told[1] - time.time_ns() // 1000) < 60_000_000


def test_what_stands_alone_happens_as_a_whole_or_not_at_all(records: Engine) -> None:
    row = {"kind": "report", "state": "queued", "parameters": {}, "attempts": 0, "queued_at": 1}

    def count() -> int:
        with records.connect() as connection:
            return len(connection.execute(select(JOBS)).all())

    def fail() -> None:
        with alone(records, "test") as connection:
            connection.execute(JOBS.insert().values(id="a", **row))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count() == 0
    with alone(records, "test") as connection:
        connection.execute(JOBS.insert().values(id="a", **row))
    assert count() == 1


def test_one_after_the_other_where_each_stands_alone(records: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_one(records), range(40)))
    with records.connect() as connection:
        assert connection.execute(select(JOBS.c.attempts)).scalars().all() == [40]


def add_one(records: Engine) -> None:
    with alone(records, "test") as connection:
        known = connection.scalar(select(JOBS.c.attempts))
        if known is None:
            row = {"kind": "report", "state": "queued", "parameters": {}, "attempts": 1, "queued_at": 1}
            connection.execute(JOBS.insert().values(id="a", **row))
        else:
            connection.execute(JOBS.update().values(attempts=known + 1))


def test_a_server_that_was_killed_and_is_back(postgres: Postgres, tmp_path: Path) -> None:
    records = opened_records(Settings.load(reports=tmp_path, database=postgres.database()))
    jobs = Jobs(records, lease=LEASE, max_queued=3)
    job_id = jobs.add("report", {})
    postgres.kill()
    try:
        with pytest.raises(SQLAlchemyError):
            jobs.get("report", job_id)
    finally:
        postgres.start()
    job = jobs.get("report", job_id)
    assert job is not None
    assert job.state == "queued"
    records.dispose()
