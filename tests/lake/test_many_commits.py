"""A lake that polls trickle into: each export is small, the commits are many, and the library tidies its log up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storemon import Lake, report
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables
from tests.lake.contents import contents, files, version
from tests.lake.files import NOW, folder

CHECKPOINT = 100  # the version at which the library writes one
EXPORTS = 12
FIRST = datetime(2024, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def trickled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Half of the exports come before the checkpoint, half after it."""
    lake = Lake(tmp_path_factory.mktemp("trickle") / "lake")
    for nth in range(EXPORTS):
        if nth == EXPORTS // 2:
            commit_nothing(lake, until=CHECKPOINT - 1)
        lake.ingest(folder(lake.path.parent / "data", polls=export(nth)), now=NOW)
    return lake


def commit_nothing(lake: Lake, *, until: int) -> None:
    tables = Tables(lake.path)
    while (polls := tables.open(POLLS)).version < until:
        tables.commit(polls, [])


def export(nth: int) -> list[str]:
    """One store every time, and one that is new; half of the time hours that are earlier than those before."""
    at = FIRST + timedelta(hours=7 * nth if nth % 2 else 200 - 7 * nth)
    return [f"{store},active,{at:%Y-%m-%d %H:%M:%S} UTC" for store in ("always", f"new {nth:03}")]


def test_nothing_is_lost_or_doubled(trickled: Lake) -> None:
    assert version(trickled.path, "polls") > CHECKPOINT
    assert (trickled.path / "polls" / "_delta_log" / "_last_checkpoint").exists()
    stored = contents(trickled.path)
    assert len(stored.polls) == 2 * EXPORTS
    assert {store for store, _, _ in stored.polls} == {"always", *(f"new {nth:03}" for nth in range(EXPORTS))}
    assert len(files(trickled.path, "polls")) == 2 * EXPORTS


def test_the_same_as_in_one_export(trickled: Lake, tmp_path: Path) -> None:
    at_once = Lake(tmp_path / "lake")
    at_once.ingest(folder(tmp_path / "data", polls=[poll for nth in range(EXPORTS) for poll in export(nth)]), now=NOW)
    assert contents(trickled.path) == contents(at_once.path)
    for as_of in (None, FIRST + timedelta(hours=60)):
        assert report(trickled, as_of=as_of).equals(report(at_once, as_of=as_of))


def test_earlier_versions_stay_readable(trickled: Lake) -> None:
    newest = version(trickled.path, "polls")
    for at, exports in ((0, 1), (3, 4), (CHECKPOINT - 1, 6), (newest - 1, EXPORTS - 1), (newest, EXPORTS)):
        snapshot = trickled.snapshot({"polls": at})
        assert len(snapshot.stores()) == exports + 1
        assert len(report(snapshot, as_of=NOW)) == exports + 1


def test_the_log_is_summed_up_after_a_commit_of_many_files(tmp_path: Path) -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    polls = [f"a,active,{first + timedelta(days=day):%F %T}" for day in range(1_001)]
    lake, few = Lake(tmp_path / "lake"), Lake(tmp_path / "few")
    lake.ingest(folder(tmp_path / "many", polls=polls), now=NOW)
    few.ingest(folder(tmp_path / "some", polls=polls[:99]), now=NOW)
    log = lake.path / "polls" / "_delta_log"
    assert (log / "_last_checkpoint").exists()
    assert not (few.path / "polls" / "_delta_log" / "_last_checkpoint").exists()
    whole = report(lake)
    (log / f"{0:020}.json").write_text("nobody reads this")
    assert report(Lake(tmp_path / "lake")).equals(whole)
