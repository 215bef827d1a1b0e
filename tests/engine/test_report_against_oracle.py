"""The engine against a second implementation that shares nothing with it but the meaning of the words."""

from datetime import timedelta
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import EmptyLakeError, Frames, report
from storemon.engine.report import figures
from storemon.engine.windows import Window
from storemon.views.export import report_csv
from tests.oracle import truth
from tests.oracle.cases import Case, cases

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=40)


def frames_of(case: Case) -> Frames:
    polls = pl.DataFrame(
        case.polls,
        schema={"store_id": pl.String, "status": pl.String, "timestamp_utc": pl.Datetime("us", "UTC")},
        orient="row",
    )
    hours = pl.DataFrame(
        case.hours,
        schema={
            "store_id": pl.String,
            "dayOfWeek": pl.Int64,
            "start_time_local": pl.String,
            "end_time_local": pl.String,
        },
        orient="row",
    )
    zones = pl.DataFrame([*case.zones.items()], schema={"store_id": pl.String, "timezone_str": pl.String}, orient="row")
    return Frames(polls=polls, hours=hours, zones=zones)


def report_of(case: Case) -> pl.DataFrame:
    return report(frames_of(case), as_of=case.as_of, carry_limit=case.carry_limit)


@MANY
@given(case=cases())
def test_every_figure_is_the_oracle_s(case: Case) -> None:
    expected = truth.figures(**vars(case))
    if case.as_of is None and not case.polls:
        with pytest.raises(EmptyLakeError):
            report_of(case)
        return
    frame = report_of(case)
    assert frame["store_id"].to_list() == list(expected)
    for row in frame.rows(named=True):
        for window, figure in expected[row["store_id"]].items():
            found = tuple(
                row[f"{measure}_{window}"] // timedelta(microseconds=1) for measure in ("uptime", "downtime", "unknown")
            )
            assert found == (figure.uptime_us, figure.downtime_us, figure.unknown_us), (row["store_id"], window)
    assert report_csv(frame) == truth.report_csv(**vars(case))
    assert report_csv(frame, wide=True) == truth.report_csv(**vars(case), wide=True)


@FEW
@given(case=cases(), random=st.randoms(use_true_random=False))
def test_order_and_repetition_of_rows_change_nothing(case: Case, random: Random) -> None:
    if not case.polls:
        return
    polls, hours = case.polls * 2, case.hours * 2
    random.shuffle(polls)
    random.shuffle(hours)
    assert report_of(Case(polls, hours, case.zones, case.as_of, case.carry_limit)).equals(report_of(case))


@FEW
@given(case=cases())
def test_other_stores_do_not_matter(case: Case) -> None:
    if not case.polls or case.as_of is None:
        return
    whole = report_of(case)
    for store_id in whole["store_id"]:
        polls = [poll for poll in case.polls if poll[0] == store_id]
        alone = report_of(Case(polls, case.hours, case.zones, case.as_of, case.carry_limit))
        assert alone.equals(whole.filter(pl.col("store_id") == store_id))


@FEW
@given(case=cases(), cuts=st.lists(st.integers(1, 604_800 * 1_000_000 - 1), max_size=6, unique=True))
def test_the_parts_of_a_window_add_up(case: Case, cuts: list[int]) -> None:
    if case.as_of is None:
        return
    starts_at = case.as_of - timedelta(days=7)
    edges = [starts_at, *(starts_at + timedelta(microseconds=cut) for cut in sorted(cuts)), case.as_of]
    parts = tuple(Window(f"part {n}", *ends) for n, ends in enumerate(pairwise(edges)))
    windows = (*parts, Window("whole", starts_at, case.as_of))
    answer = figures(frames_of(case), windows, case.as_of, case.carry_limit)
    is_whole = pl.col("window_name") == "whole"
    whole = answer.filter(is_whole).drop("window_name").sort("store_id")
    summed = answer.filter(~is_whole).drop("window_name").group_by("store_id").sum().sort("store_id")
    assert summed.select(whole.columns).equals(whole)
    assert (whole["uptime_us"] + whole["downtime_us"] + whole["unknown_us"]).equals(whole["service_us"])
