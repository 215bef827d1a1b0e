"""The oracle's hour of week and its series, pinned to the page by hand.

Chicago is UTC-6 in winter and UTC-5 in summer. Its clocks go from 02:00 back to 01:00 on Sunday, November 3, 2024
(07:00 UTC), and from 02:00 to 03:00 on Sunday, March 10, 2024 (08:00 UTC).
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .exceptional_cases import exceptional_cases, figures_in
from .truth import (
    CELLS,
    Every,
    Figures,
    Policy,
    Poll,
    Row,
    Window,
    figures,
    group_figures,
    group_hour_of_week,
    group_series,
    hour_of_week,
    hour_of_week_between,
    series,
    sum_of,
)

CHICAGO = "America/Chicago"
HOUR = 3_600_000_000
MON, SUN = 0, 6
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))
EVERY: st.SearchStrategy[Every] = st.sampled_from(("hour", "day", "week", "month"))


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def test_cells_are_local_hours() -> None:
    # Monday 09:15 to 11:00 in Chicago is 14:15 to 16:00 UTC; up, down from 15:30 UTC, which is 10:30.
    hours: list[Row] = [("a", MON, "09:15", "11:00")]
    told: list[Poll] = [("a", "active", utc("2024-10-07 12:00")), ("a", "inactive", utc("2024-10-07 15:30"))]
    window = utc("2024-09-30"), utc("2024-10-14")
    maintenance = [("a", utc("2024-10-07 14:15"), utc("2024-10-07 14:30"))]
    limit = timedelta(days=1)
    found = hour_of_week_between(told, hours, CHICAGO, window, carry_limit=limit, maintenance=maintenance)
    assert list(found) == CELLS == [(day, hour) for day in range(7) for hour in range(24)]
    # Two Mondays: of the first nothing is known.
    assert {cell: one for cell, one in found.items() if any(one)} == {
        (MON, 9): Figures(HOUR // 2, 0, 3 * HOUR // 4, 5 * HOUR // 4, HOUR // 4),
        (MON, 10): Figures(HOUR // 2, HOUR // 2, HOUR, 2 * HOUR),
    }


def test_hours_that_the_clocks_show_alike_are_one_cell() -> None:
    told: list[Poll] = [("a", "active", utc("2024-11-03 07:00")), ("a", "inactive", utc("2024-11-03 07:45"))]
    window = utc("2024-11-03 05:30"), utc("2024-11-03 08:30")
    found = hour_of_week_between(told, [], CHICAGO, window)
    assert {cell: one for cell, one in found.items() if any(one)} == {
        (SUN, 0): Figures(HOUR // 2, 0, 0, HOUR // 2),
        (SUN, 1): Figures(7 * HOUR // 4, HOUR // 4, 0, 2 * HOUR),
        (SUN, 2): Figures(0, HOUR // 2, 0, HOUR // 2),
    }
    # In spring the hour from 02:00 isn't there.
    found = hour_of_week_between(told, [], CHICAGO, (utc("2024-03-10 06:00"), utc("2024-03-11 05:00")))
    assert [hour for (day, hour), one in found.items() if any(one)] == [0, 1, *range(3, 24)]


def test_a_group_s_cells_are_each_store_s_own_hours() -> None:
    hours: list[Row] = [("a", MON, "09:00", "10:00"), ("b", MON, "09:00", "10:00")]
    told: list[Poll] = [("a", "active", utc("2024-10-08")), ("b", "inactive", utc("2024-10-08"))]
    zones = {"a": "America/New_York", "b": "America/Los_Angeles"}
    windows: dict[str, Window] = {"last-week": "last-week", "last_day": timedelta(days=1)}
    by_store = hour_of_week(told, hours, zones, windows=windows)
    by_group = group_hour_of_week(by_store, {}, [])
    assert by_group[()]["last_day"][MON, 9] == Figures(HOUR, HOUR, 0, 2 * HOUR)
    assert sum_of(by_group[()]["last_day"].values()) == Figures(HOUR, HOUR, 0, 2 * HOUR)


def test_series_of_days() -> None:
    # As-of is Monday 18:00 in Chicago. Up from the first poll's reach, down from Sunday 12:00 (18:00 UTC) on.
    told: list[Poll] = [("a", "active", utc("2024-11-02 06:00")), ("a", "inactive", utc("2024-11-03 18:00"))]
    window = utc("2024-11-02 05:00"), utc("2024-12-01")
    as_of = utc("2024-11-05")
    (parts,) = series(told, [], {}, as_of, every="day", windows={"w": window})["a"].values()
    assert [(f"{part.starts_at:%m-%d %H}", f"{part.ends_at:%m-%d %H}", f"{part.bucket:%m-%d}") for part in parts] == [
        ("11-02 05", "11-03 05", "11-02"),
        ("11-03 05", "11-04 06", "11-03"),
        ("11-04 06", "11-05 00", "11-04"),
    ]
    assert [part.figures[:3] for part in parts] == [(24 * HOUR, 0, 0), (13 * HOUR, 12 * HOUR, 0), (0, 18 * HOUR, 0)]


def test_a_group_s_series_adds_up_what_the_stores_call_the_same() -> None:
    told: list[Poll] = [("a", "active", utc("2024-10-08")), ("b", "active", utc("2024-10-08"))]
    zones = {"a": "UTC", "b": "Etc/GMT-2"}
    windows = {"w": (utc("2024-10-07 20:00"), utc("2024-10-08"))}
    found = group_series(series(told, [], zones, every="day", windows=windows), {}, [])
    # At UTC+2 the 8th has two of these hours.
    assert {f"{bucket:%m-%d}": one.uptime_us // HOUR for bucket, one in found[()]["w"].items()} == {
        "10-07": 6,
        "10-08": 2,
    }


WEEK_OR_LESS = st.integers(1, 7 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=examples(25), deadline=None)
@given(st.data(), POLICIES)
def test_cells_sum_to_the_window(data: st.DataObject, policy: Policy) -> None:
    case = data.draw(exceptional_cases(max_stores=2))
    windows = {"w": data.draw(WEEK_OR_LESS)}
    measured = figures(**vars(case), policy=policy, windows=windows)
    by_store = hour_of_week(**vars(case), policy=policy, windows=windows)
    for store_id, by_window in by_store.items():
        assert sum_of(by_window["w"].values()) == measured[store_id]["w"]
    for group, by_window in group_hour_of_week(by_store, case.tags, ["region"]).items():
        assert sum_of(by_window["w"].values()) == group_figures(measured, case.tags, ["region"])[group]["w"]


@settings(max_examples=examples(25), deadline=None)
@given(st.data(), POLICIES, EVERY)
def test_parts_of_a_series_are_windows_and_sum_to_the_whole(data: st.DataObject, policy: Policy, every: Every) -> None:
    case = data.draw(exceptional_cases(max_stores=1))
    long = st.integers(0, 70).map(lambda days: timedelta(days=days))
    windows = {
        "w": data.draw(st.integers(1, 40).map(lambda hours: timedelta(hours=hours)) if every == "hour" else long)
    }
    measured = figures(**vars(case), policy=policy, windows=windows)
    by_store = series(**vars(case), policy=policy, windows=windows, every=every)
    for store_id, by_window in by_store.items():
        assert sum_of(part.figures for part in by_window["w"]) == measured[store_id]["w"]
        for part in by_window["w"]:
            assert part.figures == figures_in(case, (part.starts_at, part.ends_at), policy)
    for by_group in group_series(by_store, case.tags, []).values():
        assert sum_of(by_group["w"].values()) == sum_of(store["w"] for store in measured.values())
