"""What a report does with its question: as-of, carry limit, windows, and nothing to tell."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from storemon import EmptyLakeError, Frames, InputError, Lake, LakeError, report
from storemon.calendar.windows import Absolute, Window
from storemon.units.instants import FIRST, LAST

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
HOUR, DAY, NO_TIME = timedelta(hours=1), timedelta(days=1), timedelta()
COLUMNS = [
    "store_id",
    *(
        f"{measure}_last_{window}"
        for measure in ("uptime", "downtime", "unknown")
        for window in ("hour", "day", "week")
    ),
]


def polled(*polls: tuple[str, str, datetime], hours: Any = None, zones: Any = None) -> Frames:
    columns = {"store_id": pl.String(), "status": pl.String(), "timestamp_utc": pl.Datetime("us", "UTC")}
    return Frames(polls=pl.DataFrame(polls, schema=columns, orient="row"), hours=hours, zones=zones)


def row_of(frame: pl.DataFrame) -> Mapping[str, Any]:
    (row,) = frame.rows(named=True)
    return row


MONDAY = {"store_id": ["a"], "day": [0], "start_time_local": ["9:00"], "end_time_local": ["9:00"]}
ONE = polled(("a", "active", AT))


def test_columns_and_types() -> None:
    frame = report(ONE)
    assert frame.columns == COLUMNS
    assert frame.schema["store_id"] == pl.String
    assert {*frame.drop("store_id").dtypes} == {pl.Duration("us")}
    assert row_of(frame)["uptime_last_week"] == 7 * DAY


def test_nothing_to_report_on(tmp_path: Path) -> None:
    for empty in (polled(), Lake(tmp_path / "none"), Lake(tmp_path / "none").snapshot()):
        with pytest.raises(EmptyLakeError, match="has no polls yet; load some with: storemon ingest DATA_DIR"):
            report(empty)
        frame = report(empty, as_of=AT)
        assert frame.columns == COLUMNS
        assert frame.is_empty()
    assert report(ONE, as_of=AT - timedelta(microseconds=1)).is_empty()


def test_as_of_is_an_instant_wherever_it_is_told() -> None:
    two = polled(("a", "active", AT), ("a", "inactive", AT + HOUR))
    told = report(two, as_of=AT + HOUR / 2)
    assert row_of(told)["uptime_last_hour"] == HOUR
    assert told.equals(report(two, as_of=datetime(2024, 10, 14, 12, 30)))  # noqa: DTZ001 - a naive one is UTC
    assert told.equals(report(two, as_of=datetime(2024, 10, 14, 7, 30, tzinfo=ZoneInfo("America/Chicago"))))
    assert report(two).equals(report(two, as_of=AT + HOUR))


@pytest.mark.parametrize(
    ("hours", "early_day", "early_week", "late_week"),
    [
        (None, DAY, 2 * DAY, 7 * DAY),
        # The first day of all is a Monday. In Chicago, then 5:50:36 behind, it is open from 14:50:36 UTC for 24 hours.
        (MONDAY, timedelta(hours=14, minutes=50, seconds=36), DAY, DAY),
    ],
)
def test_as_of_at_the_ends_of_time(
    hours: Any, early_day: timedelta, early_week: timedelta, late_week: timedelta
) -> None:
    early, late = polled(("a", "active", FIRST + HOUR), hours=hours), polled(("a", "inactive", LAST), hours=hours)
    assert row_of(report(early))["uptime_last_week"] == (NO_TIME if hours else HOUR)
    told = row_of(report(early, as_of=FIRST + 2 * DAY))
    assert (told["uptime_last_day"], told["uptime_last_week"]) == (early_day, early_week)
    assert row_of(report(late))["downtime_last_week"] == late_week
    assert report(late, as_of=FIRST).is_empty()


@pytest.mark.parametrize("carry_limit", [NO_TIME, -DAY, timedelta(microseconds=-1), timedelta.min])
def test_no_carry_limit_is_no_answer(carry_limit: timedelta) -> None:
    with pytest.raises(InputError, match="it must be longer than zero"):
        report(ONE, carry_limit=carry_limit)


@pytest.mark.parametrize("carry_limit", [366 * DAY, 106_751_991 * DAY, 106_751_992 * DAY, timedelta.max])
def test_a_carry_limit_longer_than_all_history(carry_limit: timedelta) -> None:
    two = polled(("a", "inactive", AT - 300 * DAY), ("a", "active", AT - HOUR / 2), ("b", "active", AT))
    a, b = report(two, carry_limit=carry_limit).rows(named=True)
    assert (a["uptime_last_week"], a["downtime_last_week"]) == (HOUR / 2, 7 * DAY - HOUR / 2)
    assert b["uptime_last_week"] == 7 * DAY


def test_a_carry_limit_of_a_microsecond() -> None:
    microsecond = timedelta(microseconds=1)
    two = polled(("a", "active", AT - HOUR), ("a", "inactive", AT - HOUR / 2), ("a", "inactive", AT))
    told = row_of(report(two, carry_limit=microsecond))
    # Of the first poll what it covers and what it reaches back, of the second what it covers; of the last nothing yet.
    assert (told["uptime_last_day"], told["downtime_last_day"]) == (2 * microsecond, microsecond)
    assert told["unknown_last_hour"] == HOUR - 2 * microsecond


def test_windows_may_be_told_in_any_zone() -> None:
    """Their dates in UTC decide which days of the lake are read."""
    chicago = ZoneInfo("America/Chicago")
    told = polled(("a", "active", datetime(2024, 10, 14, 4, tzinfo=UTC)), ("a", "inactive", AT))
    utc = datetime(2024, 10, 14, 4, 30, tzinfo=UTC), AT + HOUR
    local = utc[0].astimezone(chicago), utc[1].astimezone(chicago)
    answer = report(told, windows=[Window("w", Absolute(*local))], as_of=local[1])
    assert answer.equals(report(told, windows=[Window("w", Absolute(*utc))], as_of=utc[1]))
    assert answer["downtime_w"].to_list() == [HOUR]


def test_an_unknown_store_has_no_row() -> None:
    hours = {"store_id": ["b"], "day": [0], "start_time_local": ["9:00"], "end_time_local": ["17:00"]}
    zones = {"store_id": ["c"], "timezone_str": ["UTC"]}
    assert report(polled(("a", "active", AT), hours=hours, zones=zones))["store_id"].to_list() == ["a"]


def test_columns_in_order() -> None:
    windows = ["1h", "today"]
    assert report(ONE, windows=windows, measures=["downtime", "coverage"], target="99").columns == [
        "store_id",
        *(f"{measure}_{window}" for measure in ("downtime", "coverage") for window in ("last_1h", "today")),
        *(
            f"{measure}_{window}"
            for measure in ("budget", "spent", "left", "burn_rate")
            for window in ("last_1h", "today")
        ),
    ]
    versus = report(ONE, windows=windows, measures=["uptime"], versus_previous=True)
    assert versus.columns == [
        "store_id",
        *(f"uptime_{window}{which}" for window in ("last_1h", "today") for which in ("", "_previous", "_change")),
    ]
    series = report(ONE, every="week", measures=["uptime", "availability"], target=Fraction(1, 2))
    assert series.columns == ["store_id", "week", "uptime", "availability", "budget", "spent", "left", "burn_rate"]
    assert dict(series.schema) | {
        "week": pl.Date(),
        "availability": pl.Decimal(38, 2),
        "uptime": pl.Duration("us"),
    } == dict(series.schema)
    assert report(ONE, every="hour").schema["hour"] == pl.Datetime("us")
    # The last week, without a choice: from Monday to Monday, 07:00 in Chicago.
    assert report(ONE, every="day").height == 8


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"every": "days"}, r"there is no unit 'days'; did you mean day\?"),
        ({"every": "year"}, "there is no unit 'year'"),
        ({"every": "day", "windows": ["1d", "2d"]}, "a series cuts one window, and compares it with none; leave one"),
        ({"every": "day", "versus_previous": True}, "a series cuts one window, and compares it with none"),
        ({"measures": ["uptim"]}, r"there is no measure 'uptim'; did you mean uptime"),
        ({"target": "0"}, "'0' is not a target"),
        ({"target": Fraction(2)}, "2 is not a target"),
        ({"windows": ["last_mnth"]}, "'last_mnth' is not a window; did you mean"),
        ({"windows": []}, "there is no window"),
        ({"windows": [], "every": "day"}, "there is no window"),
        ({"policy": "carried"}, r"there is no policy 'carried'; did you mean carry\?"),
        ({"group_by": ["region"]}, "there is no tag 'region'; choose from: none there are"),
        ({"where": {"region": ""}}, "there is no tag 'region'; choose from: none there are"),
    ],
)
def test_what_cannot_be_asked(asked: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        report(ONE, **asked)


def test_a_window_long_before_any_poll() -> None:
    """Nothing is known of it, though it is served; a limit that long reaches back to it."""
    for window in ("2014-12", "old=0001-01"):
        told = row_of(
            report(ONE, windows=[window], measures=["service", "unknown", "coverage", "uptime_min", "uptime_max"])
        )
        service, unknown, coverage, lowest, highest = [*told.values()][1:]
        assert service == unknown == highest > 30 * DAY
        assert (lowest, coverage) == (NO_TIME, 0)
        for policy in ("carry", "nearest"):
            reaching = row_of(
                report(ONE, windows=[window], measures=["uptime"], carry_limit=timedelta.max, policy=policy)
            )
            assert [*reaching.values()][1:] == [service]


def test_a_window_after_as_of() -> None:
    measures = ["service", "uptime", "excluded", "uptime_max", "availability", "coverage"]
    told = row_of(report(ONE, windows=["2025-01"], measures=measures, target="99.5"))
    nothing = [NO_TIME] * 4 + [None] * 2 + [NO_TIME] * 3 + [None]
    assert [*told.values()] == ["a", *nothing]
    assert report(ONE, windows=["2025-01"], every="day").is_empty()
    before = row_of(report(ONE, windows=["2024-11"], measures=["service"], versus_previous=True))
    # The month before is this one, which has begun on the 1st at 05:00 UTC.
    assert before["service_2024-11_previous"] == -before["service_2024-11_change"] == 13 * DAY + 7 * HOUR


@pytest.mark.parametrize("damage", ["lost", "empty", "garbled", "cut"])
def test_a_damaged_lake_is_said_to_be_one(damage: str, tmp_path: Path) -> None:
    text = "".join(f"a,active,2024-10-1{day} 12:00:00 UTC\n" for day in (3, 4))
    (tmp_path / "polls.csv").write_text(f"store_id,status,timestamp_utc\n{text}")
    lake = Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "polls.csv")
    assert not report(lake).is_empty()
    (file,) = (tmp_path / "lake" / "polls" / "polled_on=2024-10-13").glob("*/*.parquet")
    whole = file.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little") + 8
    garbled = whole[:-footer] + bytes(footer - 8) + whole[-8:]
    file.write_bytes({"garbled": garbled, "cut": whole[:-20]}.get(damage, b""))
    if damage == "lost":
        file.unlink()
    with pytest.raises(LakeError, match=r"the polls of the lake in .* cannot be read: "):
        report(lake)
