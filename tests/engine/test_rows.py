"""The rows of an answer: their names, their order, and tags that are called like columns."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from storemon import Frames, InputError, report
from storemon.engine.rows import side_by_side

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
HOUR, NO_TIME = timedelta(hours=1), timedelta()
INSIDE = ("row", "all", "0", "store_key", "service_us", "bucket", "part", "group", "hour")
"""Names of columns inside the engine, or that are a column's only in other answers."""
STORES = {
    # In order: two brands in the West, none of a region, and one that was never polled.
    "store_id": ["d", "b", "a", "z"],
    "region": ["West", "West", "", "North"],
    "brand": ["B", "A", "B", "C"],
    **{name: ["x", "x", "y", "z"] for name in (*INSIDE, "stores", "day")},
}
POLLS = {
    "store_id": ["a", "b", "c", "d"],
    "status": ["active", "inactive", "active", "active"],
    "timestamp_utc": [AT, AT, AT - 8 * HOUR, AT],
}


def told(**asked: Any) -> pl.DataFrame:
    defaults = {"windows": ["1h"], "measures": ["uptime"], "carry_limit": "1h"}
    return report(Frames(polls=POLLS, stores=STORES), **(defaults | asked))


def test_a_row_for_each_store_in_order() -> None:
    assert told().rows() == [("a", HOUR), ("b", NO_TIME), ("c", NO_TIME), ("d", HOUR)]


def test_a_row_for_each_group_in_order() -> None:
    grouped = told(group_by=["region", "brand"])
    assert grouped.columns == ["region", "brand", "stores", "uptime_last_1h"]
    assert grouped.rows() == [
        ("", "", 1, NO_TIME),
        ("", "B", 1, HOUR),
        ("West", "A", 1, NO_TIME),
        ("West", "B", 1, HOUR),
    ]
    assert told(group_by=["brand"]).rows() == [("", 1, NO_TIME), ("A", 1, NO_TIME), ("B", 2, 2 * HOUR)]


def test_no_tags_make_one_group() -> None:
    assert told(group_by=[]).rows() == [(4, 2 * HOUR)]
    assert told(group_by=(), every="day").rows() == [(4, AT.date(), 2 * HOUR)]


@pytest.mark.parametrize("every", [None, "day"])
@pytest.mark.parametrize("tag", INSIDE)
def test_a_tag_may_be_called_like_a_column_inside(tag: str, every: str | None) -> None:
    grouped = told(group_by=[tag], every=every)
    assert grouped.columns == [tag, "stores", *([every, "uptime"] if every else ["uptime_last_1h"])]
    assert [(row[0], row[1], row[-1]) for row in grouped.rows()] == [("", 1, NO_TIME), ("x", 2, HOUR), ("y", 1, HOUR)]
    assert told(where={tag: "x"})["store_id"].to_list() == ["b", "d"]


def test_a_tag_called_like_a_column_of_the_answer() -> None:
    for asked, name in (
        ({"group_by": ["stores"]}, "stores"),
        ({"group_by": ["stores"], "every": "day"}, "stores"),
        ({"group_by": ["day"], "every": "day"}, "day"),
    ):
        with pytest.raises(InputError, match=f"two columns are called '{name}'; give the window or the tag another"):
            told(**asked)
    assert told(group_by=["day"], every="month").columns == ["day", "stores", "month", "uptime"]


def test_a_window_called_like_another_s_past() -> None:
    windows = ["a=1h", "a_previous=2h"]
    assert told(windows=windows).columns == ["store_id", "uptime_a", "uptime_a_previous"]
    with pytest.raises(InputError, match="two columns are called 'uptime_a_previous'"):
        told(windows=windows, versus_previous=True)


def test_side_by_side() -> None:
    assert side_by_side([pl.Series("a", [1, 2]), pl.Series("b", [3, 4])]).rows() == [(1, 3), (2, 4)]
    with pytest.raises(InputError, match="two columns are called 'a'"):
        side_by_side([pl.Series("a", [1]), pl.Series("b", [3]), pl.Series("a", [1])])


@pytest.mark.parametrize("group_by", [None, ["region"], []])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"every": "day"},
        {"every": "hour", "windows": ["last-month"]},
        {"versus_previous": True, "windows": ["1h", "yesterday"]},
        {"measures": ["coverage", "availability", "excluded", "uptime_min", "uptime_max"], "target": "99.5"},
    ],
)
def test_no_store_matches(asked: dict[str, Any], group_by: list[str] | None) -> None:
    """The one store in the North was never polled."""
    matching, none = told(group_by=group_by, **asked), told(group_by=group_by, where={"region": "North"}, **asked)
    assert none.is_empty()
    assert not matching.is_empty()
    assert none.schema == matching.schema


def test_a_series_is_in_order() -> None:
    told_of = told(windows=["2d"], every="day", where={"region": "West"}, measures=["service"])
    days = [date(2024, 10, day) for day in (12, 13, 14)]
    # From 07:00 in Chicago to 07:00.
    assert told_of.rows() == [
        (store_id, day, hours * HOUR) for store_id in ("b", "d") for day, hours in zip(days, (17, 24, 7), strict=True)
    ]
    hourly = told(windows=["90m"], every="hour", measures=["service"], group_by=[])
    at = datetime(2024, 10, 14, 5)  # noqa: DTZ001 - on the wall
    assert hourly.rows() == [(4, at, 2 * HOUR), (4, at + HOUR, 4 * HOUR)]


def test_sums_too_long_to_tell() -> None:
    """150 stores, open for 2,024 years each."""
    stores = [f"{n}" for n in range(150)]
    many = Frames(polls={"store_id": stores, "status": ["active"] * 150, "timestamp_utc": [AT] * 150})
    asked: dict[str, Any] = {"windows": ["999999d"], "measures": ["coverage"], "carry_limit": "999999d"}
    assert report(many, **asked).height == 150
    assert report(many, **asked, group_by=[]).row(0)[1] == 100
    with pytest.raises(InputError, match="a sum of times is longer than 292,000 years"):
        report(many, **(asked | {"measures": ["service"]}), group_by=[])
