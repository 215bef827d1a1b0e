"""Frames that cannot be used: an error that names the frame, and the column or the row; no row is left out silently."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pandas as pd
import polars as pl
import pytest

from storemon import Frames, InputError

Columns = Mapping[str, Sequence[object]]
AT = datetime(2024, 10, 3, 23, 33, 20)  # noqa: DTZ001 - naive ones are UTC
POLLS: Columns = {"store_id": ["a", "b"], "status": ["active", "inactive"], "timestamp_utc": [AT, AT]}
HOURS: Columns = {"store_id": ["a"], "dayOfWeek": [0], "start_time_local": ["9:00"], "end_time_local": [time(17)]}
ZONES: Columns = {"store_id": ["a"], "timezone_str": ["UTC"]}


def refused(says: str, **frames: Any) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        Frames(**{"polls": POLLS, **frames})


def test_the_others_are_fine() -> None:
    """So that what is refused below is refused for its one fault."""
    Frames(polls=POLLS, hours=HOURS, zones=ZONES)


@pytest.mark.parametrize(("which", "columns"), [("polls", POLLS), ("hours", HOURS), ("zones", ZONES)])
def test_missing_columns(which: str, columns: Columns) -> None:
    for name in columns:
        rest = {other: values for other, values in columns.items() if other != name}
        called = "dayOfWeek or day" if name == "dayOfWeek" else name
        refused(f"{which}: there is no column {called}; there are: {', '.join(rest)}", **{which: rest})
        refused(f"{which}: there is no column {called}", **{which: pl.DataFrame(rest)})


@pytest.mark.parametrize("ids", [[1.0, 2.0], [8_139_926_242_460_185_114.0, 7], [1.5, None]])
def test_floats_for_ids(ids: list[float]) -> None:
    floats = "polls: the column store_id holds floats, which lose the last digits; give text instead"
    refused(floats, polls={**POLLS, "store_id": ids})
    refused(floats, polls=pd.DataFrame({**POLLS, "store_id": ids}))
    refused(floats, polls=pl.DataFrame({**POLLS, "store_id": pl.Series(ids, dtype=pl.Float32)}))
    # What pandas makes of whole numbers among which one is missing.
    refused(floats, polls=pd.DataFrame({**POLLS, "store_id": [7, None]}))


@pytest.mark.parametrize(
    ("values", "row", "reason"),
    [
        ({"store_id": ["a", None]}, 1, "store_id is empty"),
        ({"store_id": ["  ", "a"]}, 0, "store_id is empty"),
        ({"status": ["active", "ok"]}, 1, "status is neither active nor inactive"),
        ({"status": [None, None]}, 0, "status is neither active nor inactive"),
        ({"timestamp_utc": [AT, None]}, 1, "timestamp_utc is not an instant"),
        ({"timestamp_utc": ["2024-10-03 23:33:20", "soon"]}, 1, "timestamp_utc is not an instant"),
        ({"timestamp_utc": [date(2024, 10, 3)] * 2}, 0, "timestamp_utc is not an instant"),
        ({"timestamp_utc": [1_727_998, 1_727_999]}, 0, "timestamp_utc is a number, but not Unix time"),
        ({"timestamp_utc": ["2024-10-03 23:33:20", "0000-01-01 00:00:00"]}, 1, "timestamp_utc is before the year 1"),
    ],
)
def test_a_bad_poll(values: Columns, row: int, reason: str) -> None:
    refused(f"polls: row {row} cannot be read: {reason}", polls={**POLLS, **values})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"dayOfWeek": [7]},
            "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon; its text is ('a', '7', '9:00',",
        ),
        ({"dayOfWeek": [True]}, "dayOfWeek is not a number"),
        ({"start_time_local": ["24:00:01"]}, "start_time_local is not a time of day"),
        ({"end_time_local": [None]}, "end_time_local is not a time of day"),
        ({"end_time_local": [9]}, "end_time_local is not a time of day"),
    ],
)
def test_bad_hours(values: Columns, reason: str) -> None:
    refused(f"hours: row 0 cannot be read: {reason}", hours={**HOURS, **values})


def test_the_number_of_a_row_far_down() -> None:
    many = pl.concat([pl.DataFrame(POLLS)] * 60_000)
    bad = many.with_columns(status=pl.when(pl.int_range(pl.len()) == 112_345).then(pl.lit("?")).otherwise("status"))
    says = "polls: row 112345 cannot be read: status is neither active nor inactive; its text is ('b', '?'"
    refused(says, polls=bad)


def test_zones() -> None:
    refused("zones: row 0 cannot be read: timezone_str is not a zone", zones={**ZONES, "timezone_str": ["Mars"]})
    two = {"store_id": ["b", "a", "a", "b"], "timezone_str": ["UTC", "UTC", "Asia/Tokyo", "UTC"]}
    twice = "an earlier row gives this store another time zone; its text is ('a', 'Asia/Tokyo')"
    refused(f"zones: row 2 cannot be read: {twice}", zones=two)


@pytest.mark.parametrize("given", [7, "polls", [1, 2], {"store_id": ["a"], "status": []}, pl.LazyFrame(POLLS)])
def test_no_frame_at_all(given: object) -> None:
    refused("polls: ", polls=given)


@pytest.mark.parametrize("values", [[UUID(int=1), UUID(int=2)], [["a"], ["b"]]])
def test_what_cannot_be_text(values: list[object]) -> None:
    refused("polls: the column store_id holds ", polls={**POLLS, "store_id": values})


def test_lengths_of_time_are_no_times_of_day() -> None:
    refused("hours: the column end_time_local holds ", hours={**HOURS, "end_time_local": [timedelta(hours=17)]})
