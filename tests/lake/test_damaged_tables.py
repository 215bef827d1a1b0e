"""A table whose log or files are damaged: an error that says which, never a report of half the facts."""

import shutil
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path

import pytest

from storemon import EmptyLakeError, Lake, LakeError, report
from storemon.lake.tables import _opened
from tests.lake.contents import contents, files
from tests.lake.files import AT, NOW, folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("sound")
    data = folder(where / "data", polls=[f"a,active,{AT}"], hours=["a,0,9:00,17:00"], zones=["a,UTC"])
    Lake(where / "lake").ingest(data, now=NOW)
    return where / "lake"


@pytest.fixture
def lake(sound: Path, tmp_path: Path) -> Lake:
    return Lake(shutil.copytree(sound, tmp_path / "lake"))


def spoil_log(text: str) -> Callable[[Path], object]:
    return lambda table: (table / "_delta_log" / f"{0:020}.json").write_text(text)


def replace_log(table: Path) -> None:
    shutil.rmtree(table / "_delta_log")
    (table / "_delta_log").write_text("")


def lose_files(table: Path) -> None:
    for path in files(table.parent, table.name):
        path.unlink()


def spoil_files(table: Path) -> None:
    for path in files(table.parent, table.name):
        path.write_bytes(b"PAR1" + b"?" * 100)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "something else in the log": spoil_log("something else\n"),
    "a log cut off": spoil_log('{"protocol":{"minReaderVersion":1,"minWr'),
    "nothing in the log": spoil_log(""),
    "a file in the log's place": replace_log,
    "lost files": lose_files,
    "spoilt files": spoil_files,
}


@pytest.mark.parametrize("table", ["polls", "hours", "zones"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_named(lake: Lake, tmp_path: Path, table: str, damage: str) -> None:
    more = folder(tmp_path / "more", polls=[f"b,active,{AT}"], hours=["b,0,9:00,17:00"], zones=["b,UTC"])
    DAMAGES[damage](lake.path / table)
    _opened.cache_clear()  # what this process has read, it does not read again
    for use in (lambda: report(lake), lambda: lake.ingest(more, now=NOW)):
        with pytest.raises(LakeError) as error:
            use()
        assert not isinstance(error.value, EmptyLakeError)
        assert str(lake.path) in str(error.value)
        assert table in str(error.value)
        assert str(error.value).isprintable(), "a colour, or the lines of a backtrace"


@pytest.mark.parametrize("table", ["special_hours", "maintenance", "tags"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_exceptions_and_tags_are_named_too(lake: Lake, tmp_path: Path, table: str, damage: str) -> None:
    special_hours, maintenance = ["a,2024-12-25,,"], [f"a,{AT},2025-01-01 00:00:00,"]
    given = {"special_hours": special_hours, "maintenance": maintenance, "stores": ["store_id,brand", "a,x"]}
    lake.ingest(folder(tmp_path / "more", polls=[f"b,active,{AT}"], **given), now=NOW)
    DAMAGES[damage](lake.path / table)
    read = methodcaller(table)
    for use in (lambda: read(lake.snapshot()), lambda: lake.ingest(tmp_path / "more", now=NOW)):
        with pytest.raises(LakeError) as error:
            use()
        assert str(lake.path / table) in str(error.value) or repr(table) in str(error.value)
        assert str(error.value).isprintable(), "a colour, or the lines of a backtrace"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1" + b"?" * 100)])
def test_polls_of_a_day_in_the_middle(lake: Lake, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    days = [f"a,active,2024-10-{day:02} 12:00:00 UTC" for day in range(1, 8)]
    lake.ingest(folder(tmp_path / "more", polls=days), now=NOW)
    (path,) = (path for path in files(lake.path, "polls") if path.parents[1].name == "polled_on=2024-10-05")
    damage(path)
    with pytest.raises(LakeError, match="polls"):
        report(lake)


def test_what_an_unfinished_commit_leaves_does_no_harm(lake: Lake, tmp_path: Path) -> None:
    before = contents(lake.path)
    for table in ("polls", "hours", "zones"):
        (lake.path / table / "part-00000-unfinished.snappy.parquet").write_bytes(b"PAR1")
        (lake.path / table / "_delta_log" / "_commit_unfinished.json.tmp").write_text('{"add":')
    (lake.path / "rejected").mkdir()
    assert contents(lake.path) == before
    assert len(report(lake)) == 1
    assert lake.rejected().is_empty()
    lake.ingest(folder(tmp_path / "more", polls=[f"b,active,{AT}", "bad"]), now=NOW)
    assert len(report(lake)) == 2
    assert len(lake.rejected()) == 1


def test_versions_that_are_not_there(lake: Lake) -> None:
    with pytest.raises(LakeError, match="polls"):
        lake.snapshot({"polls": 7})
    with pytest.raises(LakeError, match="there is no table 'polls' at version 0"):
        Lake(lake.path / "elsewhere").snapshot({"polls": 0})
