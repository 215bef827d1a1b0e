"""The hour of week: by hand, against the oracle, and against the report's own figures of the same window.

In 2024 Chicago's clocks go from 02:00 to 03:00 on Sunday, March 10 (08:00 UTC), and from 02:00 back to 01:00 on Sunday,
November 3 (07:00 UTC). Lord Howe's go from 02:00 to 02:30 on Sunday, October 6 (15:30 UTC of the day before).
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import EmptyLakeError, Frames, InputError, report
from storemon.answers.week import hour_of_week
from storemon.calendar.windows import Rolling, Window
from tests.engine.asking import MICROSECOND, as_of_of, frames_of, windows_as_asked
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.exceptional_cases import exceptional_cases, written_windows

MANY = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=examples(40))
POLICIES: st.SearchStrategy[truth.Policy] = st.sampled_from(("carry", "nearest"))
TAGS = st.sampled_from(((), ("region",), ("brand", "region")))
LENGTHS_OF_TIME = ["uptime", "downtime", "unknown", "service", "excluded"]
MON, TUE, SAT, SUN = 0, 1, 5, 6
HOUR, HALF, QUARTER = timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15)
NO_TIME = timedelta()

Cells = dict[tuple[Any, ...], tuple[timedelta, ...]]


def cells_of(frame: pl.DataFrame) -> Cells:
    """By store or group, weekday and hour: the five lengths of time."""
    names = [name for name in frame.columns if name not in {*LENGTHS_OF_TIME, "availability"}]
    return {row[: len(names)]: row[len(names) :] for row in frame.select(*names, *LENGTHS_OF_TIME).iter_rows()}


def filled(frame: pl.DataFrame) -> Cells:
    """The same of the one store, in the cells with any open time, and without its name."""
    return {cell[1:]: lengths for cell, lengths in cells_of(frame).items() if any(lengths)}


def frames(polls: list[tuple[str, str]], zone: str = "America/Chicago", **more: Any) -> Frames:
    status, instants = [status for status, _ in polls], [f"{at}:00 UTC" for _, at in polls]
    of_a = {"store_id": ["a"] * len(polls), "status": status, "timestamp_utc": instants}
    return Frames(polls=of_a, zones={"store_id": ["a"], "timezone_str": [zone]}, **more)


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def asked(length: timedelta, as_of: str) -> Any:
    return {"windows": [Window("w", Rolling(length))], "as_of": utc(as_of)}


def test_every_store_has_all_cells_in_order() -> None:
    polls = {"store_id": ["b", "a"], "status": ["active"] * 2, "timestamp_utc": ["2024-10-14 12:00:00 UTC"] * 2}
    # Neither is ever open: closed on the weekdays without a row, and on the one with a row by a special date.
    monday = {"dayOfWeek": [MON] * 2, "start_time_local": ["09:00"] * 2, "end_time_local": ["10:00"] * 2}
    closed = {"store_id": ["*"], "date": ["2024-10-14"], "start_time_local": [""], "end_time_local": [""]}
    source = Frames(polls=polls, hours={"store_id": ["a", "b"], **monday}, special_hours=closed)
    frame = hour_of_week(source, windows=["2d"], as_of=utc("2024-10-15"))
    assert frame.schema == {
        "store_id": pl.String,
        "weekday": pl.Int8,
        "hour": pl.Int8,
        **dict.fromkeys(LENGTHS_OF_TIME, pl.Duration("us")),
        "availability": pl.Decimal(38, 2),
    }
    assert [*cells_of(frame)] == [(store, day, hour) for store in "ab" for day in range(7) for hour in range(24)]
    assert {*cells_of(frame).values()} == {(NO_TIME,) * 5}
    assert {*frame["availability"]} == {None}


def test_a_window_that_starts_and_ends_within_an_hour() -> None:
    # Tuesday 09:45 to 12:10 in Chicago (UTC-5), round the clock; up until 10:20, down until 10:50, then up.
    source = frames([("active", "2024-10-15 14:00"), ("inactive", "2024-10-15 15:20"), ("active", "2024-10-15 15:50")])
    frame = hour_of_week(source, **asked(timedelta(hours=2, minutes=25), "2024-10-15 17:10"))
    ten = timedelta(minutes=10)
    assert filled(frame) == {
        (TUE, 9): (QUARTER, NO_TIME, NO_TIME, QUARTER, NO_TIME),
        (TUE, 10): (HALF, HALF, NO_TIME, HOUR, NO_TIME),
        (TUE, 11): (HOUR, NO_TIME, NO_TIME, HOUR, NO_TIME),
        (TUE, 12): (ten, NO_TIME, NO_TIME, ten, NO_TIME),
    }
    availability = dict(frame.select(pl.col("hour"), "availability").filter(pl.col("availability") >= 0).iter_rows())
    assert availability == {9: Decimal(100), 10: Decimal(50), 11: Decimal(100), 12: Decimal(100)}


def test_one_hour_holds_what_no_edge_of_an_hour_cuts() -> None:
    # 10:20 to 10:50 again, a microsecond longer; one third is up, and the percentage is rounded down.
    source = frames([("active", "2024-10-15 15:20"), ("inactive", "2024-10-15 15:30")])
    frame = hour_of_week(source, **asked(HALF + MICROSECOND, "2024-10-15 15:50:00.000001"))
    ten = timedelta(minutes=10)
    assert filled(frame) == {(TUE, 10): (ten, 2 * ten + MICROSECOND, NO_TIME, HALF + MICROSECOND, NO_TIME)}
    assert frame["availability"].drop_nulls().to_list() == [Decimal("33.33")]


def test_weeks_add_up() -> None:
    # Two weeks and a day to Tuesday's midnight: three Mondays; known from the second Monday 06:00 on, until the third.
    source = frames([("active", "2024-10-07 11:00")])
    frame = hour_of_week(source, **asked(timedelta(days=15), "2024-10-15 05:00"), carry_limit="7d")
    reach = 2 * 7 * 24 * HOUR  # a carry limit to each side, of which 143 hours lie before the window's second week
    cells = filled(frame)
    assert len(cells) == 7 * 24
    assert {lengths[3] for (day, _), lengths in cells.items() if day == MON} == {3 * HOUR}
    assert {lengths[3] for (day, _), lengths in cells.items() if day != MON} == {2 * HOUR}
    assert sum((lengths[0] for lengths in cells.values()), NO_TIME) == reach
    # Up on the first Monday from 06:00 on, all through the second, and on the third until 06:00.
    assert {cells[MON, hour][:3] for hour in range(24)} == {(2 * HOUR, NO_TIME, HOUR)}


def test_pieces_over_the_turn_of_the_week() -> None:
    # Sunday 22:00 to Monday 03:00 in Chicago, down from 23:30; and the same within the last hour of the week.
    hours = {"store_id": ["a"], "dayOfWeek": [SUN], "start_time_local": ["22:00"], "end_time_local": ["03:00"]}
    source = frames([("active", "2024-10-14 03:00"), ("inactive", "2024-10-14 04:30")], hours=hours)
    cells = filled(hour_of_week(source, **asked(timedelta(days=2), "2024-10-14 12:00")))
    assert cells == {
        (SUN, 22): (HOUR, NO_TIME, NO_TIME, HOUR, NO_TIME),
        (SUN, 23): (HALF, HALF, NO_TIME, HOUR, NO_TIME),
        **{(MON, hour): (NO_TIME, HOUR, NO_TIME, HOUR, NO_TIME) for hour in range(3)},
    }
    assert filled(hour_of_week(source, **asked(HALF, "2024-10-14 04:45"))) == {
        (SUN, 23): (QUARTER, QUARTER, NO_TIME, HALF, NO_TIME)
    }


@pytest.mark.parametrize(
    ("zone", "starts_at", "ends_at", "expected"),
    [
        # 01:00 to 02:00 is shown twice.
        (
            "America/Chicago",
            "2024-11-03 05:30",
            "2024-11-03 08:15",
            {(SUN, 0): HALF, (SUN, 1): 2 * HOUR, (SUN, 2): QUARTER},
        ),
        # 02:00 to 03:00 is not shown.
        ("America/Chicago", "2024-03-10 07:30", "2024-03-10 08:15", {(SUN, 1): HALF, (SUN, 3): QUARTER}),
        # The window starts, and ends, as the clocks change.
        ("America/Chicago", "2024-03-10 08:00", "2024-03-10 09:00", {(SUN, 3): HOUR}),
        ("America/Chicago", "2024-11-03 06:00", "2024-11-03 07:00", {(SUN, 1): HOUR}),
        # UTC+5:30: from 05:00 to 06:45.
        ("Asia/Kolkata", "2024-10-13 23:30", "2024-10-14 01:15", {(MON, 5): HOUR, (MON, 6): HOUR - QUARTER}),
        # 01:30 to 02:00, then from 02:30 on.
        (
            "Australia/Lord_Howe",
            "2024-10-05 15:00",
            "2024-10-05 16:15",
            {(SUN, 1): HALF, (SUN, 2): HALF, (SUN, 3): QUARTER},
        ),
        # All of Friday, December 30, 2011, is skipped.
        ("Pacific/Apia", "2011-12-30 09:30", "2011-12-30 10:30", {(3, 23): HALF, (SAT, 0): HALF}),
    ],
)
def test_cells_are_what_the_clocks_show(
    zone: str, starts_at: str, ends_at: str, expected: dict[tuple[int, int], timedelta]
) -> None:
    source = frames([("active", starts_at)], zone)
    cells = filled(hour_of_week(source, **asked(utc(ends_at) - utc(starts_at), ends_at)))
    assert {cell: lengths[0] for cell, lengths in cells.items()} == expected


def test_a_calendar_s_window_is_each_store_s_own() -> None:
    # As-of is Monday 22:00 in Los Angeles, and 01:00 on Tuesday in New York: today, one has 22 hours, the other one.
    at = "2024-10-15 05:00:00 UTC"
    source = Frames(
        polls={"store_id": ["east", "west"], "status": ["active", "inactive"], "timestamp_utc": [at, at]},
        zones={"store_id": ["east", "west"], "timezone_str": ["America/New_York", "America/Los_Angeles"]},
        stores={"store_id": ["east"], "coast": ["atlantic"]},
    )
    by_store = cells_of(hour_of_week(source, windows=["today"]))
    up, down = (HOUR, NO_TIME, NO_TIME, HOUR, NO_TIME), (NO_TIME, HOUR, NO_TIME, HOUR, NO_TIME)
    assert {cell: lengths for cell, lengths in by_store.items() if any(lengths)} == {
        ("east", TUE, 0): up,
        **{("west", MON, hour): down for hour in range(22)},
    }
    by_coast = hour_of_week(source, windows=["yesterday"], group_by=["coast"])
    assert by_coast.columns[:4] == ["coast", "stores", "weekday", "hour"]
    assert {cell: lengths for cell, lengths in cells_of(by_coast).items() if any(lengths)} == {
        **{("", 1, SUN, hour): down for hour in range(24)},
        **{("atlantic", 1, MON, hour): up for hour in range(24)},
    }
    both = hour_of_week(source, windows=["yesterday"], group_by=[])
    assert {cell: lengths for cell, lengths in cells_of(both).items() if any(lengths)} == {
        **{(2, SUN, hour): down for hour in range(24)},
        **{(2, MON, hour): up for hour in range(24)},
    }


def test_the_last_four_weeks_are_asked_for_by_default() -> None:
    frame = hour_of_week(frames([("active", "2024-10-15 12:00")]))
    assert {lengths[3] for lengths in cells_of(frame).values()} == {4 * HOUR}


def test_over_all_time() -> None:
    frame = hour_of_week(frames([("active", "2024-10-15 12:00")]), windows=["9999999d"])
    service = sum((lengths[3] for lengths in cells_of(frame).values()), NO_TIME)
    assert service == utc("2024-10-15 12:00") - utc("0001-01-01")


def test_no_store_at_all() -> None:
    source = frames([("active", "2024-10-15 12:00")])
    frame = hour_of_week(source, as_of=utc("2024-10-01"))
    assert (frame.columns[:3], len(frame)) == (["store_id", "weekday", "hour"], 0)
    assert len(hour_of_week(source, as_of=utc("2024-10-01"), group_by=[])) == 0


def test_one_window_only() -> None:
    with pytest.raises(
        InputError, match=r"adds up one window, but these were asked for: last_1d, last_7d; ask for one$"
    ):
        hour_of_week(frames([("active", "2024-10-15 12:00")]), windows=["1d", "7d"])
    with pytest.raises(InputError, match="there is no window to answer for; name at least one"):
        hour_of_week(frames([("active", "2024-10-15 12:00")]), windows=[])


@pytest.mark.parametrize("tag", ["hour", "service"])
def test_a_tag_with_the_name_of_a_column(tag: str) -> None:
    source = frames([("active", "2024-10-15 12:00")], stores={"store_id": ["a"], tag: ["x"]})
    with pytest.raises(InputError, match=f"the tag '{tag}' has the name of another column"):
        hour_of_week(source, group_by=[tag])


def expected_of(lengths: truth.Figures) -> tuple[timedelta, ...]:
    return tuple(length * MICROSECOND for length in lengths)


@MANY
@given(st.data(), POLICIES, TAGS)
def test_every_cell_is_the_oracle_s(data: st.DataObject, policy: truth.Policy, tags: tuple[str, ...]) -> None:
    case = data.draw(exceptional_cases())
    windows = data.draw(written_windows(case, max_size=1))
    question: Any = {"windows": windows_as_asked(windows), "policy": policy, "carry_limit": case.carry_limit}
    source = frames_of(case)
    if as_of_of(case) is None:
        with pytest.raises(EmptyLakeError):
            hour_of_week(source, **question)
        return
    expected = truth.hour_of_week(**vars(case), policy=policy, windows=windows)
    told = hour_of_week(source, as_of=case.as_of, **question)
    assert cells_of(told) == {
        (store_id, *cell): expected_of(lengths)
        for store_id, by_window in expected.items()
        for cells in by_window.values()
        for cell, lengths in cells.items()
    }
    if not all(tag in source.tags()["tag"] for tag in tags):
        return
    by_group = hour_of_week(source, as_of=case.as_of, group_by=tags, **question)
    groups = truth.group_hour_of_week(expected, case.tags, tags)
    assert [(cell[: len(tags)], *cell[-2:]) for cell in cells_of(by_group)] == [
        (group, *cell) for group in groups for cell in truth.CELLS
    ]
    cells = [cells for by_window in groups.values() for cells in by_window.values()]
    assert [*cells_of(by_group).values()] == [expected_of(each[cell]) for each in cells for cell in truth.CELLS]
    assert ["" if share is None else f"{share}" for share in by_group["availability"]] == [
        truth.percentage(truth.availability(each[cell])) for each in cells for cell in truth.CELLS
    ]


@FEW
@given(st.data(), POLICIES, TAGS, st.integers(0, 400 * 86_400_000_000).map(lambda us: us * MICROSECOND))
def test_cells_add_up_to_the_report(
    data: st.DataObject, policy: truth.Policy, tags: tuple[str, ...], length: timedelta
) -> None:
    case = data.draw(exceptional_cases())
    source = frames_of(case)
    if as_of_of(case) is None or not all(tag in source.tags()["tag"] for tag in tags):
        return
    question: Any = {
        "windows": [Window("w", Rolling(length))],
        "policy": policy,
        "carry_limit": case.carry_limit,
        "as_of": case.as_of,
    }
    for group_by, names in ((None, ["store_id"]), (tags, [*tags, "stores"])):
        told = hour_of_week(source, group_by=group_by, **question)
        whole = report(source, measures=LENGTHS_OF_TIME, group_by=group_by, **question)
        summed = told.group_by(names, maintain_order=True).agg(pl.col(LENGTHS_OF_TIME).sum().name.suffix("_w"))
        assert summed.rows() == whole.rows()
