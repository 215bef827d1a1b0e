"""The report against a second implementation that shares nothing with it but the meaning of the words."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import EmptyLakeError
from tests.engine.asking import MICROSECOND, report_of
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import Case, cases
from tests.oracle.truth import Policy, Window
from tests.printed import report_csv

MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=examples(40))
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))


@MANY
@given(case=cases(), policy=POLICIES)
def test_every_figure_is_the_oracle_s(case: Case, policy: Policy) -> None:
    expected = truth.figures(**vars(case), policy=policy)
    if case.as_of is None and not case.polls:
        with pytest.raises(EmptyLakeError):
            report_of(case)
        return
    frame = report_of(case, policy=policy)
    assert frame["store_id"].to_list() == list(expected)
    for row in frame.rows(named=True):
        for window, figure in expected[row["store_id"]].items():
            found = tuple(row[f"{measure}_{window}"] // MICROSECOND for measure in ("uptime", "downtime", "unknown"))
            assert found == (figure.uptime_us, figure.downtime_us, figure.unknown_us), (row["store_id"], window)
    assert report_csv(frame) == truth.report_csv(**vars(case), policy=policy)
    assert report_csv(frame, wide=True) == truth.report_csv(**vars(case), policy=policy, wide=True)


@FEW
@given(case=cases(), policy=POLICIES, random=st.randoms(use_true_random=False))
def test_order_and_repetition_of_rows_change_nothing(case: Case, policy: Policy, random: Random) -> None:
    if not case.polls:
        return
    polls, hours = case.polls * 2, case.hours * 2
    random.shuffle(polls)
    random.shuffle(hours)
    assert report_of(replace(case, polls=polls, hours=hours), policy=policy).equals(report_of(case, policy=policy))


@FEW
@given(case=cases(), policy=POLICIES)
def test_other_stores_do_not_matter(case: Case, policy: Policy) -> None:
    if not case.polls or case.as_of is None:
        return
    whole = report_of(case, policy=policy)
    for store_id in whole["store_id"]:
        polls = [poll for poll in case.polls if poll[0] == store_id]
        alone = report_of(replace(case, polls=polls), policy=policy)
        assert alone.equals(whole.filter(pl.col("store_id") == store_id))


@FEW
@given(case=cases(), policy=POLICIES, cuts=st.lists(st.integers(1, 604_800 * 1_000_000 - 1), max_size=6, unique=True))
def test_the_parts_of_a_window_add_up(case: Case, policy: Policy, cuts: list[int]) -> None:
    if case.as_of is None:
        return
    starts_at = case.as_of - timedelta(days=7)
    edges = [starts_at, *(starts_at + timedelta(microseconds=cut) for cut in sorted(cuts)), case.as_of]
    parts: dict[str, Window] = {f"part {n}": ends for n, ends in enumerate(pairwise(edges))}
    windows = {**parts, "whole": (starts_at, case.as_of)}
    measures = ("service", "uptime", "downtime", "unknown", "uptime_min", "uptime_max")
    answer = report_of(case, windows, policy=policy, measures=measures)
    for measure in measures:
        summed = answer.select(pl.sum_horizontal(f"{measure}_{part}" for part in parts)).to_series()
        assert summed.equals(answer[f"{measure}_whole"])
    known = answer["uptime_whole"] + answer["downtime_whole"] + answer["unknown_whole"]
    assert known.equals(answer["service_whole"])
