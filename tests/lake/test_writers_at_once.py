"""Several ingestions at once: no error, no poll lost, none doubled, one key for each store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from deltalake.transaction import AddAction

from storemon import ConflictError, Lake
from storemon.lake.tables import Opened, Tables
from tests.lake.conftest import LAKES
from tests.lake.contents import contents, version
from tests.lake.files import AT, NAMES, NOW, POLLS, ZONES, csv, folder
from tests.lake.processes import go, start, told


def overlapping(export: Path, where: Path, count: int) -> list[Path]:
    """Cut an export into as many parts, each of which has most of its neighbours' polls, too, and zones of its own."""
    header, *rows = (export / NAMES[POLLS]).read_text().splitlines()
    assert header == POLLS
    parts = []
    for nth in range(count):
        starts, ends = len(rows) * nth // (count + 1), len(rows) * (nth + 2) // (count + 1)
        parts.append(
            folder(where / f"part {nth}", polls=rows[starts:ends], zones=[f"s{n},UTC" for n in range(nth + 1)])
        )
        (parts[-1] / "menu_hours.csv").write_bytes((export / "menu_hours.csv").read_bytes())
    return parts


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("kind", LAKES)
def test_real_processes(exports: tuple[Path, Path], tmp_path: Path, count: int, kind: str) -> None:
    parts = overlapping(exports[1], tmp_path, count)
    whole, lake = Lake(tmp_path / "whole"), Lake(tmp_path / "lake")
    for one in (whole, lake) if kind == "existing" else ():
        one.ingest(exports[0])
    before = len(contents(lake.path).polls)
    for part in parts:
        whole.ingest(part)
    writers = [start(lake.path, [part]) for part in parts]
    go(writers)
    summaries = [summary for writer in writers for summary in told(writer)]
    stored, expected = contents(lake.path), contents(whole.path)
    assert stored.polls == expected.polls
    assert sum(summary["polls"][1] for summary in summaries) == len(expected.polls) - before
    assert stored.hours == expected.hours
    assert stored.zones in [frozenset((f"s{n}", "UTC") for n in range(nth + 1)) for nth in range(count)]
    assert stored.rejected == expected.rejected
    assert len(stored.rejected) == count + 1


def test_stores_of_all_writers_get_keys_of_their_own(tmp_path: Path) -> None:
    """All of the writers' stores are new, so every key is at stake."""
    parts = [folder(tmp_path / str(nth), polls=[f"{nth} {n},active,{AT}" for n in range(50)]) for nth in range(4)]
    writers = [start(tmp_path / "lake", [part]) for part in parts]
    go(writers)
    assert [summary["polls"] for writer in writers for summary in told(writer)] == [[50, 50, 0]] * 4
    stored = contents(tmp_path / "lake").polls
    assert {store for store, _, _ in stored} == {f"{nth} {n}" for nth in range(4) for n in range(50)}


def interrupted(table: str, by: Callable[[], object]) -> Any:
    """Patch the first commit to a table: somebody else does something just before it."""
    commit, waiting = Tables.commit, [by]

    def second(tables: Tables, read: Opened, files: list[AddAction], **instead: Any) -> None:
        if read.table.name == table and waiting:
            waiting.pop()()
        commit(tables, read, files, **instead)

    return patch.object(Tables, "commit", second)


@pytest.mark.parametrize("kind", LAKES)
def test_another_writer_adds_polls_in_between(tmp_path: Path, kind: str) -> None:
    lake = Lake(tmp_path / "lake")
    if kind == "existing":
        lake.ingest(csv(tmp_path, POLLS, f"0,active,{AT}"), now=NOW)
    mine = csv(tmp_path, POLLS, *(f"{store},active,{AT}" for store in "xbya"), name="mine.csv")
    theirs = csv(tmp_path, POLLS, *(f"{store},active,{AT}" for store in "abc"), "bad", name="theirs.csv")
    with interrupted("polls", lambda: lake.ingest(theirs, now=NOW)):
        (summary,) = lake.ingest(mine, now=NOW).tables
    assert (summary.added, summary.known) == (2, 2)
    assert {store for store, _, _ in contents(lake.path).polls} - {"0"} == set("abcxy")
    assert version(lake.path, "polls") == (2 if kind == "existing" else 1)


def test_another_writer_replaces_in_between(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    mine = csv(tmp_path, ZONES, "a,UTC", "b,UTC", name="mine.csv")
    theirs = csv(tmp_path, ZONES, "a,UTC", "c,UTC", name="theirs.csv")
    with interrupted("zones", lambda: lake.ingest(theirs, now=NOW)):
        (summary,) = lake.ingest(mine, now=NOW).tables
    assert (summary.added, summary.known) == (1, 1)
    assert contents(lake.path).zones == {("a", "UTC"), ("b", "UTC")}


def test_another_writer_rejects_in_between(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    path = csv(tmp_path, POLLS, f"a,active,{AT}", "bad", "worse")
    with interrupted("rejected", lambda: lake.ingest(path, now=NOW)):
        lake.ingest(path, now=NOW)
    assert {row for _, _, row, _ in contents(lake.path).rejected} == {"bad", "worse"}


def test_always_too_late(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    failing = patch.object(Tables, "commit", side_effect=ConflictError("somebody was faster"))
    with patch("storemon.lake.retrying.time.sleep") as slept, failing as commit, pytest.raises(ConflictError):
        lake.ingest(csv(tmp_path, POLLS, f"a,active,{AT}"), now=NOW)
    assert commit.call_count == 50
    assert sum(call.args[0] for call in slept.call_args_list) < 50
    assert version(lake.path, "polls") == -1
