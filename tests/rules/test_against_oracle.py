"""Alerts of the past against the oracle: which there are, and from when to when, to the microsecond."""

from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import storemon
from tests.engine.asking import frames_of, window_as_asked
from tests.examples import DEEP
from tests.oracle.alerts import Alert, alerts
from tests.oracle.rules import Kind, Rule, Subject
from tests.oracle.truth import micros

from .worlds import World, rules, worlds, written

EACH_KIND = settings(max_examples=100 if DEEP else 25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS: tuple[Kind, ...] = get_args(Kind)
OF_STORES = ("down", "silent", "below", "burn")
"""Kinds whose subjects are stores, where no tags are named."""


def as_subject(rule: Rule, told: dict[str, Any]) -> Subject:
    """What the product calls a subject, as the oracle does."""
    if rule.kind == "group" and not rule.by:
        assert told["subject"] == "all stores"
        return ()
    if not rule.by:
        return str(told["subject"])
    return tuple(part.partition("=")[2] for part in str(told["subject"]).split(", "))


def told_alerts(world: World, rule: Rule) -> dict[Subject, list[Alert]]:
    """Ask the product, and lay its answer out as the oracle's."""
    found: dict[Subject, list[Alert]] = {}
    told = storemon.alerts(
        frames_of(world.case),
        rules=written(rule),
        windows=[window_as_asked("asked", (world.starts_at, world.ends_at))],
        as_of=world.ends_at,
        carry_limit=world.case.carry_limit,
    )
    for row in told.sort("subject", "fired_at").to_dicts():
        resolved_at = None if row["resolved_at"] is None else micros(row["resolved_at"])
        alert = Alert(micros(row["fired_at"]), resolved_at, row["stale"])
        found.setdefault(as_subject(rule, row), []).append(alert)
    return found


@pytest.mark.parametrize("kind", KINDS)
@EACH_KIND
@given(data=st.data())
def test_alerts_are_the_oracle_s(kind: Kind, data: st.DataObject) -> None:
    rule = data.draw(rules(kind))
    world = data.draw(worlds(max_stores=3 if rule.kind in OF_STORES and not rule.by else 6))
    note(written(rule))
    expected = alerts(world.case, rule, micros(world.starts_at), micros(world.ends_at))
    assert told_alerts(world, rule) == expected
