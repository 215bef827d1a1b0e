"""What can be asked of a report, against the oracle: windows, exceptions, policies, bounds, groups, series, targets."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from math import floor
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import InputError
from tests.engine.asking import MICROSECOND, as_of_of, report_of, reports_on
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases, written_windows
from tests.oracle.truth import Bounds, Every, Figures, Policy, Window

SOME = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=SOME, max_examples=examples(20))
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))
TAGS = st.sampled_from(([], ["region"], ["brand"], ["brand", "region"]))
SHORT: tuple[dict[str, Window], ...] = ({"w": "today"}, {"w": "24h"}, {"w": "90m"}, {"w": "yesterday"})

LENGTHS = ("uptime", "downtime", "unknown", "service", "excluded")
BOUNDS = ("uptime_min", "uptime_max")
SHARES = ("coverage", "availability")
Told = Mapping[str, Any]


def told_lengths(row: Told, measures: Iterable[str], suffix: str = "") -> list[int]:
    return [row[f"{measure}{suffix}"] // MICROSECOND for measure in measures]


def told_shares(row: Told, suffix: str = "") -> list[str]:
    """As they would be printed; nothing, where there is none."""
    return ["" if row[name] is None else f"{row[name]:.2f}" for name in (f"{share}{suffix}" for share in SHARES)]


def shares_of(figures: Figures) -> list[str]:
    return [truth.percentage(truth.coverage(figures)), truth.percentage(truth.availability(figures))]


def known_tags(case: Case) -> set[str]:
    return {name for tags in case.tags.values() for name, value in tags.items() if value}


@st.composite
def cases_that_have_polls(draw: st.DrawFn, max_stores: int = 3) -> Case:
    return draw(exceptional_cases(max_stores=max_stores).filter(lambda case: as_of_of(case) is not None))


@st.composite
def asked(draw: st.DrawFn, max_stores: int = 3) -> tuple[Case, dict[str, Window]]:
    case = draw(cases_that_have_polls(max_stores))
    return case, draw(written_windows(case))


@SOME
@given(asked(), POLICIES)
def test_every_figure_of_every_window(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    expected = truth.figures(**vars(case), policy=policy, windows=windows)
    proved = truth.bounds(**vars(case), windows=windows)
    frame = report_of(case, windows, policy=policy, measures=[*LENGTHS, *BOUNDS, *SHARES])
    assert frame["store_id"].to_list() == list(expected)
    for row in frame.rows(named=True):
        for name, figures in expected[row["store_id"]].items():
            assert Figures(*told_lengths(row, LENGTHS, f"_{name}")) == figures
            assert Bounds(*told_lengths(row, BOUNDS, f"_{name}")) == proved[row["store_id"]][name]
            assert told_shares(row, f"_{name}") == shares_of(figures)


@SOME
@given(asked(), POLICIES, TAGS)
def test_every_figure_of_every_group(
    question: tuple[Case, dict[str, Window]], policy: Policy, group_by: list[str]
) -> None:
    case, windows = question
    measures = [*LENGTHS, *BOUNDS, *SHARES]
    if not known_tags(case) >= {*group_by}:
        with pytest.raises(InputError, match="there is no tag"):
            report_of(case, windows, group_by=group_by)
        return
    by_store = truth.figures(**vars(case), policy=policy, windows=windows)
    expected = truth.group_figures(by_store, case.tags, group_by)
    proved = truth.group_bounds(truth.bounds(**vars(case), windows=windows), case.tags, group_by)
    frame = report_of(case, windows, policy=policy, measures=measures, group_by=group_by)
    assert [tuple(row[tag] for tag in group_by) for row in frame.rows(named=True)] == list(expected)
    assert frame["stores"].sum() == len(by_store)
    for row, group in zip(frame.rows(named=True), expected, strict=True):
        members = [
            store for store in by_store if all(case.tags.get(store, {}).get(tag, "") == row[tag] for tag in group_by)
        ]
        assert row["stores"] == len(members)
        for name, figures in expected[group].items():
            assert Figures(*told_lengths(row, LENGTHS, f"_{name}")) == figures
            assert Bounds(*told_lengths(row, BOUNDS, f"_{name}")) == proved[group][name]
            assert told_shares(row, f"_{name}") == shares_of(figures)


def told_series(frame: pl.DataFrame, names: list[str], every: Every) -> list[tuple[Any, ...]]:
    return [
        (*(row[name] for name in names), row[every], Figures(*told_lengths(row, LENGTHS)))
        for row in frame.rows(named=True)
    ]


def on_the_wall(bucket: Any, every: Every) -> Any:
    return bucket if every == "hour" else bucket.date()


@FEW
@given(st.data(), POLICIES, st.sampled_from(("hour", "day", "week", "month")))
def test_every_figure_of_a_series(data: st.DataObject, policy: Policy, every: Every) -> None:
    case = data.draw(cases_that_have_polls(max_stores=2))
    windows = data.draw(st.sampled_from(SHORT) if every == "hour" else written_windows(case, max_size=1))
    by_store = truth.series(**vars(case), policy=policy, windows=windows, every=every)
    answer = reports_on(case)
    asked: dict[str, Any] = {"policy": policy, "measures": LENGTHS, "every": every}
    assert told_series(answer(windows, **asked), ["store_id"], every) == [
        (store_id, on_the_wall(bucket, every), truth.sum_of(part.figures for part in parts))
        for store_id, by_window in by_store.items()
        for told in by_window.values()
        for bucket, parts in groupby(sorted(told, key=lambda part: part.bucket), key=lambda part: part.bucket)
    ]
    group_by = sorted(known_tags(case))
    assert told_series(answer(windows, group_by=group_by, **asked), group_by, every) == [
        (*group, on_the_wall(bucket, every), figures)
        for group, by_window in truth.group_series(by_store, case.tags, group_by).items()
        for told in by_window.values()
        for bucket, figures in told.items()
    ]


@FEW
@given(st.data(), POLICIES)
def test_only_the_stores_where(data: st.DataObject, policy: Policy) -> None:
    case, windows = data.draw(asked())
    tags = sorted(known_tags(case))
    values = {tag: sorted({of.get(tag, "") for of in case.tags.values()} | {""}) for tag in tags}
    where = {
        tag: data.draw(st.sampled_from(values[tag]))
        for tag in data.draw(st.sets(st.sampled_from(tags or [""]))) & {*tags}
    }
    expected = truth.figures(**vars(case), policy=policy, windows=windows, where=where)
    frame = report_of(case, windows, policy=policy, measures=LENGTHS, where=where)
    assert [
        (row["store_id"], *(told_lengths(row, LENGTHS, f"_{name}") for name in windows))
        for row in frame.rows(named=True)
    ] == [(store_id, *([*by_window[name]] for name in windows)) for store_id, by_window in expected.items()]


@FEW
@given(asked(max_stores=2), POLICIES)
def test_versus_the_window_before(question: tuple[Case, dict[str, Window]], policy: Policy) -> None:
    case, windows = question
    frame = report_of(case, windows, policy=policy, measures=[*LENGTHS, *SHARES], versus_previous=True)
    found = truth.compare(**vars(case), policy=policy, windows=windows)
    assert frame["store_id"].to_list() == list(found)
    for row in frame.rows(named=True):
        for name, comparison in found[row["store_id"]].items():
            assert told_lengths(row, LENGTHS, f"_{name}") == [*comparison.now]
            assert told_lengths(row, LENGTHS, f"_{name}_previous") == [*comparison.before]
            assert told_lengths(row, LENGTHS, f"_{name}_change") == [*comparison.change]
            assert told_shares(row, f"_{name}_previous") == shares_of(comparison.before)
            # Of a share the change is that of what is printed.
            printed = zip(shares_of(comparison.now), shares_of(comparison.before), strict=True)
            changes = ["" if "" in pair else f"{Decimal(pair[0]) - Decimal(pair[1]):.2f}" for pair in printed]
            assert told_shares(row, f"_{name}_change") == changes


@FEW
@given(
    asked(),
    POLICIES,
    st.sampled_from(("99.5", "100", "99.9999999", "0.0000001", "33.3", "50"))
    | st.integers(1, 10_000).map(lambda n: f"{n / 100:.2f}"),
)
def test_objectives(question: tuple[Case, dict[str, Window]], policy: Policy, target: str) -> None:
    case, windows = question
    by_store = truth.figures(**vars(case), policy=policy, windows=windows)
    group_by = sorted(known_tags(case))[:1]
    by_group = truth.group_figures(by_store, case.tags, group_by)
    answer = reports_on(case)
    for names, expected in ((None, by_store), (group_by, by_group)):
        frame = answer(windows, policy=policy, measures=[], target=target, group_by=names)
        for row, by_window in zip(frame.rows(named=True), expected.values(), strict=True):
            for name, figures in by_window.items():
                share = truth.target_of(target)
                objective = truth.objective(figures, share)
                budget, spent, left = told_lengths(row, ("budget", "spent", "left"), f"_{name}")
                assert (budget, spent, left) == (floor(objective.budget_us), objective.spent_us, budget - spent)
                assert (left < 0) == truth.breaches(figures, share)
                burn_rate = row[f"burn_rate_{name}"]
                rate = None if objective.burn_rate is None else objective.burn_rate / 100
                assert ("" if burn_rate is None else f"{burn_rate:.2f}") == truth.percentage(rate)
