"""Polls only accumulate: each is kept once, under the key of its store, in the file of its UTC day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from storemon import Lake, report
from tests.lake.conftest import EMPTY
from tests.lake.contents import contents, day_of, files, version
from tests.lake.files import NOW, folder

DAY = datetime(2024, 10, 3, tzinfo=UTC)


def at(hour: float, day: int = 3) -> datetime:
    return DAY.replace(day=day) + timedelta(hours=hour)


def poll(store: str, polled_at: datetime, status: str = "active") -> str:
    return f"{store},{status},{polled_at:%Y-%m-%d %H:%M:%S.%f} UTC"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def ingest(lake: Lake, *polls: str, now: datetime = NOW) -> tuple[int, int, int]:
    """Ingest polls alone; give how many were new, already there, and rejected."""
    (summary,) = lake.ingest(folder(lake.path.parent / "data", polls=polls), now=now).tables
    assert summary.table == "polls"
    assert summary.read == summary.added + summary.known + summary.rejected == len(polls)
    assert sum(summary.reasons.values()) == summary.rejected
    return summary.added, summary.known, summary.rejected


def polls_of(lake: Lake) -> frozenset[tuple[str, datetime, bool]]:
    return contents(lake.path).polls


def test_the_same_polls_again_add_nothing(lake: Lake) -> None:
    polls = [poll(store, at(hour)) for store in "ab" for hour in (0, 12, 23)]
    assert ingest(lake, *polls) == (6, 0, 0)
    before, version_before = polls_of(lake), version(lake.path, "polls")
    assert ingest(lake, *reversed(polls)) == (0, 6, 0)
    assert (polls_of(lake), version(lake.path, "polls")) == (before, version_before)


def test_an_overlapping_export_adds_what_is_new(lake: Lake) -> None:
    assert ingest(lake, poll("a", at(1)), poll("a", at(2)), poll("b", at(2))) == (3, 0, 0)
    later = (poll("a", at(3)), poll("c", at(2)), poll("a", at(2, day=4)))
    assert ingest(lake, poll("a", at(2)), *later, "bad") == (3, 1, 1)
    expected = {("a", at(1)), ("a", at(2)), ("a", at(3)), ("b", at(2)), ("c", at(2)), ("a", at(2, day=4))}
    assert {(store, polled_at) for store, polled_at, _ in polls_of(lake)} == expected


def test_one_instant_written_in_several_ways_is_one_poll(lake: Lake) -> None:
    assert ingest(lake, "a,active,2024-10-03T12:00:00Z", "a,Active,2024-10-03 12:00:00.000 UTC") == (1, 1, 0)
    assert ingest(lake, " a ,ACTIVE,2024-10-03T14:00:00+02:00", "a,active,2024-10-03 12:00:00") == (0, 2, 0)
    assert polls_of(lake) == {("a", at(12), True)}


def test_a_poll_that_disagrees_is_new(lake: Lake) -> None:
    assert ingest(lake, poll("a", at(9)), poll("a", at(10))) == (2, 0, 0)
    assert ingest(lake, poll("a", at(10), "inactive"), poll("a", at(10))) == (1, 1, 0)
    assert polls_of(lake) == {("a", at(9), True), ("a", at(10), True), ("a", at(10), False)}
    row = report(lake, as_of=at(11)).row(0, named=True)
    assert (row["uptime_last_hour"], row["downtime_last_hour"]) == (timedelta(), timedelta(hours=1))


def test_a_first_poll_that_disagrees_reaches_back_as_inactive(lake: Lake) -> None:
    ingest(lake, poll("a", at(10)))
    assert report(lake, as_of=at(10))["uptime_last_hour"].item() == timedelta(hours=1)
    ingest(lake, poll("a", at(10), "inactive"))
    assert report(lake, as_of=at(10))["downtime_last_hour"].item() == timedelta(hours=1)


def test_repeats_inside_a_file_count_once(lake: Lake) -> None:
    polls = [poll("a", at(9)), poll("a", at(9)), poll("a", at(9), "inactive"), poll("a", at(9)), poll("b", at(9))]
    assert ingest(lake, *polls) == (3, 2, 0)
    assert polls_of(lake) == {("a", at(9), True), ("a", at(9), False), ("b", at(9), True)}


def test_an_older_export_moves_the_first_poll_back(lake: Lake) -> None:
    """Before its first poll a store's state is that poll's, for as long as the carry limit."""
    ingest(lake, poll("a", at(0, day=12), "inactive"), poll("b", at(0, day=12)))
    week = report(lake, as_of=at(0, day=12), carry_limit=timedelta(days=2)).select("^.*_last_week$")
    assert week.row(0) == (timedelta(), timedelta(days=2), timedelta(days=5))
    ingest(lake, poll("a", at(0, day=9)), poll("a", at(0, day=8), "inactive"))
    moved = report(lake, as_of=at(0, day=12), carry_limit=timedelta(days=2)).select("store_id", "^.*_last_week$")
    # Down from the 6th to the 9th, up until the 11th, then unknown, as it is from the 5th to the 6th.
    assert moved.row(0) == ("a", timedelta(days=2), timedelta(days=3), timedelta(days=2))
    assert moved.row(1)[1:] == (timedelta(days=2), timedelta(), timedelta(days=5))
    stores = lake.snapshot().stores()
    assert dict(stores.select("store_id", "polled_at").rows()) == {"a": at(0, day=8), "b": at(0, day=12)}


def test_stores_keep_their_keys(lake: Lake) -> None:
    ingest(lake, poll("m", at(10)), poll("z", at(10)))
    before = dict(lake.snapshot().stores().select("store_id", "store_key").rows())
    ingest(lake, poll("a", at(9)), poll("m", at(8)), poll("q", at(10)))
    ingest(lake, poll("z", at(7)), poll("0", at(9)))
    after = dict(lake.snapshot().stores().select("store_id", "store_key").rows())
    assert {store: after[store] for store in before} == before
    assert sorted(after.values()) == list(range(5))
    assert polls_of(lake) >= {("m", at(8), True), ("z", at(10), True), ("0", at(9), True)}


def test_polls_lie_in_days_the_decisive_apart_sorted_by_store_and_instant(lake: Lake) -> None:
    hours = [(hour * 7) % 72 for hour in range(72)]
    ingest(lake, *(poll(store, at(hour)) for hour in hours for store in "cab"))
    days = [path for path in files(lake.path, "polls") if day_of(path)]
    assert sorted(map(day_of, days), key=str) == [date(2024, 10, day) for day in (3, 4, 5) for _ in range(2)]
    lengths = set()
    for path in days:
        polls = pl.read_parquet(path, hive_partitioning=False).select("store_key", "polled_at")
        lengths.add((path.parent.name, len(polls)))
        assert polls.rows() == sorted(polls.rows())
    assert lengths == {("decisive=true", 6), ("decisive=false", 66)}
    assert len(polls_of(lake)) == 216


def test_the_days_are_those_of_utc(lake: Lake) -> None:
    ends = ("2024-10-04T01:30:00+02:00", "2024-10-02T23:00:00-05:00", "0001-01-01 00:00:00")
    ingest(lake, *(f"a,active,{text}" for text in ends))
    assert {str(day_of(path)) for path in files(lake.path, "polls")} == {"0001-01-01", "2024-10-03", "None"}
    assert polls_of(lake) == {("a", at(23.5), True), ("a", at(4), True), ("a", datetime(1, 1, 1, tzinfo=UTC), True)}
    assert report(lake)["store_id"].to_list() == ["a"]


def test_a_wild_clock_moves_no_report(lake: Lake) -> None:
    now = at(0, day=10)
    ahead = now + timedelta(days=1)
    polls = (poll("a", at(0, day=9)), poll("b", ahead), poll("c", ahead + timedelta(microseconds=1)))
    assert ingest(lake, *polls, now=now) == (2, 0, 1)
    assert lake.snapshot().newest_poll() == ahead
    assert report(lake)["store_id"].to_list() == ["a", "b"]
    assert ingest(lake, *polls, now=now + timedelta(microseconds=1)) == (1, 2, 0)


def test_the_wall_clock_is_this_machine_s_by_default(lake: Lake) -> None:
    def written(days: int) -> str:
        return poll("a", datetime.now(UTC) + timedelta(days=days))

    (summary,) = lake.ingest(folder(lake.path.parent / "data", polls=[written(-1), written(2)])).tables
    assert (summary.added, summary.rejected) == (1, 1)


def test_no_polls_at_all(lake: Lake) -> None:
    assert ingest(lake) == (0, 0, 0)
    assert contents(lake.path) == EMPTY
    assert ingest(lake, poll("a", at(1))) == (1, 0, 0)
    assert ingest(lake) == (0, 0, 0)
    assert polls_of(lake) == {("a", at(1), True)}
