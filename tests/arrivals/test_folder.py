"""Files that are dropped into a folder: each is ingested once, and lies in ``done`` or ``failed`` then."""

import os
import time
from pathlib import Path

import pytest

from tests.arrivals.listening import Listener, Polls, arrived, in_lake, listening, rejected_in, sent
from tests.examples import examples
from tests.lake.contents import contents
from tests.service.waiting import until

HEADER = "store_id,status,timestamp_utc\n"
URL = "folder://incoming?settle=1s"


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def as_csv(polls: Polls) -> str:
    rows = (f"{store},{'active' if active else 'inactive'},{at.isoformat()}\n" for store, at, active in sorted(polls))
    return HEADER + "".join(rows)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def drop(folder: Path, name: str, text: str) -> None:
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def ended(listener: Listener) -> bool:
    status = listener.stop()
    assert status == 0, (status, listener.log)
    return bool(listener.logged("stopped"))


def test_files_of_any_table_are_ingested_and_moved(tmp_path: Path, incoming: Path) -> None:
    with listening(tmp_path, URL) as listener:
        drop(incoming, "october.csv", as_csv(sent(50)))
        drop(incoming, "menu_hours.csv", "store_id,day,start_time_local,end_time_local\nstore-1,0,09:00,17:00\n")
        until(lambda: names(incoming / "done") == {"october.csv", "menu_hours.csv"})
        assert ended(listener)
    there = contents(tmp_path / "parquet")
    assert there.polls == sent(50)
    assert {store for store, *_ in there.hours} == {"store-1"}
    assert names(incoming) == {".taking", "done", "failed"}
    assert names(incoming / "failed") == names(incoming / ".taking") == set()


def test_what_is_not_complete_stays(tmp_path: Path, incoming: Path) -> None:
    whole = as_csv(sent(20))
    for name in (".hidden.csv", "polls.csv.part", "polls.csv.tmp"):
        (incoming / name).write_text(whole)
    with listening(tmp_path, "folder://incoming?settle=3s") as listener, (incoming / "slow.csv").open("w") as slow:
        listener.said("listening")
        for piece in (whole[:100], whole[100:150], whole[150:]):
            slow.write(piece)
            slow.flush()
            time.sleep(1.5)
        until(lambda: names(incoming / "done") == {"slow.csv"})
        assert ended(listener)
    assert in_lake(tmp_path) == sent(20)
    assert rejected_in(tmp_path) == set()
    assert names(incoming) == {".hidden.csv", "polls.csv.part", "polls.csv.tmp", ".taking", "done", "failed"}


def test_what_cannot_be_used_lies_beside_the_reason(tmp_path: Path, incoming: Path) -> None:
    with listening(tmp_path, URL) as listener:
        drop(incoming, "letter.csv", "dear,sir\n1,2\n")
        drop(incoming, "asleep.csv", HEADER + "1,asleep,2024-10-03T00:00:00Z\n")
        until(lambda: len(names(incoming / "failed")) == 4)
        assert ended(listener)
    failed = incoming / "failed"
    assert names(failed) == {"letter.csv", "letter.csv.reason.txt", "asleep.csv", "asleep.csv.reason.txt"}
    assert "letter.csv" in (failed / "letter.csv.reason.txt").read_text()
    assert ".taking" not in (failed / "letter.csv.reason.txt").read_text()
    assert "status is neither" in (failed / "asleep.csv.reason.txt").read_text()
    assert {file for file, *_ in rejected_in(tmp_path)} == {"asleep.csv"}


def test_names_that_are_not_utf_8_and_what_is_no_plain_file(tmp_path: Path, incoming: Path) -> None:
    (tmp_path / "secret.txt").write_text("nobody's business")
    (incoming / "link.csv").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(incoming / "pipe.csv")
    for name, text in ((b"good\xff.csv", as_csv(sent(5))), (b"bad\xfe.csv", "no,table\n")):
        Path(os.fsdecode(os.fsencode(incoming) + b"/" + name)).write_text(text)
    with listening(tmp_path, URL) as listener:
        until(lambda: names(incoming / "done") and names(incoming / "failed"))
        assert ended(listener)
    assert in_lake(tmp_path) == sent(5)
    assert names(incoming / "done") == {os.fsdecode(b"good\xff.csv")}
    assert {os.fsencode(name) for name in names(incoming / "failed")} == {b"bad\xfe.csv", b"bad\xfe.csv.reason.txt"}
    assert [line["file"] for line in sorted(listener.logged("passed over"), key=str)] == ["link.csv", "pipe.csv"]
    assert listener.logged("ingested")[0]["file"] == "good\\udcff.csv"


def test_a_folder_has_a_name(tmp_path: Path) -> None:
    with listening(tmp_path, "folder://") as listener:
        assert listener.process.wait(30) == 2
        assert "folder:// names no folder" in listener.log


def test_no_file_is_overwritten_and_each_keeps_its_rejected_rows(tmp_path: Path, incoming: Path) -> None:
    texts = [as_csv(sent(5, 5 * n)) + f"{n},asleep,2024-10-03T00:00:00Z\n" for n in range(3)]
    with listening(tmp_path, URL) as listener:
        for n, text in enumerate(texts):
            drop(incoming, "polls.csv", text)
            until(lambda: len(names(incoming / "done")) == n + 1)  # noqa: B023 - asked at once
        assert ended(listener)
    done = incoming / "done"
    assert [(done / name).read_text() for name in ("polls.csv", "polls-2.csv", "polls-3.csv")] == texts
    assert {(file, row[0]) for file, _, row, _ in rejected_in(tmp_path)} == {
        ("polls.csv", "0"),
        ("polls-2.csv", "1"),
        ("polls-3.csv", "2"),
    }


def test_the_oldest_goes_first(tmp_path: Path, incoming: Path) -> None:
    for age, name in enumerate(("b.csv", "c.csv", "a.csv")):
        drop(incoming, name, as_csv(sent(1, age)))
        os.utime(incoming / name, (1_700_000_000 - age, 1_700_000_000 - age))
    with listening(tmp_path, URL) as listener:
        until(lambda: len(listener.logged("ingested")) == 3)
        assert [line["file"] for line in listener.logged("ingested")] == ["a.csv", "c.csv", "b.csv"]


@pytest.mark.parametrize("n", range(examples(10)))
def test_one_is_killed_and_another_goes_on(tmp_path: Path, incoming: Path, n: int) -> None:
    for part in range(5):
        drop(incoming, f"part{part}.csv", as_csv(sent(2_000, 2_000 * part)))
    with listening(tmp_path, URL) as listener:
        listener.said("listening")
        time.sleep(1.0 + 1.5 * n / max(1, examples(10) - 1))
    with listening(tmp_path, URL) as one, listening(tmp_path, URL) as other:
        assert arrived(tmp_path, sent(10_000)), one.log + other.log
        until(lambda: names(incoming / "done") == {f"part{part}.csv" for part in range(5)})
        assert ended(one)
        assert ended(other)
    assert names(incoming / ".taking") == names(incoming / "failed") == set()


def test_a_lake_that_cannot_be_written_is_waited_for(tmp_path: Path, incoming: Path) -> None:
    (tmp_path / "parquet").write_text("in the way")
    drop(incoming, "polls.csv", as_csv(sent(3)))
    with listening(tmp_path, URL) as listener:
        listener.said("it has to be waited for")
        time.sleep(1.5)
        assert len(listener.logged("it has to be waited for")) == 1
        (tmp_path / "parquet").unlink()
        assert arrived(tmp_path, sent(3)), listener.log
        assert ended(listener)
