"""Schedules that stores share: laid out once for all of them, whoever else asks meanwhile."""

from datetime import UTC, datetime, timedelta

import polars as pl

from storemon import Frames
from storemon.calendar.alike import schedules_of

START = datetime(2024, 10, 14, tzinfo=UTC)
HOURS = pl.DataFrame(
    {
        "store_id": ["a", "b", "c"],
        "dayOfWeek": [0, 0, 0],
        "start_time_local": ["09:00", "09:00", "10:00"],
        "end_time_local": ["17:00"] * 3,
    }
)
POLLS = {"store_id": ["a", "b", "c"], "status": ["active"] * 3, "timestamp_utc": [START] * 3}
STORES = pl.DataFrame({"store_key": [0, 1, 2], "store_id": ["a", "b", "c"], "zone": ["UTC"] * 3})


def test_equal_hours_are_one_schedule() -> None:
    schedules, stands_for = schedules_of(Frames(polls=POLLS, hours=HOURS), STORES)
    assert stands_for.to_list() == [0, 0, 2]
    assert schedules.stores["store_id"].to_list() == ["a", "c"]


class ClearedMeanwhile(dict[tuple[datetime, datetime], pl.DataFrame]):
    """What is kept, when another thread keeps something else at the next moment."""

    def __setitem__(self, key: tuple[datetime, datetime], value: pl.DataFrame) -> None:
        super().__setitem__(key, value)
        self.clear()


def test_what_another_thread_asks_for_at_the_same_time_does_not_matter() -> None:
    schedules, _ = schedules_of(Frames(polls=POLLS, hours=HOURS), STORES)
    expected = schedules.realised(START, START + timedelta(weeks=2))
    assert len(expected) == 4
    object.__setattr__(schedules, "_realised", ClearedMeanwhile())
    assert schedules.realised(START, START + timedelta(weeks=2)).equals(expected)


def test_what_was_laid_out_last_is_kept() -> None:
    schedules, _ = schedules_of(Frames(polls=POLLS, hours=HOURS), STORES)
    first = schedules.realised(START, START + timedelta(weeks=1))
    assert schedules.realised(START, START + timedelta(weeks=1)) is first
    assert len(schedules.realised(START, START + timedelta(weeks=3))) == 6
