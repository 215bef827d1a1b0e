"""The legend of a report names its columns as the report does, and says in which unit each is printed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from storemon import Frames, report
from storemon.calendar.windows import Absolute, Window, parse_window
from storemon.engine.measures import chosen, parse_target
from storemon.views.answer import (
    TELLING,
    Answer,
    Column,
    Worst,
    legend_of_outages,
    legend_of_report,
    legend_of_week,
    worst_of,
)

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
FRAMES = Frames(polls={"store_id": ["a"], "status": ["active"], "timestamp_utc": [AT]})
LAST_HOUR, YESTERDAY = parse_window("last_hour"), parse_window("yesterday")


def columns(frame: pl.DataFrame) -> list[str]:
    return frame.columns[1:]


@pytest.mark.parametrize("windows", [[LAST_HOUR], [LAST_HOUR, YESTERDAY], [parse_window("all_of_it=2024-10")]])
@pytest.mark.parametrize("versus", [False, True])
@pytest.mark.parametrize("target", [None, "99.5"])
def test_a_legend_names_the_columns_of_its_report(
    windows: Sequence[Window], target: str | None, *, versus: bool
) -> None:
    names = ["uptime_min", "downtime", "availability"]
    told = report(FRAMES, measures=names, windows=windows, target=target, versus_previous=versus)
    measures = chosen(names, target and parse_target(target))  # type: ignore[arg-type]
    assert list(legend_of_report(measures, windows, versus=versus)) == columns(told)


def test_a_legend_names_the_columns_of_a_series() -> None:
    names = ["service", "coverage"]
    told = report(FRAMES, measures=names, windows=[YESTERDAY], every="hour")
    assert ["hour", *legend_of_report(chosen(names, None), [YESTERDAY], every="hour")] == columns(told)


def units(windows: Sequence[Window], names: Sequence[str] = ("uptime",), **asked: Any) -> list[str]:
    return [column.unit for column in legend_of_report(chosen(names, None), windows, **asked).values()]


@pytest.mark.parametrize(
    ("window", "unit"),
    [
        ("last_hour", "minutes"),
        ("1h", "minutes"),
        ("23h59m", "minutes"),
        ("last_day", "hours"),
        ("24h", "hours"),
        ("yesterday", "hours"),  # though it may have 23 hours
        ("2024-W41", "hours"),
        ("2024-10", "hours"),
    ],
)
def test_minutes_are_for_windows_shorter_than_a_day(window: str, unit: str) -> None:
    assert units([parse_window(window)], versus=True) == [unit] * 3


def test_the_unit_of_two_instants_is_that_of_what_lies_between() -> None:
    day = timedelta(days=1)
    spans = (Absolute(AT - day, AT - timedelta(microseconds=1)), Absolute(AT - day, AT), Absolute(AT))
    assert units([Window("w", span) for span in spans[:1]]) == ["minutes"]
    assert units([Window("w", span) for span in spans[1:2]]) == ["hours"]
    assert units([Window("w", span) for span in spans[2:]]) == ["hours"]


def test_hours_of_a_series_are_told_in_minutes() -> None:
    week = [parse_window("last_week")]
    assert [units(week, every=unit) for unit in ("hour", "day", "week", "month")] == [
        ["minutes"],
        ["hours"],
        ["hours"],
        ["hours"],
    ]
    assert units([LAST_HOUR], every="day") == ["minutes"]


def test_some_measures_have_units_of_their_own() -> None:
    names = ("availability", "outages", "longest_outage", "mttr", "mtbf")
    for windows in ([LAST_HOUR], [YESTERDAY]):
        assert units(windows, names) == ["percent", "number", "minutes", "minutes", "hours"]


def test_outages_name_their_window_unless_there_is_only_one() -> None:
    assert {column.window for column in legend_of_outages([YESTERDAY]).values()} == {"yesterday"}
    assert {column.window for column in legend_of_outages([YESTERDAY, LAST_HOUR]).values()} == {""}
    assert {column.unit for column in legend_of_outages([YESTERDAY]).values()} == {"minutes"}


def test_the_week_is_in_minutes_and_percent() -> None:
    told = {name: column.unit for name, column in legend_of_week(YESTERDAY).items()}
    assert told == dict.fromkeys(("uptime", "downtime", "unknown", "service", "excluded"), "minutes") | {
        "availability": "percent"
    }


@pytest.mark.parametrize(
    ("names", "worst"),
    [
        (["uptime", "downtime"], Worst("downtime_yesterday", "most")),
        (["downtime", "availability", "uptime"], Worst("availability_yesterday", "least")),
        (["service", "uptime"], Worst("uptime_yesterday", "least")),
        (["service", "excluded"], None),
    ],
)
def test_the_most_telling_measure_says_which_rows_are_worst(names: Sequence[str], worst: Worst | None) -> None:
    windows = [LAST_HOUR, YESTERDAY]
    for versus in (False, True):
        assert worst_of(legend_of_report(chosen(names, None), windows, versus=versus)) == worst


def test_with_a_target_the_rate_of_burning_is_the_most_telling() -> None:
    legend = legend_of_report(chosen(["availability"], parse_target("99.5")), [YESTERDAY])
    assert worst_of(legend) == Worst("burn_rate_yesterday", "most")
    known = {*chosen([], parse_target("99.5")), *chosen([*(name for name in TELLING if name != "burn_rate")], None)}
    assert {*TELLING} <= known


LEGEND: Mapping[str, Column] = {"x": Column("x", "number")}


@pytest.mark.parametrize(("way", "order"), [("most", "cadb"), ("least", "adcb")])
def test_the_worst_come_first_and_those_alike_stay_in_order(way: str, order: str) -> None:
    frame = pl.DataFrame({"id": list("abcd"), "x": [1, None, 2, 1]})
    sorted_ids = Answer([frame], LEGEND, "rows", AT, Worst("x", way)).worst_first()["id"]
    assert "".join(sorted_ids) == order
    assert Answer([frame], LEGEND, "rows", AT).worst_first().equals(frame)
    apart = frame.with_columns(y=pl.Series([1, 9, 1, 2]))
    assert "".join(Answer([apart], LEGEND, "rows", AT, Worst("x", "most", ("y",))).worst_first()["id"]) == "cdab"
