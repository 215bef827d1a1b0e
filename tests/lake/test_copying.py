"""A copy of a lake has the files of the versions that are asked for, and no others."""

import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from storemon import Lake
from storemon.lake.copying import copied, is_of_lake
from storemon.lake.schemas import HOURS, POLLS
from storemon.lake.tables import Tables
from tests.lake.files import NOW, folder

SIZED = ("path", "size")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose polls were added to, merged, let go of and added to again, and whose hours were replaced."""
    where = tmp_path_factory.mktemp("copied")
    lake = Lake(where / "lake")
    for nth in range(6):
        polls = [f"{store},active,2024-10-{day:02} 0{nth}:00:00 UTC" for store in "ab" for day in range(1, 5)]
        lake.ingest(folder(where / "data", polls=polls, hours=[f"a,0,9:00,1{nth}:00"]), now=NOW)
        if nth == 2:
            lake.compact()
        if nth == 4:
            lake.prune(date(2024, 10, 2))
    return lake


def data(name: str, files: Mapping[str, int]) -> set[str]:
    return {file for file in files if file.startswith(f"{name}/") and "/_delta_log/" not in file}


def test_it_has_the_files_of_the_versions_that_are_kept(lake: Lake) -> None:
    place, tables = str(lake.path), Tables(lake.path)
    newest = lake.snapshot().versions
    for table in (POLLS, HOURS):
        files = [
            {
                path.removeprefix(f"{place}/"): size
                for path, size in tables.open(table, version).files.select(*SIZED).rows()
            }
            for version in range(newest[table.name] + 1)
        ]
        assert len({tuple(each) for each in files}) > 4
        for kept in [(), *combinations(range(len(files) - 1), 1), *combinations(range(0, len(files) - 1, 3), 2)]:
            found = copied(place, [{table.name: version} for version in kept])
            expected = files[-1] | {name: size for version in kept for name, size in files[version].items()}
            assert {name: found.files[name] for name in data(table.name, found.files)} == expected
            assert not found.gone


def test_it_has_the_log_and_what_makes_a_table_comes_last(lake: Lake) -> None:
    names = list(copied(str(lake.path), []).files)
    logs = {str(path.relative_to(lake.path)) for path in lake.path.rglob("_delta_log/*.json")}
    logs = {name for name in logs if not name.startswith("latest_runs/")}  # which follow from the polls
    assert {name for name in names if "/_delta_log/" in name} == logs
    first = names.index(f"hours/_delta_log/{0:020}.json")
    assert names[first:] == [f"hours/_delta_log/{0:020}.json", f"polls/_delta_log/{0:020}.json"]
    assert all("_delta_log" not in name for name in names[: -len(logs)])
    commits = [name for name in names[-len(logs) : first] if name.startswith("polls/")]
    assert commits == sorted(commits, reverse=True)


def test_versions_that_nobody_has_are_told(lake: Lake) -> None:
    newest = lake.snapshot().versions["polls"]
    assert copied(str(lake.path), [{"polls": newest + 1}, {"tags": 3}]).gone == [
        "tags at version 3",
        f"polls at version {newest + 1}",
    ]
    assert not copied(str(lake.path), [{"polls": newest, "rejected": -1}]).gone


def test_files_that_a_vacuum_removed_are_told(lake: Lake, tmp_path: Path) -> None:
    other = Lake(shutil.copytree(lake.path, tmp_path / "other"))
    before = copied(str(other.path), [{"polls": 0}])
    removed = {path.removeprefix(f"{other.path}/") for path in other.vacuum(timedelta())}
    after = copied(str(other.path), [{"polls": 0}])
    assert removed
    assert {*after.gone} == removed & {*before.files}
    assert data("polls", after.files) == data("polls", before.files) - removed


def test_names_of_a_lake() -> None:
    assert is_of_lake("polls/polled_on=2024-10-14/decisive=true/a-b.parquet")
    assert is_of_lake("hours/part-00000-a.c000.snappy.parquet")
    for name in (
        "polls",
        "polls/",
        "/polls/a",
        "polls/../a",
        "polls/./a",
        "polls/.a",
        "other/a",
        "polls/a\n",
        "polls/a b",
    ):
        assert not is_of_lake(name)
