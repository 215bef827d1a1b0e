"""Special hours, maintenance and stores as frames: whatever they are made of, they say the same, or are refused."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from storemon import Frames, InputError

Columns = dict[str, Sequence[object]]
AT = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC)
LATER = AT + timedelta(hours=2)
POLLS: Columns = {"store_id": ["a"], "status": ["active"], "timestamp_utc": [AT]}
SPECIAL_HOURS: Columns = {
    "store_id": ["a", "*"],
    "date": [date(2024, 12, 24), date(2024, 12, 25)],
    "start_time_local": [time(9), None],
    "end_time_local": [time(14, 30), None],
}
MAINTENANCE: Columns = {
    "store_id": ["*", "a"],
    "starts_at_utc": [AT, AT],
    "ends_at_utc": [LATER, LATER],
    "reason": ["moving", None],
}
STORES: Columns = {"store_id": ["a", "b"], "brand": ["Burger", None], "floor": [3, 12]}
KINDS: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "Polars": pl.DataFrame,
    "Arrow": pa.table,
    "pandas": pd.DataFrame,
    "pandas objects": lambda columns: pd.DataFrame(columns).astype(object),
    "rows": lambda columns: pl.DataFrame(columns).to_dicts(),
    "twice, the last row first": lambda columns: pl.concat([pl.DataFrame(columns)] * 2).reverse(),
}
AS_TEXT: dict[str, Columns] = {
    "special_hours": SPECIAL_HOURS
    | {"date": [" 2024-12-24", "2024-12-25"], "start_time_local": ["9:00", ""], "end_time_local": ["14:30:00", None]},
    "maintenance": MAINTENANCE | {"starts_at_utc": ["2024-10-03T23:33:20Z"] * 2, "reason": [" moving ", ""]},
    "stores": STORES | {"brand": [" Burger ", "  "], "floor": ["3", "12"]},
}


def as_expected(frames: Frames) -> None:
    assert frames.special_hours().sort("date").rows() == [
        ("a", date(2024, 12, 24), 32_400, 52_200),
        ("*", date(2024, 12, 25), None, None),
    ]
    assert frames.maintenance().sort("store_id").rows() == [("*", AT, LATER, "moving"), ("a", AT, LATER, "")]
    assert frames.tags().sort(pl.all()).rows() == [("a", "brand", "Burger"), ("a", "floor", "3"), ("b", "floor", "12")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame(kind: str) -> None:
    typed = {"special_hours": SPECIAL_HOURS, "maintenance": MAINTENANCE, "stores": STORES}
    for given in (typed, AS_TEXT):
        as_expected(Frames(polls=POLLS, **{name: KINDS[kind](columns) for name, columns in given.items()}))


def test_instants_of_another_zone_or_of_none() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    maintenance = {
        "starts_at_utc": [AT.astimezone(east)] * 2,
        "ends_at_utc": [LATER.replace(tzinfo=None)] * 2,
        "reason": ["moving", ""],
    }
    as_expected(Frames(polls=POLLS, maintenance=MAINTENANCE | maintenance, **without("maintenance")))


def without(name: str) -> dict[str, Columns]:
    return {other: columns for other, columns in AS_TEXT.items() if other != name}


def test_all_closed() -> None:
    """Of a column of a CSV that is all empty pandas makes floats."""
    empty = [float("nan")] * 2
    given = SPECIAL_HOURS | {"start_time_local": empty, "end_time_local": empty}
    for special_hours in (given, pd.DataFrame(given), pl.DataFrame(given)):
        found = Frames(polls=POLLS, special_hours=special_hours).special_hours()
        assert found.select("opens_local", "closes_local").rows() == [(None, None)] * 2


def test_names_of_tags_are_trimmed() -> None:
    assert Frames(polls=POLLS, stores={" brand ": ["x"], "store_id ": ["a"]}).tags().rows() == [("a", "brand", "x")]


def test_none_of_them() -> None:
    frames = Frames(polls=POLLS)
    assert [len(each) for each in (frames.special_hours(), frames.maintenance(), frames.tags())] == [0, 0, 0]
    assert frames.rejected().columns == ["file", "line", "row", "reason", "rejected_at"]
    assert frames.rejected().is_empty()
    assert frames.versions == {}
    nothing = {name: pl.DataFrame(columns).clear() for name, columns in AS_TEXT.items()}
    empty = Frames(polls=POLLS, **nothing)
    assert empty.special_hours().equals(frames.special_hours())
    assert empty.maintenance().equals(frames.maintenance())
    assert empty.tags().equals(frames.tags())
    assert frames.maintenance().schema["starts_at"] == pl.Datetime("us", "UTC")


@pytest.mark.parametrize(
    ("name", "columns", "says"),
    [
        ("special_hours", {"date": ["24.12.2024", "2024-12-25"]}, "row 0 cannot be read: date is not a date"),
        (
            "special_hours",
            {"end_time_local": [None, None]},
            "row 0 cannot be read: end_time_local is not a time of day",
        ),
        ("special_hours", {"start_time_local": [9.5, None]}, "the column start_time_local holds floats"),
        ("maintenance", {"ends_at_utc": [LATER, AT]}, "row 1 cannot be read: ends_at_utc is not after starts_at_utc"),
        ("maintenance", {"starts_at_utc": [None, AT]}, "row 0 cannot be read: starts_at_utc is not an instant"),
        ("stores", {"store_id": ["a", "*"]}, "row 1 cannot be read: * is every store"),
        ("stores", {"store_id": ["a", "a"]}, "row 1 cannot be read: an earlier row says something else of this store"),
        ("stores", {"Brand": ["x", "y"]}, "two columns are called 'brand'"),
        ("stores", {"  ": ["x", "y"]}, "a column has no name"),
        ("stores", {"floor": [1.5, 2]}, "the column floor holds floats, which lose the last digits; give text instead"),
    ],
)
def test_refused(name: str, columns: Columns, says: str) -> None:
    given = {"special_hours": SPECIAL_HOURS, "maintenance": MAINTENANCE, "stores": STORES}
    with pytest.raises(InputError, match=f"^{name}: {re.escape(says)}"):
        Frames(polls=POLLS, **{name: given[name] | columns})


def test_a_closed_date_that_another_row_opens_is_refused() -> None:
    given = SPECIAL_HOURS | {"store_id": ["a", "a"], "date": ["2024-12-24"] * 2}
    says = "special_hours: row 1 cannot be read: another row gives this store hours on this date, so it is not closed"
    with pytest.raises(InputError, match=re.escape(f"{says}; its text is ('a', '2024-12-24', None, None)")):
        Frames(polls=POLLS, special_hours=given)


@pytest.mark.parametrize("name", AS_TEXT)
def test_missing_columns(name: str) -> None:
    for missing in AS_TEXT[name] if name != "stores" else ["store_id"]:
        rest = {other: values for other, values in AS_TEXT[name].items() if other != missing}
        with pytest.raises(InputError, match=f"^{name}: there is no column {missing}; there are: {', '.join(rest)}$"):
            Frames(polls=POLLS, **{name: rest})
