"""The facts gathered for a question: frames as the steps read them, and no more than is asked about."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from storemon import Frames, InputError
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import Facts, gather
from storemon.engine.question import ask
from storemon.units.instants import FIRST, LAST, microseconds
from tests.engine.steps import INPUTS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
FRAMES = Frames(
    polls={
        "store_id": ["b", "a", "a", "late", "a"],
        "status": ["active", "inactive", "active", "active", "active"],
        "timestamp_utc": [AT, AT - 20 * DAY, AT - HOUR, AT + HOUR, AT + 2 * HOUR],
    },
    hours={"store_id": ["a"] * 7, "day": range(7), "start_time_local": ["09:00"] * 7, "end_time_local": ["17:00"] * 7},
    zones={"store_id": ["a", "b"], "timezone_str": ["UTC", "Asia/Kathmandu"]},
    maintenance={
        "store_id": ["*"],
        "starts_at_utc": [AT - 2 * HOUR],
        "ends_at_utc": [AT - HOUR],
        "reason": ["why not"],
    },
    stores={"store_id": ["a", "b"], "region": ["West", "East"]},
)


def gathered(facts: Facts, name: str) -> list[tuple[Any, ...]]:
    frame: pl.DataFrame = getattr(facts, name)
    return frame.select(*INPUTS[name]).sort(pl.all()).rows()


def told(**asked: Any) -> Any:
    snapshot, question = ask(FRAMES, **({"as_of": AT} | asked))
    return gather(snapshot, question)


def test_what_is_gathered_is_what_the_steps_read() -> None:
    with told(windows=["1d"]) as facts:
        for name, columns in INPUTS.items():
            described = facts.con.sql(f"FROM {name}").pl() if "polls" in name else getattr(facts, name)
            assert {column: described.schema[column] for column in columns} == dict(columns), name
        assert {"starts_at", "until", "carry_us"} <= {*facts.params}


def test_stores_that_have_a_poll_by_then() -> None:
    with told(windows=["1d"]) as facts:
        columns = ["store_id", "zone", "first_polled_at", "first_active", "zone_key"]
        assert facts.stores.select(columns).rows() == [
            ("a", "UTC", microseconds(AT - 20 * DAY), False, 1),
            ("b", "Asia/Kathmandu", microseconds(AT), True, 0),
        ]
    with told(windows=["1d"], as_of=AT + HOUR) as facts:
        assert facts.stores["store_id"].to_list() == ["a", "b", "late"]
        assert facts.stores["zone"].to_list() == ["UTC", "Asia/Kathmandu", "America/Chicago"]
    with told(where={"region": "West"}) as facts:
        assert facts.stores["store_id"].to_list() == ["a"]


def test_open_and_excluded_intervals_within_the_horizon() -> None:
    at = microseconds(AT)
    hour = microseconds(AT) - microseconds(AT - HOUR)
    with told(windows=["4h"]) as facts:
        a, b = facts.stores["store_key"]
        # From 09:00; from 10:00 to 11:00 maintenance.
        assert gathered(facts, "open_intervals") == sorted(
            [
                *((a, at - 3 * hour, at - 2 * hour, 0), (a, at - hour, at, hour)),
                *((b, at - 4 * hour, at - 2 * hour, 0), (b, at - hour, at, 2 * hour)),
            ]
        )
        assert gathered(facts, "excluded_intervals") == sorted((key, at - 2 * hour, at - hour, 0) for key in (a, b))


@pytest.mark.parametrize(
    ("windows", "carry_limit", "starts_at", "until"),
    [
        (["1d", "2h"], "7d", AT - DAY, AT),
        (["2024-10-01"], "36h", datetime(2024, 9, 30, 18, 15, tzinfo=UTC), datetime(2024, 10, 3, 12, tzinfo=UTC)),
        (["2024-10-01"], "99999d", datetime(2024, 9, 30, 18, 15, tzinfo=UTC), AT),
        (["2024-12"], "7d", AT, AT),
        (["999999d"], "7d", FIRST, AT),
    ],
)
def test_the_horizon(windows: list[str], carry_limit: str, starts_at: datetime, until: datetime) -> None:
    with told(windows=windows, carry_limit=carry_limit) as facts:
        assert facts.params["starts_at"] == microseconds(starts_at)
        assert facts.params["until"] == microseconds(until)


def test_an_earlier_horizon_and_fewer_stores() -> None:
    snapshot, question = ask(FRAMES, as_of=AT, windows=["2024-10-01"])
    some = chosen_stores(snapshot, question)[1:]
    with gather(snapshot, question, since=AT - 30 * DAY, stores=some) as facts:
        assert facts.stores["store_id"].to_list() == ["b"]
        assert facts.params["starts_at"] == microseconds(AT - 30 * DAY)
        assert facts.windows.height == 1
        assert facts.params["until"] == microseconds(AT)
    with gather(snapshot, question, since=AT - HOUR) as facts:
        assert facts.params["starts_at"] == microseconds(datetime(2024, 9, 30, 18, 15, tzinfo=UTC))
    with gather(snapshot, question, to_as_of=True) as facts:
        assert facts.params["until"] == microseconds(AT)


def test_a_series_is_many_windows() -> None:
    with gather(*ask(FRAMES, as_of=AT, windows=["1d"])) as whole:
        assert whole.windows.height == 2
    snapshot, question = ask(FRAMES, as_of=AT, windows=["1d"])
    with gather(snapshot, type(question)(AT, question.windows, "day")) as parts:
        # Each zone has a midnight in it.
        assert parts.windows.height == 4
        assert {day.date() for day in parts.windows["bucket"]} == {date(2024, 10, 13), date(2024, 10, 14)}


@pytest.mark.parametrize("as_of", [FIRST, LAST])
def test_the_ends_of_time(as_of: datetime) -> None:
    with told(as_of=as_of, windows=["today", "last-month", "1h"], carry_limit="999999d") as facts:
        assert facts.stores.height == (3 if as_of == LAST else 0)
        assert facts.windows.height == 3 * facts.stores["zone"].n_unique()


def test_an_unknown_tag() -> None:
    snapshot, question = ask(FRAMES, where={"regoin": "West"})
    with (
        pytest.raises(InputError, match=r"there is no tag 'regoin'; did you mean region\?"),
        gather(snapshot, question),
    ):
        pass
