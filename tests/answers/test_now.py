"""What is true now, against the oracle, and where one instant makes the difference."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import EmptyLakeError, Frames
from storemon.answers.now import now
from tests.engine.asking import MICROSECOND, as_of_of, frames_of
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
POLICIES: st.SearchStrategy[truth.Policy] = st.sampled_from(("carry", "nearest"))


def open_at(case: Case, store_id: str, at: datetime) -> bool:
    """Whether the microsecond that begins then is service time: that of a window of it, asked for as of its end."""
    asked = vars(case) | {"as_of": at + MICROSECOND}
    return bool(truth.figures(**asked, windows={"now": (at, at + MICROSECOND)})[store_id]["now"].service_us)


@MANY
@given(exceptional_cases(), POLICIES)
def test_it_is_the_oracle_s(case: Case, policy: truth.Policy) -> None:
    at = as_of_of(case)
    if at is None:
        return
    told = now(frames_of(case), as_of=case.as_of, carry_limit=case.carry_limit, policy=policy)
    stores = {store_id for store_id, _, polled_at in case.polls if polled_at <= at}
    expected = [
        (
            store_id,
            truth.state_at([poll for poll in case.polls if poll[0] == store_id], at, at, case.carry_limit, policy),
            open_at(case, store_id, at),
        )
        for store_id in sorted(stores, key=str.encode)
    ]
    assert told.rows() == expected


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
    return now(Frames(**facts), as_of=at).drop("store_id").rows()


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
