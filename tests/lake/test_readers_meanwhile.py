"""Reports during ingestions: none fails, and each is made from one consistent snapshot."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from storemon import EmptyLakeError, Lake, report
from storemon.lake.schemas import Table
from storemon.lake.tables import Opened, Tables
from tests.lake.conftest import History
from tests.lake.files import NOW, folder
from tests.lake.processes import go, start, told

EXPORTS = 8
FIRST = datetime(2024, 10, 7, tzinfo=UTC)
TABLES = ("tags", "maintenance", "special_hours", "zones", "hours", "polls")
Versions = tuple[int, ...]


@pytest.fixture
def growing(tmp_path: Path) -> list[Path]:
    """Exports of which each has all stores of the one before and more, and all else in another way."""
    exports = []
    for nth in range(1, EXPORTS + 1):
        stores = [f"s{store}" for store in range(nth * 25)]
        instants = [FIRST + timedelta(hours=3 * step, minutes=nth) for step in range(nth)]
        polls = [f"{store},active,{at:%Y-%m-%d %H:%M:%S} UTC" for store in stores for at in instants]
        hours = [f"{store},{day},0{nth}:00,1{nth}:00" for store in stores for day in range(7)]
        zones = [f"{store},Etc/GMT+{nth}" for store in stores]
        others = {
            "special_hours": [f"*,2024-10-0{nth},,"],
            "maintenance": [f"*,2024-10-0{nth} 00:00:00,2024-10-10 00:00:00,"],
            "stores": ["store_id,nth", f"s0,{nth}"],
        }
        exports.append(folder(tmp_path / f"export {nth}", polls=polls, hours=hours, zones=zones, **others))
    return exports


def versions(named: Mapping[str, int]) -> Versions:
    return tuple(named[table] for table in TABLES)


def test_reports_while_exports_come_in(growing: list[Path], tmp_path: Path) -> None:
    lake, undisturbed = Lake(tmp_path / "lake"), Lake(tmp_path / "undisturbed")
    for export in growing:
        undisturbed.ingest(export)
    seen: dict[Versions, Any] = {}
    writer = start(lake.path, growing)
    go([writer])
    while writer.poll() is None or not seen:
        snapshot = lake.snapshot()
        try:
            seen[versions(snapshot.versions)] = report(snapshot)
        except EmptyLakeError:
            assert snapshot.versions["polls"] == -1
    assert len(told(writer)) == EXPORTS
    seen[versions(lake.snapshot().versions)] = report(lake)
    assert len(seen) > 2
    for at, frame in seen.items():
        # The tables are in the order of the commits: none lags behind one that is committed after it.
        assert list(at) == sorted(at, reverse=True)
        alone = report(undisturbed.snapshot(dict(zip(TABLES, at, strict=True))))
        assert frame.equals(alone), at
        assert len(frame) == 25 * (at[-1] + 1)


def test_a_snapshot_stays_what_it_is(history: History, tmp_path: Path) -> None:
    lake = Lake(history.lake_in(tmp_path))
    snapshot = lake.snapshot()
    before = report(snapshot, as_of=NOW)
    assert len(before) == len({store for store, _, _ in history.before.polls})
    lake.ingest(history.data)
    assert report(snapshot, as_of=NOW).equals(before)
    assert report(lake.snapshot(snapshot.versions), as_of=NOW).equals(before)
    assert not report(lake, as_of=NOW).equals(before)


def test_no_table_lags_behind_the_polls(growing: list[Path], tmp_path: Path) -> None:
    """Not even when whole ingestions pass between the openings of a snapshot's tables."""
    lake, opened, coming = Lake(tmp_path / "lake"), Tables.open, iter(growing)

    def slowly(tables: Tables, table: Table, version: int | None = None) -> Opened:
        found = opened(tables, table, version)
        with patch.object(Tables, "open", opened):
            lake.ingest(next(coming))
        return found

    lake.ingest(next(coming))
    with patch.object(Tables, "open", slowly):
        snapshot = lake.snapshot()
    at = versions(snapshot.versions)
    assert list(at) == [5, 4, 3, 2, 1, 0]
    assert len(report(snapshot)) == 25 * (at[-1] + 1)
