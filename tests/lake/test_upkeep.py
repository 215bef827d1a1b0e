"""Compaction, pruning and vacuum: what they change, and all that they must not."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from storemon import Lake, LakeError, report
from storemon.lake.polls import read_roster
from storemon.lake.schemas import POLLS
from tests.conftest import Storemon
from tests.lake.contents import contents, files
from tests.lake.files import NOW, folder

DAYS = (10, 11, 12)
AT_ONCE = timedelta()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Give a lake of three days, each in three files."""
    lake = Lake(tmp_path / "lake")
    for day in DAYS:
        for hour in (1, 9, 17):
            rows = [f"{store},{'active' if hour < 17 else 'inactive'},2024-10-{day} {hour:02}:00:00" for store in "ab"]
            lake.ingest(folder(tmp_path / "data", polls=rows, hours=["a,0,09:00,17:00"]), now=NOW)
    return lake


def days_of(lake: Lake) -> list[int]:
    """Count the files of each day."""
    counts = lake.snapshot().opened[POLLS.name].files.drop_nulls("polled_on").group_by("polled_on").len()
    return counts.sort("polled_on")["len"].to_list()


def test_closed_days_become_one_file(lake: Lake) -> None:
    before, answer = contents(lake.path), report(lake)
    assert days_of(lake) == [3, 3, 3]
    done = lake.compact()
    assert (done.days, done.files, done.doubled) == (2, 6, 0)
    assert days_of(lake) == [1, 1, 3], "the newest day is not closed"
    assert contents(lake.path) == before
    assert report(lake).equals(answer)
    assert lake.compact().days == 0


def test_few_files_can_wait(lake: Lake) -> None:
    assert lake.compact(at_least=4).days == 0
    assert lake.compact(at_least=3).days == 2


def test_a_reader_goes_on_with_the_old_files_until_a_vacuum(lake: Lake) -> None:
    old = lake.snapshot()
    answer = report(old)
    lake.compact()
    assert lake.vacuum(timedelta(days=7)) == [], "they became unnecessary just now"
    assert report(lake.snapshot(old.versions)).equals(answer)
    kept = lake.vacuum(AT_ONCE, [old.versions])
    assert not [path for path in kept if "/polls/" in path], "a report names that version"
    assert report(lake.snapshot(old.versions)).equals(answer)
    would = lake.vacuum(AT_ONCE, dry_run=True)
    assert len(would) == 6
    assert all(Path(path).exists() for path in would)
    assert sorted(lake.vacuum(AT_ONCE)) == sorted(would)
    assert not any(Path(path).exists() for path in would)
    assert report(lake).equals(answer)
    with pytest.raises(LakeError, match="polls"):
        report(lake.snapshot(old.versions))


def test_what_a_killed_writer_left_goes_too(lake: Lake) -> None:
    stray = next(iter(files(lake.path, "polls"))).with_name("part-00000-stray.snappy.parquet")
    stray.write_bytes(b"half a file")
    assert lake.vacuum(timedelta(days=7)) == [], "it may be being written"
    assert [path for path in lake.vacuum(AT_ONCE) if "/latest_runs/" not in path] == [str(stray)]


def test_old_polls_go_and_the_roster_stays(lake: Lake) -> None:
    told = lake.prune(date(2024, 10, 12), dry_run=True)
    assert (told.days, told.polls, told.first, told.last) == (2, 12, date(2024, 10, 10), date(2024, 10, 11))
    assert days_of(lake) == [3, 3, 3]
    roster = read_roster(lake.snapshot().opened[POLLS.name])
    assert lake.prune(date(2024, 10, 12)) == told
    assert days_of(lake) == [3]
    assert read_roster(lake.snapshot().opened[POLLS.name]).equals(roster)
    assert lake.prune(date(2024, 10, 12)).days == 0


def test_an_empty_lake_has_nothing_to_keep_up(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "none")
    assert lake.compact().days == 0
    assert lake.prune(date(2024, 1, 1)).days == 0
    assert lake.vacuum(AT_ONCE) == []
    assert not lake.path.exists()


def test_the_commands_tell_first(storemon: Storemon, lake: Lake) -> None:
    where = ("--lake", lake.path)
    assert storemon("compact", *where).out == b"2 days merged, out of 6 files; 0 doubled polls dropped\n"
    told = storemon("prune", "--before", "2024-10-11", *where).out.decode()
    assert told.startswith("6 polls of 1 days, 2024-10-10 to 2024-10-10, ")
    assert told.endswith("would go; to let go of them: storemon prune --before 2024-10-11 --yes\n")
    assert days_of(lake) == [1, 1, 3]
    assert b"no longer in the lake" in storemon("prune", "--before", "2024-10-11", "--yes", *where).out
    assert days_of(lake) == [1, 3]
    assert storemon("prune", "--before", "2024-10-11", *where).out == b"there are no polls before 2024-10-11\n"
    assert storemon("vacuum", *where).out == b"0 files removed\n"
    assert (
        storemon("vacuum", "--keep", "0", *where).out == b"16 files would go; to remove them: storemon vacuum --yes\n"
    )
    assert storemon("vacuum", "--keep", "0", "--yes", *where).out == b"16 files removed\n"
    wrong = storemon("prune", "--before", "yesterday", *where)
    assert (wrong.status, wrong.err) == (2, "storemon: 'yesterday' is not a date; write it like 2024-01-01\n")
