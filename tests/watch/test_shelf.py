from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storemon.errors import ChannelError
from storemon.lake.files import Files
from storemon.lake.place import place_of
from storemon.watch.channels.folder import Shelf
from storemon.watch.messages import Attached, Message
from tests.lake.object_storage import Storage, serving
from tests.users import ordinary_user
from tests.watch.told import message

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    pytest.importorskip("moto", reason="the server is not installed: moto[server]")
    with serving(tmp_path_factory.mktemp("storage") / "log") as storage, pytest.MonkeyPatch.context() as variables:
        for name, text in {
            "AWS_ENDPOINT_URL": storage.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            variables.setenv(name, text)
        yield storage


def answer(folder: Path, *names: str) -> Message:
    files = []
    for n, name in enumerate(names):
        (folder / f"{n}").write_bytes(b"PK" + name.encode())
        files.append(Attached(name, "application/octet-stream", str(folder / f"{n}")))
    return Message("5f0c9a1e-8f0b", "Last week", "All well", data={"kind": "answer"}, files=tuple(files))


def test_a_notice_is_a_text_called_by_its_id(tmp_path: Path) -> None:
    told = message("5f0c9a1e-8f0b")
    for _ in range(2):
        Shelf(place_of(tmp_path / "new" / "shelf")).send(told)
    (file,) = (tmp_path / "new" / "shelf").iterdir()
    assert file.name == "5f0c9a1e-8f0b.txt"
    assert file.read_text() == f"{told.title}\n\n{told.text}\n"


def test_files_are_called_by_their_name_and_the_day(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    Shelf(place_of(shelf)).send(answer(tmp_path, "sales week.xlsx", "../../etc/passwd"))
    found = {file.name: file.read_bytes() for file in shelf.iterdir()}
    assert found == {
        f"sales week-{TODAY}-5f0c9a1e.xlsx": b"PKsales week.xlsx",
        f"_.._etc_passwd-{TODAY}-5f0c9a1e": b"PK../../etc/passwd",
        f"sales week-{TODAY}-5f0c9a1e.txt": b"Last week\n\nAll well\n",
    }


def test_it_goes_into_object_storage_as_well(storage: Storage, tmp_path: Path) -> None:
    uri = storage.make("shelf")
    Shelf(place_of(uri)).send(answer(tmp_path, "week.xlsx"))
    assert set(storage.keys("shelf")) == {
        f"some/lake/week-{TODAY}-5f0c9a1e.xlsx",
        f"some/lake/week-{TODAY}-5f0c9a1e.txt",
    }
    assert b"".join(Files(place_of(uri)).pieces(f"week-{TODAY}-5f0c9a1e.xlsx")) == b"PKweek.xlsx"


@pytest.mark.usefixtures("storage")
def test_a_bucket_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="there is no such bucket") as failed:
        Shelf(place_of("s3://nobodys/path")).send(answer(tmp_path, "week.xlsx"))
    assert failed.value.again


def test_a_folder_that_may_not_be_written(open_folder: Path) -> None:
    (open_folder / "shelf").mkdir(mode=0o555)
    with ordinary_user(), pytest.raises(ChannelError, match="let this user write there") as failed:
        Shelf(place_of(open_folder / "shelf")).send(message())
    assert failed.value.again
    assert [*(open_folder / "shelf").iterdir()] == []


def test_a_file_that_is_gone_leaves_nothing_half_done(tmp_path: Path) -> None:
    told = answer(tmp_path, "week.xlsx")
    (tmp_path / "0").unlink()
    with pytest.raises(ChannelError, match=r"can't be read here: No such file"):
        Shelf(place_of(tmp_path / "shelf")).send(told)
    assert [*(tmp_path / "shelf").iterdir()] == []
