"""Every explanation against the oracle, and against the report."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import Frames, report
from storemon.engine.explain import explain
from storemon.engine.explanation import Explanation
from storemon.engine.question import Policy
from storemon.engine.windows import Absolute, Window
from tests.oracle import truth
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases, written_windows
from tests.oracle.exceptions import Exceptions
from tests.oracle.questions import Question, questions

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))
SUMS = ("service", "uptime", "downtime", "unknown", "excluded")


def frames_of(case: Case) -> Frames:
    """The facts of a case, with the CSVs' columns."""

    def frame(rows: Sequence[tuple[object, ...]], **schema: pl.DataType | type[pl.DataType]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=schema, orient="row")

    # The oracle takes a row with hours to outweigh one that says closed; what is given must not say both.
    with_hours = {row[:2] for row in case.special_hours if row[2]}
    special_hours = [row for row in case.special_hours if row[2] or row[:2] not in with_hours]
    text, at = pl.String, pl.Datetime("us", "UTC")
    times = {"start_time_local": text, "end_time_local": text}
    return Frames(
        polls=frame(case.polls, store_id=text, status=text, timestamp_utc=at),
        hours=frame(case.hours, store_id=text, dayOfWeek=pl.Int64, **times),
        zones=frame([*case.zones.items()], store_id=text, timezone_str=text),
        special_hours=frame(special_hours, store_id=text, date=text, **times),
        maintenance=frame(case.maintenance, store_id=text, starts_at_utc=at, ends_at_utc=at).with_columns(
            reason=pl.lit("works")
        ),
    )


def asked_of(written: truth.Window) -> Window | str:
    if isinstance(written, timedelta):
        raise TypeError(written)
    return written if isinstance(written, str) else Window("absolute", Absolute(*written))


@st.composite
def explained(draw: st.DrawFn) -> list[tuple[Case, Explanation, Question, Exceptions]]:
    """The explanations of all stores of a case in one window, each with what the oracle is asked for."""
    case, policy = draw(exceptional_cases()), draw(POLICIES)
    window = draw(written_windows(case, max_size=1))
    facts = (case.polls, case.hours, case.zones, case.as_of)
    exceptions = Exceptions(special_hours=case.special_hours, maintenance=case.maintenance)
    found = []
    for store_id, (asked,) in (
        (store_id, by_window.values())
        for store_id, by_window in questions(*facts, windows=window, **exceptions).items()
    ):
        explanation = explain(
            frames_of(case),
            store_id,
            windows=[asked_of(written) for written in window.values()],
            policy=policy,
            as_of=case.as_of,
            carry_limit=case.carry_limit,
        )
        found.append((case, explanation, *asked))
    return found


@MANY
@given(given_explanations=explained())
def test_pieces_and_figures_are_the_oracle_s_and_the_report_s(
    given_explanations: list[tuple[Case, Explanation, Question, Exceptions]],
) -> None:
    for case, explanation, question, exceptions in given_explanations:
        timeline = truth.timeline_between(
            *question, carry_limit=case.carry_limit, policy=explanation.policy, **exceptions
        )
        assert [piece[:3] for piece in explanation.pieces] == timeline
        assert (explanation.starts_at, explanation.ends_at) == question.window
        frame = report(
            frames_of(case),
            measures=SUMS,
            windows=[Window("window", Absolute(*question.window))],
            policy=explanation.policy,
            as_of=question.as_of,
            carry_limit=case.carry_limit,
        )
        row = frame.row(by_predicate=pl.col("store_id") == explanation.store_id)
        assert explanation.figures == row[1:]


@MANY
@given(given_explanations=explained())
def test_the_schedule_of_each_date_is_the_oracle_s(
    given_explanations: list[tuple[Case, Explanation, Question, Exceptions]],
) -> None:
    for _, explanation, question, exceptions in given_explanations:
        for before, after in pairwise(explanation.schedule):
            assert before.ends_at == after.starts_at
        for day in explanation.schedule:
            opened = truth.timeline_between(
                *([], question.hours_of_store, question.zone, (day.starts_at, day.ends_at)),
                special_hours=exceptions["special_hours"],
            )
            assert [*day.open] == [piece[:2] for piece in opened]
        if explanation.schedule:
            assert explanation.schedule[0].starts_at <= explanation.starts_at
            assert explanation.ends_at <= explanation.schedule[-1].ends_at
        else:
            assert explanation.starts_at == explanation.ends_at


@MANY
@given(given_explanations=explained())
def test_spells_and_their_reasons_are_the_oracle_s(
    given_explanations: list[tuple[Case, Explanation, Question, Exceptions]],
) -> None:
    tick = timedelta(microseconds=1)
    for case, explanation, question, _ in given_explanations:
        told = truth_of(question)
        edges = [spell.starts_at for spell in explanation.spells] + [explanation.ends_at]
        assert edges[0] == explanation.starts_at
        assert all(before.state != after.state for before, after in pairwise(explanation.spells))
        for spell, ends_at in zip(explanation.spells, edges[1:], strict=True):
            assert spell.ends_at == ends_at
            for at in (spell.starts_at, spell.ends_at - tick):
                state = truth.state_at(
                    question.polls_of_store, at, question.as_of, case.carry_limit, explanation.policy
                )
                assert state == spell.state
            assert [spell.starts_at, *(reason.ends_at for reason in spell.because)] == [
                *(reason.starts_at for reason in spell.because),
                spell.ends_at,
            ]
            for reason in spell.because:
                if reason.first_poll is None or reason.last_poll is None or reason.furthest is None:
                    assert spell.state == "unknown"
                    continue
                deciding = [at for at in told if reason.first_poll <= at <= reason.last_poll]
                assert len(deciding) == reason.polls
                assert {told[at] for at in deciding} == {spell.state}
                assert timedelta() < reason.furthest <= case.carry_limit
        of_state = {
            state: sum((spell.open_time for spell in explanation.spells if spell.state == state), timedelta())
            for state in ("active", "inactive", "unknown")
        }
        assert [*of_state.values()] == [*explanation.figures[1:4]]


def truth_of(question: Question) -> dict[datetime, str]:
    """What the polls at or before as-of say, for each instant once; of two that disagree the inactive one."""
    told: dict[datetime, str] = {}
    for _, status, at in question.polls_of_store:
        if at <= question.as_of:
            told[at] = "inactive" if "inactive" in (status, told.get(at)) else "active"
    return told
