"""What is true now, against the oracle, and where one instant makes the difference."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from storemon import EmptyLakeError, Frames
from storemon.answers.now import now
from tests.engine.asking import MICROSECOND

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)


def told(at: datetime, *polls: tuple[datetime, str]) -> list[tuple[str, bool]]:
    facts = {
        "polls": {
            "store_id": ["a"] * len(polls),
            "status": [status for _, status in polls],
            "timestamp_utc": [polled_at for polled_at, _ in polls],
        },
        "hours": pl.DataFrame(
            {"store_id": ["a"], "dayOfWeek": [0], "start_time_local": ["12:00"], "end_time_local": ["13:00"]}
        ),
        "zones": {"store_id": ["a"], "timezone_str": ["UTC"]},
    }
    return now(Frames(**facts), as_of=at).select("state", "is_open").rows()


def test_half_open() -> None:
    later, poll = AT + timedelta(hours=1), (AT, "active")
    assert told(AT, poll) == [("active", True)]
    assert told(later - MICROSECOND, poll) == [("active", True)]
    assert told(later, poll) == [("active", False)]
    assert told(AT + timedelta(days=7) - MICROSECOND, poll) == [("active", False)]
    assert told(AT + timedelta(days=7), poll) == [("unknown", True)]


def test_no_later_poll_counts() -> None:
    polls = ((AT, "active"), (AT, "inactive"), (AT + MICROSECOND, "active"))
    assert told(AT, *polls) == [("inactive", True)]
    assert told(AT + MICROSECOND, *polls) == [("active", True)]
    assert told(AT - MICROSECOND, *polls) == []


def test_nothing_to_tell() -> None:
    with pytest.raises(EmptyLakeError):
        now(Frames(polls={"store_id": [], "status": [], "timestamp_utc": []}))
