"""Outages against the oracle, which looks at every poll there ever was: one by one, and what they come to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon.answers import outages as engine
from storemon.answers.outages import outages
from tests.engine.asking import MICROSECOND, as_of_of, frames_of, report_of, windows_as_asked
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import NUDGES, Case
from tests.oracle.exceptional_cases import exceptional_cases, written_windows

MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=examples(60))
POLICIES: st.SearchStrategy[truth.Policy] = st.sampled_from(("carry", "nearest"))
UNTOUCHED = st.booleans()
LOOKS_BACK = st.sampled_from((1, 3_600_000_000, 86_400_000_000, 90 * 86_400_000_000))
EVERY: st.SearchStrategy[truth.Every] = st.sampled_from(get_args(truth.Every))
MEASURES = ["outages", "longest_outage", "mttr", "mtbf"]
Row = dict[str, Any]


def listed(case: Case, windows: Mapping[str, truth.Window], policy: truth.Policy) -> list[Row]:
    frame = outages(
        frames_of(case),
        windows=windows_as_asked(windows),
        as_of=case.as_of,
        carry_limit=case.carry_limit,
        policy=policy,
    )
    return frame.rows(named=True)


def expected(case: Case, windows: Mapping[str, truth.Window], policy: truth.Policy) -> list[Row]:
    by_store = truth.outages(**vars(case), policy=policy, windows=windows)
    return [
        {
            "store_id": store_id,
            "window": name,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "downtime": one.downtime_us * MICROSECOND,
            "whole_downtime": one.whole_downtime_us * MICROSECOND,
            "elapsed": one.elapsed_us * MICROSECOND,
            "ongoing": one.ongoing,
            "started_after": one.started_after,
            "ended_before": one.ended_before,
        }
        for name in windows
        for store_id, by_window in by_store.items()
        for one in by_window[name]
    ]


def as_told(summary: truth.Summary) -> tuple[int | timedelta | None, ...]:
    means = (None if mean is None else int(mean) * MICROSECOND for mean in (summary.mttr_us, summary.mtbf_us))
    longest = None if summary.longest_us is None else summary.longest_us * MICROSECOND
    return summary.number, longest, *means


@st.composite
def in_the_past(draw: st.DrawFn) -> Case:
    """A case whose as-of lies among its polls."""
    case = draw(exceptional_cases())
    if not case.polls or draw(UNTOUCHED):
        return case
    _, _, polled_at = draw(st.sampled_from(case.polls))
    return replace(case, as_of=polled_at + draw(NUDGES))


CASES = in_the_past()


@MANY
@given(CASES, st.data(), POLICIES, LOOKS_BACK)
def test_every_outage_is_the_oracle_s(case: Case, data: st.DataObject, policy: truth.Policy, look_back_us: int) -> None:
    if as_of_of(case) is None:
        return
    windows = data.draw(written_windows(case))
    with pytest.MonkeyPatch.context() as patched:
        # However far it looks back at first.
        patched.setattr(engine, "_LOOK_BACK_US", look_back_us)
        assert listed(case, windows, policy) == expected(case, windows, policy)


@MANY
@given(CASES, st.data(), POLICIES)
def test_what_they_come_to_is_the_oracle_s(case: Case, data: st.DataObject, policy: truth.Policy) -> None:
    if as_of_of(case) is None:
        return
    windows = data.draw(written_windows(case))
    frame = report_of(case, windows, measures=MEASURES, policy=policy)
    by_store = truth.summaries(**vars(case), policy=policy, windows=windows)
    assert frame["store_id"].to_list() == [*by_store]
    for name in windows:
        found = frame.select(f"{measure}_{name}" for measure in MEASURES).rows()
        assert found == [as_told(by_window[name]) for by_window in by_store.values()]


@FEW
@given(CASES, st.data(), POLICIES)
def test_groups_come_to_the_oracle_s(case: Case, data: st.DataObject, policy: truth.Policy) -> None:
    if as_of_of(case) is None or not case.tags:
        return
    windows = data.draw(written_windows(case, max_size=2))
    told = truth.outages(**vars(case), policy=policy, windows=windows)
    figures = truth.figures(**vars(case), policy=policy, windows=windows)
    by = data.draw(st.sampled_from(([], ["region"], ["brand", "region"])))
    by = [tag for tag in by if any(tags.get(tag) for tags in case.tags.values())]
    by_group = truth.group_summaries(told, figures, case.tags, by)
    frame = report_of(case, windows, measures=MEASURES, policy=policy, group_by=by)
    for name in windows:
        found = frame.select(f"{measure}_{name}" for measure in MEASURES).rows()
        assert found == [as_told(by_window[name]) for by_window in by_group.values()]


@FEW
@given(CASES, st.data(), POLICIES, EVERY)
def test_what_they_come_to_in_a_series_is_the_oracle_s(
    case: Case, data: st.DataObject, policy: truth.Policy, every: truth.Every
) -> None:
    if as_of_of(case) is None:
        return
    windows = {"w": data.draw(st.sampled_from(("36h", "today")) if every == "hour" else st.just("9d"))}
    frame = report_of(case, windows, measures=["outages", "longest_outage", "mttr"], policy=policy, every=every)
    found = [(row[0], row[2:]) for row in frame.rows()]
    expected = []
    asked = {**vars(case), "policy": policy}
    for store_id, by_window in truth.series(**asked, windows=windows, every=every).items():
        buckets: dict[Any, dict[str, truth.Window]] = {}
        for part in by_window["w"]:
            buckets.setdefault(part.bucket, {})[str(part.starts_at)] = (part.starts_at, part.ends_at)
        for parts in buckets.values():
            told = truth.outages(**asked, windows=parts)[store_id]
            # What lies in two parts of one bucket is one outage.
            whole: dict[datetime, truth.Outage] = {}
            for one in (one for in_part in told.values() for one in in_part):
                before = whole.get(one.starts_at)
                whole[one.starts_at] = one._replace(downtime_us=one.downtime_us + (before.downtime_us if before else 0))
            expected.append((store_id, as_told(truth.summary([*whole.values()], 0))[:3]))
    assert found == expected
