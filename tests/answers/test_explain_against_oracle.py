"""Every explanation against the oracle, and against the report."""

from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import HealthCheck, given, settings

from storemon import report
from storemon.answers.explanation.parts import Explanation, Reason
from storemon.calendar.windows import Absolute, Window
from tests.answers.explanations import Explained, explained
from tests.engine.asking import frames_of
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import Case
from tests.oracle.exceptions import Exceptions
from tests.oracle.questions import Question

MANY = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
TICK = timedelta(microseconds=1)
SUMS = ("service", "uptime", "downtime", "unknown", "excluded")


@MANY
@given(explanations=explained())
def test_every_explanation_is_the_oracle_s(
    explanations: list[Explained],
) -> None:
    for case, explanation, question, exceptions in explanations:
        assert (explanation.starts_at, explanation.ends_at) == question.window
        timeline = truth.timeline_between(
            *question, carry_limit=case.carry_limit, policy=explanation.policy, **exceptions
        )
        assert [piece[:3] for piece in explanation.pieces] == timeline
        assert explanation.figures == figures_in_report(case, explanation, question)
        check_schedule(explanation, question, exceptions)
        check_spells(explanation, question, case.carry_limit)


def figures_in_report(case: Case, explanation: Explanation, question: Question) -> tuple[timedelta, ...]:
    frame = report(
        frames_of(case),
        measures=SUMS,
        windows=[Window("window", Absolute(*question.window))],
        policy=explanation.policy,
        as_of=question.as_of,
        carry_limit=case.carry_limit,
    )
    return frame.row(by_predicate=pl.col("store_id") == explanation.store_id)[1:]


def check_schedule(explanation: Explanation, question: Question, exceptions: Exceptions) -> None:
    """Each date is the oracle's, whole, and they cover the window without a gap."""
    dates = explanation.schedule
    for day in dates:
        opened = truth.timeline_between(
            *([], question.hours_of_store, question.zone, (day.starts_at, day.ends_at)),
            special_hours=exceptions["special_hours"],
        )
        assert [*day.open] == [piece[:2] for piece in opened]
    assert all(before.ends_at == after.starts_at for before, after in pairwise(dates))
    if explanation.starts_at < explanation.ends_at:
        assert dates[0].starts_at <= explanation.starts_at < dates[0].ends_at
        assert dates[-1].starts_at < explanation.ends_at <= dates[-1].ends_at
    else:
        assert not explanation.spells


def check_spells(explanation: Explanation, question: Question, carry_limit: timedelta) -> None:
    """Each spell has one state throughout, by reasons whose polls say so; and they cover the window without a gap."""
    spells, told = explanation.spells, told_by_polls(question)
    edges = [explanation.starts_at, *(spell.ends_at for spell in spells)]
    assert edges[-1] == explanation.ends_at
    assert edges[:-1] == [spell.starts_at for spell in spells]
    assert all(before.state != after.state for before, after in pairwise(spells))
    for spell in spells:
        for at in (spell.starts_at, spell.ends_at - TICK):
            of_oracle = (question.polls_of_store, at, question.as_of, carry_limit, explanation.policy)
            assert truth.state_at(*of_oracle) == spell.state
        reasons = spell.because
        assert [spell.starts_at, *(each.ends_at for each in reasons)] == [
            *(each.starts_at for each in reasons),
            spell.ends_at,
        ]
        for reason in reasons:
            check_reason(reason, spell.state, told, carry_limit)
    for state, figure in zip(("active", "inactive", "unknown"), explanation.figures[1:4], strict=True):
        assert sum((spell.open_time for spell in spells if spell.state == state), timedelta()) == figure


def check_reason(reason: Reason, state: str, told: dict[datetime, str], carry_limit: timedelta) -> None:
    if reason.furthest is None:
        assert (state, reason.polls) == ("unknown", 0)
        assert reason.first_poll is None or reason.first_poll + carry_limit <= reason.starts_at
        return
    assert reason.first_poll is not None
    assert reason.last_poll is not None
    deciding = [said for at, said in told.items() if reason.first_poll <= at <= reason.last_poll]
    assert len(deciding) == reason.polls
    assert {*deciding} == {state}
    assert timedelta() < reason.furthest <= carry_limit
    beside = {"latest": reason.first_poll <= reason.starts_at, "first": reason.ends_at <= reason.first_poll}
    assert beside.get(reason.rule, True)


def told_by_polls(question: Question) -> dict[datetime, str]:
    """What the polls at or before as-of say, for each instant once; of two that disagree the inactive one."""
    told: dict[datetime, str] = {}
    for _, status, at in question.polls_of_store:
        if at <= question.as_of:
            told[at] = "inactive" if "inactive" in (status, told.get(at)) else "active"
    return told
