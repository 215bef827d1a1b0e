"""The list of stores: tags as they are known, and how well each meets a target."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from storemon import Frames, InputError
from storemon.answers.stores import stores
from storemon.calendar.windows import Rolling, Window

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
POLLS = {
    "store_id": ["a", "a", "b"],
    "status": ["active", "inactive", "active"],
    "timestamp_utc": [AT - timedelta(hours=3), AT - timedelta(hours=1), AT],
}


def frames(**tags: list[str | None]) -> Frames:
    return Frames(polls=POLLS, stores={"store_id": ["a", "b", "never polled"], **tags})


def test_every_tag_and_the_availability() -> None:
    told = stores(frames(region=["West", None, "East"], brand=["", "Bell", "Acme"]), windows=["4h"])
    assert told.sort("store_id").select("store_id", "brand", "region", "availability_last_4h").rows() == [
        ("a", "", "West", Decimal("75.00")),
        ("b", "Bell", "", Decimal("100.00")),
    ]
    assert told.width == 4


def test_a_target() -> None:
    told = stores(frames(), windows=["4h"], target="90")
    assert told.columns == [
        "store_id",
        *(f"{n}_last_4h" for n in ("availability", "budget", "spent", "left", "burn_rate")),
    ]
    minutes = timedelta(minutes=1)
    assert told.row(0) == ("a", Decimal("75.00"), 24 * minutes, 60 * minutes, -36 * minutes, Decimal("2.50"))


def test_the_last_week_is_meant_if_none_is_said() -> None:
    assert stores(frames()).columns == ["store_id", "availability_last_week"]


def test_a_tag_with_the_name_of_a_figure() -> None:
    clash = frames(left_w=["x", "y", "z"])
    window = Window("w", Rolling(timedelta(hours=4)))
    with pytest.raises(InputError, match="a tag and a figure have one name; name the window, like other=30d"):
        stores(clash, windows=[window], target="90")
    assert stores(clash, windows=[window]).columns == ["store_id", "left_w", "availability_w"]


def test_no_tags_at_all() -> None:
    assert stores(Frames(polls=POLLS), windows=["4h"])["store_id"].to_list() == ["a", "b"]
    assert isinstance(stores(Frames(polls=POLLS)), pl.DataFrame)
