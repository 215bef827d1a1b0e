"""A lake that may not be read or written, and a disk that is full: a clear error, and the lake as it was."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from storemon import EmptyLakeError, Lake, LakeError, report
from tests.lake.contents import contents
from tests.lake.files import AT, NOW, folder
from tests.users import ordinary_user

MEGABYTE = 1_000_000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def stores(lake: Lake) -> set[str]:
    return {store for store, _, _ in contents(lake.path).polls}


def test_no_permission_to_write(open_folder: Path) -> None:
    first = folder(open_folder / "first", polls=[f"a,active,{AT}"], zones=["a,UTC"])
    more = folder(open_folder / "more", polls=[f"b,active,{AT}"])
    lake, another = Lake(open_folder / "lake"), Lake(open_folder / "another")
    lake.ingest(first, now=NOW)
    folders = [open_folder, *(path for path in open_folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    with ordinary_user():
        assert len(report(lake)) == 1
        assert [table.known for table in lake.ingest(first, now=NOW).tables] == [1, 1]
        for one in (lake, another):
            with pytest.raises(LakeError, match=r"'polls' cannot be written: .*[Pp]ermission denied"):
                one.ingest(more, now=NOW)
    for path in folders:
        path.chmod(0o755)
    assert stores(lake) == {"a"}
    assert not another.path.exists()
    lake.ingest(more, now=NOW)
    assert stores(lake) == {"a", "b"}


@pytest.mark.parametrize("closed", ["lake", "lake/polls", "lake/polls/_delta_log", "."])
def test_no_permission_to_read(open_folder: Path, closed: str) -> None:
    """It is not taken for a lake that is empty or not there."""
    data = folder(open_folder / "data", polls=[f"a,active,{AT}"])
    lake = Lake(open_folder / "closed" / "lake")
    lake.ingest(data, now=NOW)
    (open_folder / "closed" / closed).chmod(0)
    with ordinary_user():
        for use in (lambda: report(lake), lambda: lake.ingest(data, now=NOW)):
            with pytest.raises(LakeError, match="Permission denied") as error:
                use()
            assert not isinstance(error.value, EmptyLakeError)
            assert str(lake.path) in str(error.value)
    (open_folder / "closed" / closed).chmod(0o755)
    with ordinary_user():
        assert len(report(lake)) == 1


def test_too_little_space(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "first", polls=[f"a,active,{AT}"]), now=NOW)
    more = folder(tmp_path / "more", polls=[f"b,active,{AT}"])
    with patch.object(shutil, "disk_usage", return_value=Usage(MEGABYTE, 0, MEGABYTE)) as asked:
        for one in (lake, Lake(tmp_path / "new" / "lake")):
            with pytest.raises(LakeError, match=r"1 MB of disk space are free, 4 MB are needed to be safe; make room"):
                one.ingest(more, now=NOW)
    assert [call.args[0] for call in asked.call_args_list] == [lake.path, tmp_path]
    assert stores(lake) == {"a"}
    assert not (tmp_path / "new").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    where = tmp_path / "small disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("to mount a small disk takes root with CAP_SYS_ADMIN")
    yield where
    subprocess.run(["umount", "--lazy", where], check=True)


@pytest.mark.parametrize("left", [0, 10_000, 100_000])
def test_the_disk_runs_full_all_the_same(small_disk: Path, exports: tuple[Path, Path], left: int) -> None:
    """Whether nothing, a little or much of what is to come has room."""
    lake, ballast = Lake(small_disk / "lake"), small_disk / "ballast"
    earlier, later = exports
    with pytest.raises(LakeError, match="1 MB of disk space are free"):
        lake.ingest(earlier)
    with patch.object(shutil, "disk_usage", return_value=Usage(MEGABYTE**2, 0, MEGABYTE**2)):
        lake.ingest(earlier)
        before = contents(lake.path)
        status = os.statvfs(small_disk)
        ballast.write_bytes(bytes(status.f_bavail * status.f_frsize - left))
        with pytest.raises(LakeError, match="cannot be written"):
            lake.ingest(later)
        assert contents(lake.path).polls == before.polls
        assert {row for _, _, row, _ in contents(lake.path).rejected} <= {"cut off he"}
        assert set(report(lake)["store_id"]) == stores(lake)
        ballast.unlink()
        lake.ingest(later)
    assert len(contents(lake.path).polls) == 16_660
