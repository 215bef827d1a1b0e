import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import structlog
from sqlalchemy import Engine

from storemon.arrivals.moving import Mover
from storemon.errors import LakeError
from storemon.intake.append import append_polls
from storemon.intake.lake import Lake
from storemon.lake.gathered import Gathered
from storemon.lake.schemas import POLLS as TABLE
from storemon.lake.tables import Tables
from storemon.records.inbox import POLLS, REJECTED, Batch, Inbox
from storemon.records.leases import Leases
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.service.waiting import until

AT = datetime(2024, 10, 3, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=str(tmp_path / "lake"), reports=tmp_path / "reports")


@pytest.fixture
def records(settings: Settings) -> Iterator[Engine]:
    records = opened_records(settings)
    yield records
    records.dispose()


@pytest.fixture
def inbox(records: Engine) -> Inbox:
    return Inbox(records, most=1 << 30)


@pytest.fixture
def mover(settings: Settings, inbox: Inbox, records: Engine) -> Mover:
    return Mover(settings, inbox, Leases(records))


def polls(*stores: str, at: datetime = AT) -> pl.DataFrame:
    return pl.DataFrame([(store, at, store != "down") for store in stores], schema=POLLS, orient="row")


def rejected(*lines: int, file: str = "kafka://polls/0", reason: str = "no status") -> pl.DataFrame:
    return pl.DataFrame([(file, line, "?", reason) for line in lines], schema=REJECTED, orient="row")


def in_lake(settings: Settings) -> list[tuple[str, datetime, bool]]:
    snapshot = Lake(settings.lake).snapshot()
    ids = dict(snapshot.stores().select("store_key", "store_id").rows())
    read = Tables(settings.lake).open(TABLE)
    rows = read.scan(read.files.drop_nulls("polled_on")["path"].to_list()).collect()
    return sorted((ids[key], at, up) for key, at, up in rows.select("store_key", "polled_at", "active").rows())


def test_all_that_waits_comes_in_by_one_commit_and_once(settings: Settings, inbox: Inbox, mover: Mover) -> None:
    inbox.put([Batch(polls("a", "down", at=AT + timedelta(days=n))) for n in range(3)])
    inbox.put([Batch(polls("a", "b"))])
    assert mover.move()
    expected = {(store, AT + timedelta(days=n), store != "down") for store in ("a", "down") for n in range(3)}
    assert in_lake(settings) == sorted(expected | {("b", AT, True)})
    assert Lake(settings.lake).snapshot().versions["polls"] == 0
    assert inbox.waiting().batches == 0
    assert not mover.move()


def test_what_was_committed_but_not_dropped_adds_nothing(
    settings: Settings, inbox: Inbox, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put([Batch(polls("a"), rejected(7, 8))])

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "drop", killed)
        with pytest.raises(KeyboardInterrupt):
            mover.move()
    assert inbox.waiting().batches == 1
    before = in_lake(settings), Lake(settings.lake).rejected()
    assert mover.move()
    assert (in_lake(settings), Lake(settings.lake).rejected().rows()) == (before[0], before[1].rows())
    assert inbox.waiting().batches == 0


def test_rejected_rows_stay_beside_those_from_before(settings: Settings, inbox: Inbox, mover: Mover) -> None:
    for lines in ((1, 2), (2, 3), (4,)):
        inbox.put([Batch(polls("a").clear(), rejected(*lines))])
        mover.move()
    inbox.put([Batch(polls("a").clear(), rejected(1, file="kafka://polls/1"))])
    mover.move()
    kept = Lake(settings.lake).rejected().select("file", "line", "row", "reason").sort("file", "line")
    expected = pl.concat([rejected(1, 2, 3, 4), rejected(1, file="kafka://polls/1")])
    assert kept.rows() == expected.rows()


def test_many_commits_of_rejected_rows_are_merged(settings: Settings, inbox: Inbox, mover: Mover) -> None:
    for line in range(40):
        inbox.put([Batch(polls("a").clear(), rejected(line))])
        mover.move()
    assert Lake(settings.lake).rejected()["line"].sort().to_list() == [*range(40)]
    assert len(Lake(settings.lake).snapshot().opened["rejected"].files) < 34


def test_a_lake_out_of_reach_keeps_them_waiting(
    settings: Settings, inbox: Inbox, mover: Mover, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.put([Batch(polls("a"))])
    Path(settings.lake).write_text("no folder")
    with pytest.raises(LakeError):
        mover.move()
    assert inbox.waiting().polls == 1
    mover.start()
    time.sleep(1.2)
    assert inbox.waiting().polls == 1
    assert not mover.has_ended()
    Path(settings.lake).unlink()
    until(lambda: not inbox.waiting().batches)
    mover.stop()
    assert in_lake(settings) == [("a", AT, True)]
    assert caplog is not None


def test_a_batch_that_nobody_can_move_is_put_aside(
    settings: Settings, inbox: Inbox, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_on_bad(tables: Tables, accepted: Gathered) -> int:
        pieces = [piece for day in accepted.groups() for piece in accepted.pieces(day)]
        if "bad" in pl.concat(pieces)["store_id"].cast(pl.String).to_list():
            raise pl.exceptions.ComputeError("what nobody foresaw")
        return append_polls(tables, accepted)

    monkeypatch.setattr("storemon.arrivals.moving.append_polls", fail_on_bad)
    for store in ("a", "bad", "c"):
        inbox.put([Batch(polls(store))])
    while mover.move():
        pass
    assert in_lake(settings) == [("a", AT, True), ("c", AT, True)]
    told = inbox.waiting()
    assert (told.batches, told.aside) == (0, 1)
    inbox.put([Batch(polls("d")), Batch(polls("e"))])
    assert mover.move()
    assert inbox.waiting().batches == 0


def test_one_of_two_moves_and_the_other_takes_over_at_once(settings: Settings, inbox: Inbox, records: Engine) -> None:
    counts = [0, 0]

    def count(n: int) -> Mover:
        def moved(polls: int, _: int) -> None:
            counts[n] += polls

        return Mover(settings, inbox, Leases(records), moved=moved)

    first, second = count(0), count(1)
    first.start()
    inbox.put([Batch(polls("a"))])
    until(lambda: counts == [1, 0])
    second.start()
    inbox.put([Batch(polls("b"))])
    first.stop()
    assert not first.has_ended()
    until(lambda: sum(counts) == 2 and not inbox.waiting().batches)
    inbox.put([Batch(polls("c"))])
    until(lambda: counts[1] >= 1 and not inbox.waiting().batches)
    second.stop()
    assert [store for store, _, _ in in_lake(settings)] == ["a", "b", "c"]


def test_no_lake_is_made_where_one_was(settings: Settings, inbox: Inbox, mover: Mover, tmp_path: Path) -> None:
    inbox.put([Batch(polls("a"))])
    mover.move()
    lake = Path(settings.lake)
    lake.rename(tmp_path / "away")
    inbox.put([Batch(polls("b"))])
    with pytest.raises(LakeError, match="the polls that were there are gone"):
        mover.move()
    assert not lake.exists()
    assert inbox.waiting().polls == 1
    (tmp_path / "away").rename(lake)
    mover.move()
    assert in_lake(settings) == [("a", AT, True), ("b", AT, True)]


def test_polls_ahead_of_the_clock_are_told(inbox: Inbox, mover: Mover) -> None:
    with structlog.testing.capture_logs() as logs:
        inbox.put([Batch(polls("a"))])
        mover.move()
        ahead = polls("b").with_columns(
            polled_at=pl.lit(datetime.now(UTC) + timedelta(hours=2)).cast(POLLS["polled_at"])
        )
        inbox.put([Batch(ahead)])
        mover.move()
    assert [(line["polls"], line["stores"]) for line in logs if line["event"] == "polls ahead of the clock"] == [
        (1, ["b"])
    ]
