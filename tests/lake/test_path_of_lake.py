"""Where a lake may lie."""

from pathlib import Path

import pytest

from storemon import EmptyLakeError, Lake, LakeError, report
from tests.lake.conftest import EMPTY
from tests.lake.contents import contents
from tests.lake.files import AT, NOW, folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return folder(tmp_path / "data", polls=[f"a,active,{AT}"], hours=["a,0,9:00,17:00"], zones=["a,UTC"])


def test_a_lake_that_is_not_there_is_empty(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "nowhere")
    with pytest.raises(EmptyLakeError, match="storemon ingest"):
        report(lake)
    assert report(lake, as_of=NOW).is_empty()
    assert lake.rejected().is_empty()
    assert contents(lake.path) == EMPTY
    assert not lake.path.exists()


def test_it_is_made_with_all_folders_above(tmp_path: Path, data: Path) -> None:
    Lake(tmp_path / "far" / "away").ingest(data, now=NOW)
    assert all(contents(tmp_path / "far" / "away")[:3])


@pytest.mark.parametrize("below", ["", "lake"])
def test_a_file_in_its_place(tmp_path: Path, data: Path, below: str) -> None:
    (tmp_path / "file").write_text("what was there")
    lake = Lake(tmp_path / "file" / below)
    for use in (lambda: lake.ingest(data, now=NOW), lambda: report(lake), lake.rejected):
        with pytest.raises(LakeError, match="Not a directory") as error:
            use()
        assert not isinstance(error.value, EmptyLakeError)
        assert str(lake.path) in str(error.value)
    assert (tmp_path / "file").read_text() == "what was there"


@pytest.mark.parametrize("name", ["50%", "a%20b", "data[1]", "a*", "what?", "a^b", "a|b", "a\\b"])
def test_characters_that_it_cannot_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(LakeError, match=r"cannot contain '.+'; choose another folder"):
        Lake(tmp_path / name / "lake")


@pytest.mark.parametrize("name", ["with space", "größe", "a#b", "a+b&c=d", "it's", 'so "called"', "day=1", "a;b:c,{d}"])
def test_characters_that_it_can_have(tmp_path: Path, data: Path, name: str) -> None:
    lake = Lake(tmp_path / name / "lake")
    for added in (1, 0):
        assert [table.added for table in lake.ingest(data, now=NOW).tables] == [added] * 3
        assert report(lake)["store_id"].to_list() == ["a"]
    assert all(contents(lake.path)[:3])


def test_a_path_through_a_link(tmp_path: Path, data: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    lake = Lake(tmp_path / "link" / ".." / "lake")
    for added in (1, 0):
        assert [table.added for table in lake.ingest(data, now=NOW).tables] == [added] * 3
        assert len(report(lake)) == 1
    assert contents(tmp_path / "far" / "lake").polls


def test_a_relative_path_stays_where_it_was(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("here")
    monkeypatch.chdir("/")
    lake.ingest(data, now=NOW)
    assert contents(tmp_path / "here").polls
