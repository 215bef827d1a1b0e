import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from storemon.errors import RecordsError
from storemon.records.jobs import Jobs
from storemon.records.keys import Keys
from storemon.records.opening import FORMATS, VERSION_TABLE, format_of, opened_records
from storemon.records.tables import METADATA
from storemon.settings import Settings
from storemon.units.addresses import SQLITE
from tests.records.test_jobs import LEASE

BEFORE_FORMATS = """
CREATE TABLE jobs (
    id VARCHAR(36) NOT NULL, kind VARCHAR(9) NOT NULL, state VARCHAR(8) NOT NULL, parameters JSON NOT NULL, result JSON,
    reason TEXT, attempts INTEGER NOT NULL, owner VARCHAR(36), lease_ends_at BIGINT, queued_at BIGINT NOT NULL,
    started_at BIGINT, ended_at BIGINT, PRIMARY KEY (id)
);
CREATE INDEX jobs_by_state ON jobs (state, kind, queued_at);
INSERT INTO jobs
VALUES ('a', 'report', 'complete', '{"carry_limit_us": 1}', '{"stores": 3}', NULL, 1, 'us', 5, 1, 2, 3);
INSERT INTO jobs VALUES ('b', 'report', 'queued', '{"carry_limit_us": 1}', NULL, NULL, 0, NULL, NULL, 4, NULL, NULL);
"""
"""The tables of the first storemon of all, as SQLite described them, with two jobs."""


def test_the_migrations_lead_to_the_tables(records: Engine) -> None:
    with records.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
        assert format_of(connection) == FORMATS[-1]


def test_each_format_has_its_migration() -> None:
    files = sorted(Path("src/storemon/records/migrations/versions").glob("v*.py"))
    assert tuple(file.name[1:5] for file in files) == FORMATS


def test_jobs_of_the_first_storemon_of_all_stay(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "storemon.records")
    settings.reports.mkdir()
    if settings.database != SQLITE:
        driver = settings.database.replace("postgresql:", "postgresql+psycopg:")
        older = create_engine(driver)
        with older.begin() as connection:
            connection.execute(text(BEFORE_FORMATS.replace(":", "\\:")))
        older.dispose()
    else:
        with closing(sqlite3.connect(settings.reports / "storemon.db")) as connection:
            connection.executescript(BEFORE_FORMATS)
    for _ in range(2):
        records = opened_records(settings)
        jobs = Jobs(records, lease=LEASE, max_queued=10)
        complete, queued = jobs.get("report", "a"), jobs.get("report", "b")
        assert complete is not None
        assert (complete.result, complete.priority, complete.progress) == ({"stores": 3}, 0, None)
        assert queued is not None
        assert (queued.state, queued.parameters, queued.run_after) == ("queued", {"carry_limit_us": 1}, None)
        assert Keys(records).list() == []
        records.dispose()
    (told,) = caplog.messages
    assert told.endswith(f": the records were brought from format 0001 to {FORMATS[-1]}")
    records = opened_records(settings)
    job = Jobs(records, lease=LEASE, max_queued=10).claim("report", "us")
    assert job is not None
    assert job.id == "b"
    records.dispose()


def test_records_of_a_newer_storemon_are_refused(settings: Settings, records: Engine) -> None:
    with records.connect() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))
    with pytest.raises(RecordsError, match=f"the format 0999, and this storemon knows those up to {FORMATS[-1]}: upg"):
        opened_records(settings)


def test_reports_that_are_recorded_elsewhere_are_told(settings: Settings) -> None:
    opened_records(settings).dispose()
    without = Settings(reports=settings.reports)
    if settings.database == SQLITE:
        opened_records(without).dispose()
        return
    assert "secret" not in (settings.reports / "database.txt").read_text()
    with pytest.raises(RecordsError, match=r"are recorded in postgresql://storemon:\*\*\*@.*STOREMON_DATABASE"):
        opened_records(without)
    (settings.reports / "database.txt").unlink()
    opened_records(without).dispose()


def test_reports_that_are_recorded_beside_them_are_told(tmp_path: Path) -> None:
    opened_records(Settings(reports=tmp_path)).dispose()
    with pytest.raises(RecordsError, match=r"storemon\.db: the reports here are recorded in this file, not in postgr"):
        opened_records(Settings.load(reports=tmp_path, database="postgresql://nobody:secret@127.0.0.1:1/none"))


@pytest.mark.parametrize("address", ["postgresql://nobody:secret@127.0.0.1:1/none"])
def test_a_server_that_is_not_there(tmp_path: Path, address: str) -> None:
    with pytest.raises(RecordsError) as raised:
        opened_records(Settings.load(reports=tmp_path, database=address))
    assert str(raised.value).startswith("postgresql://nobody:***@127.0.0.1:1/none: the records of jobs and keys cannot")
    assert "refused" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(RecordsError, match="nothing can be kept here"):
        opened_records(Settings(reports=tmp_path / "reports"))
