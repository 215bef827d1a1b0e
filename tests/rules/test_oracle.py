"""The oracle of rules against itself: asked instant by instant, minute by minute, and by watchers told late."""

from dataclasses import replace
from datetime import timedelta
from itertools import cycle, pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.oracle.alerts import (
    alerts,
    alerts_as_they_come,
    alerts_by_ticks,
    as_seen,
    begins,
    lifecycle,
    open_time_of,
)
from tests.oracle.known import Facts
from tests.oracle.rules import Kind, Piece, Rule, Subject, said_at, stretches, subjects
from tests.oracle.service_time import instant
from tests.oracle.truth import figures_between, micros, now

from .worlds import MINUTE, World, rules, worlds

SOME = settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
KINDS: tuple[Kind, ...] = get_args(Kind)
BY_MINUTES: tuple[Kind, ...] = ("down", "silent", "group")
"""Kinds that change at the beginnings of minutes alone, if all else does."""
TICK = MINUTE // timedelta(microseconds=1)
DELAYS = st.lists(st.sampled_from((0, 0, 1, 5, 20, 90)), min_size=1, max_size=6)
"""Of polls, in minutes."""


def all_stretches(world: World, rule: Rule) -> tuple[Facts, dict[Subject, list[Piece]]]:
    ends = micros(world.ends_at)
    facts = Facts(world.case, ends, rule.reach)
    return facts, {
        subject: stretches(facts, rule, subject, begins(facts, rule, subject), ends)
        for subject in subjects(facts, rule)
    }


@pytest.mark.parametrize("kind", KINDS)
@SOME
@given(data=st.data())
def test_stretches_say_what_is_said_at_each_instant(kind: Kind, data: st.DataObject) -> None:
    rule, world = data.draw(rules(kind)), data.draw(worlds())
    random = data.draw(st.randoms(use_true_random=False))
    facts, found = all_stretches(world, rule)
    for subject, told in found.items():
        for piece in told:
            within = {random.randrange(piece.starts, piece.ends) for _ in range(20)}
            for t in within | {piece.starts, piece.ends - 1}:
                assert said_at(facts, rule, subject, t) == piece.said
        assert all(one.ends == next_one.starts for one, next_one in pairwise(told))


@SOME
@given(worlds())
def test_what_is_known_is_as_the_other_oracles_tell_it(world: World) -> None:
    case, day = world.case, timedelta(days=1)
    facts = Facts(case, micros(world.ends_at), day)
    found = now(
        *(case.polls, case.hours, case.zones, world.ends_at, case.carry_limit),
        special_hours=case.special_hours,
        maintenance=case.maintenance,
    )
    t = micros(world.ends_at)
    assert [*facts.stores] == [*found]
    for store_id, one in found.items():
        store = facts.stores[store_id]
        assert (store.state(t), store.is_open(t), instant(store.since(t))) == one[:3]
        assert store.open_time(store.since(t), t) == one.open_time_us
        figures = figures_between(
            [poll for poll in case.polls if poll[0] == store_id],
            [row for row in case.hours if row[0] == store_id],
            case.zones.get(store_id),
            (world.ends_at - day, world.ends_at),
            world.ends_at,
            carry_limit=case.carry_limit,
            special_hours=[row for row in case.special_hours if row[0] in (store_id, "*")],
            maintenance=[row for row in case.maintenance if row[0] in (store_id, "*")],
        )
        assert store.figures(day, t)[:4] == figures[:4]


@pytest.mark.parametrize("kind", BY_MINUTES)
@SOME
@given(data=st.data())
def test_a_watcher_of_each_minute_finds_the_same(kind: Kind, data: st.DataObject) -> None:
    rule = data.draw(rules(kind))
    world = data.draw(worlds(days=3, by_minutes=True))
    looks_from = min(micros(poll[2]) for poll in world.case.polls)
    ends = micros(world.ends_at)
    expected = alerts(world.case, rule, looks_from, ends)
    assert alerts_by_ticks(world.case, rule, looks_from, ends) == expected


@pytest.mark.parametrize("kind", ["below", "burn"])
@SOME
@given(data=st.data())
def test_a_watcher_of_each_minute_is_at_most_a_minute_late(kind: Kind, data: st.DataObject) -> None:
    rule = data.draw(rules(kind))
    world = data.draw(worlds(days=3, by_minutes=True))
    facts, found = all_stretches(world, rule)
    for subject, told in found.items():
        open_time = open_time_of(facts, rule, subject)
        ticks = range(begins(facts, rule, subject), facts.ends, TICK)
        seen = as_seen([(t, facts) for t in ticks], rule, subject, facts.ends)
        if any(piece.ends - piece.starts < 2 * TICK for piece in told):
            continue  # a look may miss it
        exact, late = (lifecycle(pieces, timedelta(0), open_time) for pieces in (told, seen))
        assert len(exact) == len(late)
        for true, ticked in zip(exact, late, strict=True):
            assert 0 <= ticked.fired_at - true.fired_at < TICK
            assert (ticked.resolved_at is None) == (true.resolved_at is None)
            assert 0 <= (ticked.resolved_at or 0) - (true.resolved_at or 0) < TICK


@SOME
@given(worlds(max_stores=1, days=3, by_minutes=True), rules("down"), DELAYS)
def test_what_is_told_late_is_found_once_it_is_told(world: World, rule: Rule, delays: list[int]) -> None:
    """When all has come, an alert is open if the rule holds, and none if it is clear, whatever was seen before."""
    rule, case = replace(rule, recovery=timedelta(0)), world.case
    arrivals = {poll: micros(poll[2]) + delay * TICK for poll, delay in zip(case.polls, cycle(delays), strict=False)}
    last = max(arrivals.values())
    looks = [*range(min(arrivals.values()), last, 10 * TICK), last]
    seen = alerts_as_they_come(case, rule, looks, last + 1, arrivals)
    facts = Facts(case, last + 1, rule.reach)
    for subject in subjects(facts, rule):
        is_open = subject in seen and seen[subject][-1].resolved_at is None
        said = said_at(facts, rule, subject, last)
        assert is_open if said == "holds" else not is_open if said == "clear" else True
        for alert in seen.get(subject, []):
            known = [poll for poll in case.polls if arrivals[poll] <= alert.fired_at]
            then = Facts(replace(case, polls=known), last + 1, rule.reach)
            assert said_at(then, rule, subject, alert.fired_at) == "holds"
