"""Two exports that overlap, and the lakes that they make."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from storemon import Lake
from storemon.sample import write_sample
from tests.lake.contents import Contents, contents
from tests.lake.files import folder

EMPTY = Contents(*(frozenset(),) * len(Contents._fields))
LAKES = ("new", "existing")


class History(NamedTuple):
    """A lake as it was, new or existing; the export to come, ``data``; what is stored before and after that."""

    data: Path
    lake: Path | None
    before: Contents
    after: Contents

    def lake_in(self, folder: Path) -> Path:
        """Make the lake as it was."""
        if self.lake:
            shutil.copytree(self.lake, folder / "lake")
        return folder / "lake"


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two exports of 200 stores over 10 days; the later has more of everything, and a row to reject in each file."""
    where = tmp_path_factory.mktemp("exports")
    write_sample(where / "later", stores=200, days=10)
    folder(
        where / "later",
        special_hours=[f"s{n},2024-10-{n % 9 + 1:02}," + ("10:00,16:00" if n % 3 else ",") for n in range(90)],
        maintenance=[f"s{n},2024-10-07 0{n % 9}:00:00 UTC,2024-10-08 00:00:00 UTC,works" for n in range(40)],
    )
    shutil.copytree(where / "later", where / "earlier")
    for path in (where / "earlier").iterdir():
        header, *rows = path.read_text().splitlines(keepends=True)
        path.write_text("".join([header, *rows[len(rows) // 3 :: 2]]))
        with (where / "later" / path.name).open("a") as later:
            later.write("cut off he")
    return where / "earlier", where / "later"


@pytest.fixture(scope="session", params=LAKES)
def history(
    request: pytest.FixtureRequest, exports: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> History:
    """What an ingestion that nobody disturbs makes of a lake."""
    folder = tmp_path_factory.mktemp(request.param)
    earlier, later = exports
    lake = Lake(folder / "lake")
    if request.param == "existing":
        lake.ingest(earlier)
        shutil.copytree(lake.path, folder / "as it was")
    before = contents(lake.path)
    lake.ingest(later)
    after = contents(lake.path)
    assert [len(table) for table in after] == [16_660, 1_918, 246, 6, 90, 40, 979]
    assert all(was < now for was, now in zip(before, after, strict=True))
    return History(later, folder / "as it was" if request.param == "existing" else None, before, after)
