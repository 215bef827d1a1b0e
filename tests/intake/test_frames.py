"""Frames in place of a lake: whatever they are made of, the same facts give the same report."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from storemon import EmptyLakeError, Frames, Lake, report
from tests.lake.files import NOW, folder

Columns = Mapping[str, Sequence[object]]
NEWEST = datetime(2024, 10, 3, 23, 33, 20, 412_748, tzinfo=UTC)
INSTANTS = [NEWEST, NEWEST - timedelta(hours=5), NEWEST - timedelta(minutes=30)]
POLLS: Columns = {"store_id": ["7", "7", "18"], "status": ["active", "inactive", "active"], "timestamp_utc": INSTANTS}
HOURS: Columns = {
    "store_id": ["7"] * 7,
    "dayOfWeek": [*range(7)],
    "start_time_local": ["09:00"] * 7,
    "end_time_local": ["18:30:00"] * 7,
}
ZONES: Columns = {"store_id": ["7", "18"], "timezone_str": ["America/Denver", "Asia/Tokyo"]}
KINDS: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "Polars": pl.DataFrame,
    "Arrow": pa.table,
    "Arrow batch": pa.RecordBatch.from_pydict,
    "pandas": pd.DataFrame,
    "pandas objects": lambda columns: pd.DataFrame(columns).astype(object),
    "pandas categories": lambda columns: pd.DataFrame(columns).astype({"store_id": "category"}),
    "pandas with an index": lambda columns: pd.DataFrame(columns, index=range(7, 7 + len(columns["store_id"]))),
    "with more columns": lambda columns: pl.DataFrame(columns).with_columns(more=pl.lit(1)).select("more", *columns),
    "rows": lambda columns: pl.DataFrame(columns).to_dicts(),
}


def texts() -> Columns:
    return {**POLLS, "timestamp_utc": [f"{at:%Y-%m-%d %H:%M:%S.%f} UTC" for at in INSTANTS]}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The report on the same facts from CSVs."""
    lake = Lake(tmp_path_factory.mktemp("frames") / "lake")
    rows = {
        name: [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        for name, columns in {"polls": texts(), "hours": HOURS, "zones": ZONES}.items()
    }
    lake.ingest(folder(lake.path.parent / "data", **rows), now=NOW)
    frame = report(lake)
    assert frame["store_id"].to_list() == ["18", "7"]
    assert frame["uptime_last_day"].to_list() == [timedelta(hours=24), timedelta()]
    assert frame["downtime_last_day"].to_list() == [timedelta(), timedelta(hours=9, minutes=30)]
    return frame


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame(expected: pl.DataFrame, kind: str) -> None:
    make = KINDS[kind]
    assert report(Frames(polls=make(POLLS), hours=make(HOURS), zones=make(ZONES))).equals(expected)
    assert report(Frames(polls=make(texts()), hours=make(HOURS), zones=make(ZONES))).equals(expected)


INSTANTS_OF: dict[str, Callable[[], Any]] = {
    "naive": lambda: pl.Series([at.replace(tzinfo=None) for at in INSTANTS]),
    "in another zone": lambda: pl.Series(INSTANTS).dt.convert_time_zone("America/St_Johns"),
    "nanoseconds": lambda: pl.Series(INSTANTS).dt.cast_time_unit("ns"),
    "naive nanoseconds of pandas": lambda: pd.Series(
        [at.replace(tzinfo=None) for at in INSTANTS], dtype="datetime64[ns]"
    ),
    "aware ones of pandas": lambda: pd.Series(INSTANTS).dt.tz_convert("Europe/Dublin"),
    "Arrow's": lambda: pa.array(INSTANTS, pa.timestamp("ns", "Asia/Kathmandu")),
    "text with an offset": lambda: [at.astimezone().isoformat() for at in INSTANTS],
}


@pytest.mark.parametrize("written", INSTANTS_OF)
def test_every_kind_of_instant(expected: pl.DataFrame, written: str) -> None:
    polls = {**POLLS, "timestamp_utc": INSTANTS_OF[written]()}
    assert report(Frames(polls=polls, hours=HOURS, zones=ZONES)).equals(expected)


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_coarse_instants(unit: str) -> None:
    coarse = pa.array([at.replace(microsecond=412_000 * (unit == "ms")) for at in INSTANTS], pa.timestamp(unit, "UTC"))
    newest = Frames(polls={**POLLS, "timestamp_utc": coarse}).newest_poll()
    assert newest == NEWEST.replace(microsecond=412_000 * (unit == "ms"))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt64, pl.Int16, pl.Categorical])
def test_ids_may_be_whole_numbers(expected: pl.DataFrame, dtype: type[pl.DataType]) -> None:
    polls, hours, zones = (
        pl.DataFrame(columns).with_columns(pl.col("store_id").cast(dtype)) for columns in (POLLS, HOURS, ZONES)
    )
    assert report(Frames(polls=polls, hours=hours, zones=zones)).equals(expected)


def test_long_integers_keep_all_their_digits() -> None:
    ids = [8_139_926_242_460_185_114, 8_139_926_242_460_185_115, 2**63 - 1]
    for polls in ({**POLLS, "store_id": ids}, pd.DataFrame({**POLLS, "store_id": ids})):
        assert report(Frames(polls=polls))["store_id"].to_list() == [str(store) for store in ids]


def test_times_and_weekdays_of_other_types(expected: pl.DataFrame) -> None:
    hours = {**HOURS, "start_time_local": [time(9)] * 7, "end_time_local": [time(18, 30)] * 7}
    for each in (hours, pd.DataFrame(hours), {**HOURS, "dayOfWeek": [*"0123456"]}):
        assert report(Frames(polls=POLLS, hours=each, zones=ZONES)).equals(expected)
    days = pl.DataFrame(HOURS).with_columns(pl.col("dayOfWeek").cast(pl.Int8)).rename({"dayOfWeek": "day"})
    assert report(Frames(polls=POLLS, hours=days, zones=ZONES)).equals(expected)


def test_order_and_repetition_do_not_matter(expected: pl.DataFrame) -> None:
    polls, hours, zones = (pl.concat([pl.DataFrame(each)] * 2).reverse() for each in (POLLS, HOURS, ZONES))
    assert report(Frames(polls=polls, hours=hours, zones=zones)).equals(expected)


def test_hours_and_zones_may_be_left_out() -> None:
    alone = report(Frames(polls=POLLS))
    assert alone["uptime_last_hour"].to_list() == [timedelta(hours=1), timedelta()]
    nothing = [pl.DataFrame(columns).clear() for columns in (HOURS, ZONES)]
    assert report(Frames(polls=POLLS, hours=nothing[0], zones=nothing[1])).equals(alone)


def test_a_poll_may_be_ahead_of_the_wall_clock() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    frames = Frames(polls={"store_id": ["a"], "status": ["active"], "timestamp_utc": [last]})
    assert (frames.newest_poll(), frames.versions) == (last, {})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "rows"])
def test_no_polls(kind: str) -> None:
    frames = Frames(polls=KINDS[kind]({name: [] for name in POLLS}))
    with pytest.raises(EmptyLakeError):
        report(frames)
    assert report(frames, as_of=NOW).is_empty()
