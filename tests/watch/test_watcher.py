"""The watcher when what it lives on fails: a lake that is not there, a clock that was set back."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, update

import storemon
from storemon.errors import EmptyLakeError, InputError, RecordsError
from storemon.records.opening import opened_records
from storemon.records.tables import LOOKS
from storemon.settings import Settings
from storemon.units.instants import microseconds
from storemon.watch.alerts.kept import Alerts
from storemon.watch.book import Book
from storemon.watch.outbox import Outbox
from storemon.watch.watcher import Watcher
from tests.service.waiting import until
from tests.watch.receiving import Hook

RULES = """
[channels.am]
to = "alertmanager+{url}"
[[rules]]
name = "silent"
when = "silent for 15m"
channels = "am"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "polls.csv").write_text("store_id,status,timestamp_utc\na,active,2024-10-14 09:00:00 UTC\n")
    storemon.Lake(tmp_path / "parquet").ingest(tmp_path / "polls.csv")
    return Settings.load(lake=str(tmp_path / "parquet"), reports=tmp_path / "reports", rules=tmp_path / "rules.toml")


@pytest.fixture
def records(settings: Settings) -> Iterator[Engine]:
    records = opened_records(settings)
    yield records
    records.dispose()


@pytest.fixture
def watcher(settings: Settings, records: Engine, hook: Hook) -> Watcher:
    settings.rules.write_text(RULES.format(url=hook.url))
    return Watcher(settings, records, Book(settings, records), Outbox(records))


def test_a_lake_that_is_not_mounted_closes_no_alert(settings: Settings, records: Engine, watcher: Watcher) -> None:
    lake = Path(settings.lake)
    assert watcher.look() is not None
    (alert,) = Alerts(records).open()
    away = lake.rename(lake.with_name("away"))
    lake.mkdir()  # where it would be mounted
    with pytest.raises(EmptyLakeError, match="is it mounted"):
        watcher.look()
    lake.rmdir()
    away.rename(lake)
    looked = watcher.look()
    assert looked is not None
    assert (looked.fired, looked.resolved) == (0, 0)
    assert [each.id for each in Alerts(records).open()] == [alert.id]


def test_a_process_without_the_file_of_rules_closes_no_alert(
    settings: Settings, records: Engine, watcher: Watcher
) -> None:
    assert watcher.look() is not None
    settings.rules.unlink()
    other = Watcher(settings, records, Book(settings, records), Outbox(records))
    with pytest.raises(InputError, match="is not there, and alerts of rules that are nowhere else are open: silent"):
        other.look()
    assert len(Alerts(records).open()) == 1
    settings.rules.write_text("")
    assert other.look() is not None
    assert Alerts(records).open() == []


def test_a_clock_that_was_set_back_is_told(records: Engine, watcher: Watcher) -> None:
    assert watcher.look() is not None
    with records.connect() as connection:
        later = microseconds(datetime.now(UTC) + timedelta(hours=1))
        connection.execute(update(LOOKS).values(looked_at=later))
    with pytest.raises(RecordsError, match="a clock was set back"):
        watcher.look()


def test_who_cannot_look_lets_another_one_look(settings: Settings, records: Engine, watcher: Watcher) -> None:
    assert watcher.look() is not None  # so that an alert of the file's rule is open
    looks: list[str] = []
    lacking = replace(settings, rules=settings.rules.with_name("away.toml"))

    def watched(name: str, of: Settings) -> Watcher:
        return Watcher(of, records, Book(of, records), Outbox(records), looked=lambda _, __: looks.append(name))

    without, other = watched("without", lacking), watched("other", settings)
    without.start()
    try:
        time.sleep(1)  # it has taken the lease, and found that it can't look
        other.start()
        until(lambda: looks)
    finally:
        without.stop()
        other.stop()
    assert looks == ["other"]
