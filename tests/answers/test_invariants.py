"""What must hold of every answer, whatever the facts: that sums add up, that bounds bound, that what says nothing new
changes nothing.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.engine.asking import as_of_of, report_of, reports_on
from tests.examples import examples
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases, written_windows
from tests.oracle.truth import DEFAULT_ZONE, Every, Policy, SpecialRow, Window

SOME = settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))
DAY = timedelta(days=1)
KNOWN = ("uptime", "downtime", "unknown")
ADDITIVE = (*KNOWN, "service", "excluded", "uptime_min", "uptime_max")


@st.composite
def asked(draw: st.DrawFn, max_stores: int = 3) -> tuple[Case, dict[str, Window]]:
    case = draw(exceptional_cases(max_stores=max_stores).filter(lambda case: as_of_of(case) is not None))
    return case, draw(written_windows(case))


@SOME
@given(asked(), POLICIES)
def test_known_and_unknown_time_are_the_service_time(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    frame = report_of(case, windows, policy=policy, measures=ADDITIVE)
    scheduled = report_of(replace(case, maintenance=()), windows, policy=policy, measures=["service"])
    for name in windows:
        assert (
            frame.select(pl.sum_horizontal(f"{each}_{name}" for each in KNOWN))
            .to_series()
            .equals(frame[f"service_{name}"])
        )
        # What maintenance takes out is all that is missing.
        before_exclusion = frame[f"service_{name}"] + frame[f"excluded_{name}"]
        assert before_exclusion.equals(scheduled[f"service_{name}"])
        assert all((frame[f"{each}_{name}"] >= timedelta()).all() for each in ADDITIVE)


@SOME
@given(asked())
def test_bounds_hold_under_both_policies(question: tuple[Case, dict[str, Window]]) -> None:
    case, windows = question
    answer = reports_on(case)
    for policy in ("carry", "nearest"):
        frame = answer(windows, policy=policy, measures=["uptime", "uptime_min", "uptime_max", "service"])
        for name in windows:
            in_order = [frame[f"{each}_{name}"] for each in ("uptime_min", "uptime", "uptime_max", "service")]
            assert all((one <= other).all() for one, other in pairwise(in_order))


@SOME
@given(st.data(), POLICIES, st.sampled_from(("hour", "day", "week", "month")))
def test_the_parts_of_a_series_sum_to_the_whole(data: st.DataObject, policy: Policy, every: Every) -> None:
    case, windows = data.draw(asked())
    answer = reports_on(case)
    name, window = next(iter(windows.items()))
    whole = answer({name: window}, policy=policy, measures=ADDITIVE)
    parts = answer({name: window}, policy=policy, measures=ADDITIVE, every=every)
    assert parts.select("store_id", every).is_unique().all()
    assert parts.equals(parts.sort("store_id", every))
    summed = parts.group_by("store_id").agg(pl.col(ADDITIVE).sum())
    # A window without any part is empty.
    told = (
        whole.select("store_id").join(summed, on="store_id", how="left", maintain_order="left").fill_null(timedelta())
    )
    assert told.rows() == whole.rows()
    in_all = answer({name: window}, policy=policy, measures=ADDITIVE, every=every, group_by=[])
    assert in_all[every].to_list() == sorted(parts[every].unique())
    assert in_all.select(pl.col(ADDITIVE).sum()).equals(parts.select(pl.col(ADDITIVE).sum()))


@SOME
@given(asked(), POLICIES)
def test_the_groups_sum_to_the_whole(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    lengths = [f"{measure}_{name}" for measure in ADDITIVE for name in windows]
    answer = reports_on(case)
    tags = sorted({tag for tags in case.tags.values() for tag, value in tags.items() if value})
    by_store, *grouped = (
        answer(windows, policy=policy, measures=ADDITIVE, group_by=group_by) for group_by in (None, [], tags, tags[:1])
    )
    for frame in grouped:
        assert frame["stores"].sum() == by_store.height
        assert frame.select(pl.col(lengths).sum()).equals(by_store.select(pl.col(lengths).sum()))
    assert grouped[0].height == min(by_store.height, 1)


@SOME
@given(asked(), POLICIES)
def test_windows_asked_together_are_as_asked_alone(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    """They share a horizon, and the polls up to the last boundary; each may lie long before the others."""
    case, windows = question
    measures = [*ADDITIVE, "coverage", "availability"]
    answer = reports_on(case)
    together = answer(windows, policy=policy, measures=measures)
    for name, window in windows.items():
        alone = answer({name: window}, policy=policy, measures=measures)
        assert alone.equals(together.select(alone.columns))


@SOME
@given(asked(), POLICIES)
def test_polls_after_as_of_change_nothing(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    assume(case.as_of is not None)
    heard = replace(case, polls=[poll for poll in case.polls if case.as_of is None or poll[2] <= case.as_of])
    asked = {"policy": policy, "measures": ADDITIVE, "versus_previous": True}
    assert report_of(heard, windows, **asked).equals(report_of(case, windows, **asked))


@SOME
@given(asked(), POLICIES, st.booleans())
def test_maintenance_over_all_time_leaves_only_what_is_excluded(
    question: tuple[Case, dict[str, Window]],
    policy: Policy,
    in_one: bool,  # noqa: FBT001 - drawn
) -> None:
    case, windows = question
    now = as_of_of(case)
    assert now is not None
    first, last = now - 4000 * DAY, now + 40 * DAY
    rows = (
        [("*", first, last)] if in_one else [("*", first, now - DAY), ("*", now - DAY, now), ("*", now - 2 * DAY, last)]
    )
    closed = report_of(replace(case, maintenance=rows), windows, policy=policy, measures=ADDITIVE)
    open_ = report_of(replace(case, maintenance=()), windows, policy=policy, measures=ADDITIVE)
    for name in windows:
        assert closed[f"excluded_{name}"].equals(open_[f"service_{name}"])
        for measure in ADDITIVE:
            if measure != "excluded":
                assert not closed[f"{measure}_{name}"].sum()
        assert not open_[f"excluded_{name}"].sum()


def weekly_hours_as_special(case: Case) -> list[SpecialRow]:
    """The weekly hours of each store, written out date by date, for a few months up to now."""
    now = as_of_of(case)
    assert now is not None
    rows: list[SpecialRow] = []
    for store_id in {poll[0] for poll in case.polls}:
        today = now.astimezone(ZoneInfo(case.zones.get(store_id, DEFAULT_ZONE))).date()
        weekly = [row for row in case.hours if row[0] == store_id]
        for day in (today - days * DAY for days in range(-2, 100)):
            times = [row[2:] for row in weekly if row[1] == day.weekday()] or [("", "")]
            rows += [(store_id, f"{day}", *pair) for pair in (times if weekly else [("00:00", "24:00")])]
    return rows


@SOME
@given(asked(max_stores=2), POLICIES)
def test_special_hours_that_repeat_the_week_change_nothing(
    question: tuple[Case, dict[str, Window]], policy: Policy
) -> None:
    case, windows = question
    usual, repeated = (
        report_of(replace(case, special_hours=rows), windows, policy=policy, measures=ADDITIVE)
        for rows in ((), weekly_hours_as_special(case))
    )
    assert repeated.equals(usual)


@SOME
@given(asked(), POLICIES)
def test_a_filter_keeps_rows_as_they_are(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    answer = reports_on(case)
    whole = answer(windows, policy=policy, measures=ADDITIVE, versus_previous=True)
    tags = case.tags
    for tag in sorted({tag for of in tags.values() for tag, value in of.items() if value}):
        for value in {of.get(tag, "") for of in tags.values()}:
            some = answer(windows, policy=policy, measures=ADDITIVE, versus_previous=True, where={tag: value})
            kept = [store_id for store_id in whole["store_id"] if tags.get(store_id, {}).get(tag, "") == value]
            # As-of is the newest poll of all, of those that are left out too.
            assert some.equals(whole.filter(pl.col("store_id").is_in(kept)))
