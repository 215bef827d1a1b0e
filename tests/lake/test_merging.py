"""Files that are merged while polls come in: by each ingestion by itself, beside readers and writers, killed or not."""

import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from deltalake.transaction import AddAction

from storemon import ConflictError, Lake, LakeError, report
from storemon.lake.polls import read_roster
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Opened, Tables
from storemon.lake.upkeep import AT_LEAST
from tests.conftest import Storemon, environment
from tests.lake.contents import contents, files
from tests.lake.files import NOW, csv
from tests.lake.files import POLLS as HEADER
from tests.lake.processes import go, start, told
from tests.lake.test_writers_at_once import interrupted

FIRST = datetime(2024, 10, 1, tzinfo=UTC)
STORES = [f"s{n}" for n in range(20)]


def hour(where: Path, nth: int, stores: list[str] = STORES) -> Path:
    """Write the polls of an hour: of all stores, and of one that is new."""
    at = FIRST + timedelta(hours=nth)
    rows = [f"{store},{'active' if nth % 5 else 'inactive'},{at:%F %T}" for store in (*stores, f"new {nth}")]
    return csv(where, HEADER, *rows, name=f"hour {nth}.csv")


def days_of(lake: Lake) -> list[int]:
    """Count the files of each day that were written on their own, the roster's before them."""
    written = lake.snapshot().opened[POLLS.name].files.filter(pl.col("decisive").fill_null(value=True))
    return written.group_by("polled_on").len().sort("polled_on")["len"].to_list()


@pytest.fixture(scope="module")
def unmerged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a lake of one closed day in many files and the beginning of the next; nothing has been merged."""
    where = tmp_path_factory.mktemp("unmerged")
    lake = Lake(where / "lake")
    with patch("storemon.intake.ingest.compact"):
        for nth in range(24 - AT_LEAST + 1, 25):
            lake.ingest(hour(where, nth), now=NOW)
    assert days_of(lake) == [AT_LEAST, AT_LEAST - 1, 1]
    return lake.path


@pytest.fixture
def hourly(unmerged: Path, tmp_path: Path) -> Lake:
    """Give such a lake to do with as one likes."""
    return Lake(shutil.copytree(unmerged, tmp_path / "lake"))


def test_hourly_ingestions_keep_the_lake_small(tmp_path: Path) -> None:
    lake, whole = Lake(tmp_path / "lake"), Lake(tmp_path / "whole")
    for nth in range(3 * 24):
        assert lake.ingest(hour(tmp_path, nth), now=NOW).unmerged == ""
    roster, *days = days_of(lake)
    assert roster <= AT_LEAST
    assert days == [1, 1, 24]
    rows = [row for nth in range(3 * 24) for row in (tmp_path / f"hour {nth}.csv").read_text().splitlines()[1:]]
    whole.ingest(csv(tmp_path, HEADER, *rows), now=NOW)
    assert contents(lake.path) == contents(whole.path)
    assert report(lake).equals(report(whole))


def test_one_day_at_a_time(hourly: Lake, tmp_path: Path) -> None:
    """The work that an ingestion does on the side is bounded, however much there is."""
    for nth in range(100, 148):
        with patch("storemon.intake.ingest.compact"):
            hourly.ingest(hour(tmp_path, nth), now=NOW)
    before = days_of(hourly)[1:]
    assert sum(count >= AT_LEAST for count in before[:-1]) > 1
    hourly.ingest(hour(tmp_path, 200), now=NOW)
    assert sum(count >= AT_LEAST for count in days_of(hourly)[1:-1]) == sum(n >= AT_LEAST for n in before) - 1


@pytest.mark.parametrize("error", [LakeError("a file is damaged"), ConflictError("others were faster")])
def test_what_was_added_stays_where_merging_fails(hourly: Lake, tmp_path: Path, error: LakeError) -> None:
    with patch("storemon.intake.ingest.compact", side_effect=error):
        ingestion = hourly.ingest(hour(tmp_path, 25), now=NOW)
    assert ingestion.unmerged == str(error)
    assert ingestion.tables[0].added == len(STORES) + 1
    assert len(contents(hourly.path).polls) == (AT_LEAST + 1) * (len(STORES) + 1)


def test_a_lost_file_of_an_old_day_is_told_and_stops_no_ingestion(
    hourly: Lake, tmp_path: Path, storemon: Storemon
) -> None:
    lost = next(path for path in files(hourly.path, "polls") if path.parents[1].name == "polled_on=2024-10-01")
    lost.unlink()
    done = storemon("ingest", hour(tmp_path, 0), "--lake", hourly.path)
    assert b"21 added" in done.out
    assert b"small files could not be merged: " in done.out
    assert b"a file of the table is lost or damaged" in done.out


def test_a_reader_goes_on(hourly: Lake, tmp_path: Path) -> None:
    old = hourly.snapshot()
    stores = len(old.stores())
    hourly.ingest(hour(tmp_path, 0), now=NOW)
    assert days_of(hourly)[1:] == [1, 1]
    assert len(report(old)) == stores
    assert report(old).equals(report(hourly.snapshot(old.versions)))


def test_the_roster_is_merged_too(hourly: Lake, tmp_path: Path) -> None:
    hourly.ingest(hour(tmp_path, -50), now=NOW)
    before = read_roster(hourly.snapshot().opened[POLLS.name])
    hourly.compact()
    assert days_of(hourly)[0] == 1
    assert read_roster(hourly.snapshot().opened[POLLS.name]).equals(before)


def test_another_writer_adds_to_the_day_in_between(hourly: Lake, tmp_path: Path) -> None:
    """What was merged is committed all the same: the old files still say what they said."""
    before = contents(hourly.path).polls
    commit, waiting = Tables.commit, [hour(tmp_path, 3)]

    def late(tables: Tables, read: Opened, files: list[AddAction], **instead: Any) -> None:
        if waiting and any("2024-10-01" in file.path for file in files):
            with patch("storemon.intake.ingest.compact"):
                hourly.ingest(waiting.pop(), now=NOW)
        commit(tables, read, files, **instead)

    with patch.object(Tables, "commit", late):
        done = hourly.compact()
    assert (done.days, done.doubled) == (1, 0)
    assert len(contents(hourly.path).polls) == len(before) + len(STORES) + 1
    assert days_of(hourly)[1] == 2


def test_another_process_merges_in_between(hourly: Lake) -> None:
    before = contents(hourly.path)
    with interrupted("polls", hourly.compact):
        hourly.compact()
    assert contents(hourly.path) == before
    assert days_of(hourly) == [1, 1, 1]


def test_real_processes(tmp_path: Path) -> None:
    """Two write hours into the same closed days while a third merges these again and again."""
    lake, whole = Lake(tmp_path / "lake"), Lake(tmp_path / "whole")
    last = hour(tmp_path, 100)
    hours = [[hour(tmp_path, nth, STORES[part::2]) for nth in range(part, 30, 2)] for part in range(2)]
    for one in (lake, whole):
        one.ingest(last, now=NOW)
    writers = [start(lake.path, exports) for exports in hours]
    go(writers)
    merged = 0
    while any(writer.poll() is None for writer in writers):
        merged += lake.compact().days
    assert merged > 1
    added = [summary["polls"][1] for writer in writers for summary in told(writer)]
    assert added == [11] * 30
    for export in (path for exports in hours for path in exports):
        whole.ingest(export, now=NOW)
    assert contents(lake.path) == contents(whole.path)
    lake.compact()
    assert days_of(lake) == [1, 1, 1, 1]


DYING = """
import os, signal, sys
from storemon import Lake
from storemon.lake.tables import Opened, Tables

moment, nth, lake = sys.argv[1], int(sys.argv[2]), sys.argv[3]
calls = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dying(method, here):
    def call(*given, **options):
        global calls
        calls += here
        if here and moment == "before" and calls == nth:
            die()
        result = method(*given, **options)
        if here and moment == "after" and calls == nth:
            die()
        if not here and moment == "written" and calls == nth - 1:
            die()
        return result
    return call

Tables.commit, Tables.write = dying(Tables.commit, 1), dying(Tables.write, 0)
Lake(lake).compact()
"""


@pytest.mark.parametrize("moment", ["written", "before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_dies_beside_a_commit(hourly: Lake, moment: str, nth: int) -> None:
    before, answer = contents(hourly.path), report(hourly)
    died = subprocess.run(
        [sys.executable, "-c", DYING, moment, str(nth), str(hourly.path)], env=environment(), check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    assert contents(hourly.path) == before
    assert report(hourly).equals(answer)
    hourly.compact()
    assert days_of(hourly) == [1, 1, 1]
    assert contents(hourly.path) == before
    hourly.vacuum(timedelta())
    assert {*(hourly.path / "polls").rglob("*.parquet")} == {*files(hourly.path, "polls")}


def test_killed_at_any_moment(hourly: Lake) -> None:
    before = contents(hourly.path)
    command = [sys.executable, "-m", "storemon", "compact", "--lake", str(hourly.path)]
    for nth in range(8):
        with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) as process:
            time.sleep(0.3 + 0.1 * nth)
            process.kill()
        assert contents(hourly.path) == before
    hourly.compact()
    assert contents(hourly.path) == before
    assert days_of(hourly) == [1, 1, 1]
