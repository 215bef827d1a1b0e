"""The log of a table with many versions: how the newest is found, and what a vacuum leaves of it."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from storemon import Lake, LakeError
from storemon.lake.copying import copied
from storemon.lake.merging import merge_small
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables
from tests.conftest import Storemon
from tests.lake.contents import contents
from tests.lake.test_live import commit

FIRST = datetime(2024, 10, 1, tzinfo=UTC)
AT_ONCE = timedelta()
COMMITS = 90


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Give a lake of many commits, one a minute until now, as its log has it."""
    lake = tmp_path / "lake"
    for nth in range(COMMITS):
        commit(lake, [(f"s{nth % 7}", nth % 2 > 0, FIRST + timedelta(minutes=nth))])
        if nth % 3 == 0:
            merge_small(Tables(lake))
    newest = Tables(lake).open(POLLS).version
    for path in (lake / "polls").rglob("*"):
        os.utime(path, (time.time() - 86_400,) * 2)
    for version in range(newest + 1):
        os.utime(entry(lake, version), (time.time() - 60 * (newest - version) - 1,) * 2)
    return Lake(lake)


def entry(lake: Path, version: int) -> Path:
    return lake / "polls" / "_delta_log" / f"{version:020}.json"


def rows(lake: Lake, version: int) -> object:
    return Tables(lake.path).open(POLLS, version).read().sort("polled_at", "store_key", "store_id").rows()


def test_pinned_and_recent_versions_stay(lake: Lake) -> None:
    newest = Tables(lake.path).open(POLLS).version
    recent, pinned = newest - 30, [17, 45]
    needed = {version: rows(lake, version) for version in (*pinned, *range(recent, newest + 1))}
    before, copy = contents(lake.path), copied(str(lake.path), [{"polls": version} for version in pinned])
    keep, pins = timedelta(minutes=29, seconds=30), [{"polls": version} for version in pinned]
    would = lake.vacuum(keep, pins, dry_run=True)
    assert all(Path(path).exists() for path in would)
    assert sorted(lake.vacuum(keep, pins)) == sorted(would)
    assert not any(Path(path).exists() for path in would)
    assert sum("_delta_log" in path for path in would) > 20
    assert {version: rows(lake, version) for version in needed} == needed
    assert contents(lake.path) == before
    for gone in (25, 30, 50):
        with pytest.raises(LakeError, match=rf"there is no table 'polls' at version {gone}; a vacuum removes those"):
            Tables(lake.path).open(POLLS, gone)
    assert lake.vacuum(keep, pins) == []
    after = copied(str(lake.path), pins)
    assert after.gone == copy.gone == []
    data = {name for name in copy.files if "_delta_log" not in name}
    assert {name for name in after.files if "_delta_log" not in name} == data


def test_less_is_pinned_later(lake: Lake) -> None:
    newest = Tables(lake.path).open(POLLS).version
    was = rows(lake, newest)
    lake.vacuum(AT_ONCE, [{"polls": 17}, {"polls": 45}])
    log = entry(lake.path, 0).parent
    many = len(list(log.iterdir()))
    lake.vacuum(AT_ONCE, [{"polls": 45}])
    assert len(list(log.iterdir())) < many
    lake.vacuum(timedelta(days=1), [{"polls": 17}, {"polls": 45}])
    assert rows(lake, 45), "what is pinned and gone is no reason to fail"
    lake.vacuum(AT_ONCE)
    assert len(list(log.iterdir())) <= 22
    assert rows(lake, newest) == was
    commit(lake.path, [("late", True, FIRST + timedelta(hours=9))])
    assert Tables(lake.path).open(POLLS).version == newest + 1


def test_cut_off_at_any_entry(lake: Lake) -> None:
    newest, unlink, left = Tables(lake.path).open(POLLS).version, Path.unlink, 0
    was = rows(lake, newest), rows(lake, 45)

    def some(path: Path, *, missing_ok: bool = False) -> None:
        nonlocal left
        if left == 0:
            raise OSError("cut off")
        left -= 1
        unlink(path, missing_ok=missing_ok)

    cuts = 0
    with patch.object(Path, "unlink", some):
        while True:
            left = 13
            try:
                lake.vacuum(AT_ONCE, [{"polls": 45}])
                break
            except LakeError:
                cuts += 1
            assert (rows(lake, newest), rows(lake, 45)) == was
    assert cuts > 5
    assert (rows(lake, newest), rows(lake, 45)) == was


def test_the_command_counts(lake: Lake, storemon: Storemon, tmp_path: Path) -> None:
    where = ("vacuum", "--keep", "0", "--lake", lake.path, "--reports", tmp_path / "reports")
    gone = lake.vacuum(AT_ONCE, dry_run=True)
    entries = sum("_delta_log" in path for path in gone)
    what = f"{len(gone) - entries} files and {entries} entries of the log"
    assert storemon(*where).out.decode() == f"{what} would go; to remove them: storemon vacuum --yes\n"
    assert storemon(*where, "--yes").out.decode() == f"{what} removed\n"


def _stale(log: Path) -> None:
    (log / "_last_checkpoint").write_text('{"version":19,"size":3}')


@pytest.mark.parametrize(
    "spoil",
    [
        _stale,
        lambda log: (log / "_last_checkpoint").write_bytes(b"\xff no word of it"),
        lambda log: (log / "_last_checkpoint").write_text('{"version":12345678}'),
        lambda log: (log / "_last_checkpoint").unlink(),
    ],
    ids=["stale", "garbage", "of another table", "none"],
)
def test_the_newest_version_whatever_the_hint(lake: Lake, spoil: Callable[[Path], object]) -> None:
    newest = max(int(path.stem) for path in entry(lake.path, 0).parent.glob("*.json"))
    with patch("storemon.lake.tables.os.scandir", side_effect=AssertionError("it is found without a list")):
        assert Tables(lake.path).open(POLLS).version == newest
    spoil(entry(lake.path, 0).parent)
    assert Tables(lake.path).open(POLLS).version == newest
