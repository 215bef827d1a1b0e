"""Alerts that fired long before the window, of which little or nothing is known since. Times are hours."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from tests.oracle.alerts import Alert, alerts
from tests.oracle.cases import Case
from tests.oracle.rules import Rule
from tests.oracle.service_time import micros
from tests.oracle.truth import Row

from .test_against_oracle import told_alerts
from .worlds import HOUR, MINUTE, World

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
MONDAYS: list[Row] = [("a", 0, "09:00", "17:00")]
LONG = 120 * HOUR
DOWN = Rule("down", lasting=15 * MINUTE)
BELOW = Rule("below", threshold=Fraction(1, 2), windows=(HOUR,))
BURN = Rule("burn", threshold=Fraction(2), target=Fraction(9, 10), windows=(2 * HOUR, HOUR))
GROUP = Rule("group", count=1, by=("region",))
US = 1 / 3_600_000_000
"""A microsecond."""


def more(rule: Rule, recovery: timedelta) -> Rule:
    return Rule(**{**vars(rule), "recovery": recovery})


SILENT = [(0.0, "active"), *((24.0 + hour, "active") for hour in range(73))]
DOWN_ONCE, A_DAY_DOWN = [(16.0, "inactive")], [(0.0, "inactive"), (24.0, "active")]
KNOWN_AGAIN = [*DOWN_ONCE, (110.0, "active")]
# The rule, polls, the carry limit, hours, the window, and fired, resolved, stale.
CASES = {
    "down, and unknown since": (DOWN, DOWN_ONCE, 24, [], (100, 125), (16, None, True)),
    "down, unknown, up in the window": (DOWN, KNOWN_AGAIN, 24, [], (100, 125), (16, 110, False)),
    "below, unknown, up in the window": (BELOW, KNOWN_AGAIN, 24, [], (100, 125), (16, 110.5, False)),
    "burns, unknown, up in the window": (BURN, KNOWN_AGAIN, 24, [], (100, 125), (16, 110 + US, False)),
    "below, and closed since": (BELOW, DOWN_ONCE, 24, MONDAYS, (100, 125), (16, None, False)),
    "a group, and closed since": (GROUP, DOWN_ONCE, 24, MONDAYS, (100, 125), (16, None, False)),
    "a group, closed, up when it opens": (GROUP, KNOWN_AGAIN, 240, MONDAYS, (100, 180), (16, 177, False)),
    "down, and up for too short a time": (more(DOWN, LONG), A_DAY_DOWN, 240, [], (72, 96), (0, None, False)),
    "silent, and polled for too short a time": (
        *(more(Rule("silent", lasting=6 * HOUR), LONG), SILENT, 240, [], (72, 96)),
        (6, None, False),
    ),
    "below, and up for too short a time": (more(BELOW, LONG), A_DAY_DOWN, 240, [], (72, 96), (0, None, False)),
    "burns, and up for too short a time": (more(BURN, LONG), A_DAY_DOWN, 240, [], (72, 96), (0, None, False)),
    "a group, and up for too short a time": (more(GROUP, LONG), A_DAY_DOWN, 240, [], (72, 96), (0, None, False)),
}


@pytest.mark.parametrize("named", CASES)
def test_what_fired_long_before(named: str) -> None:
    rule, polls, limit, hours, window, (fired_at, resolved_at, stale) = CASES[named]

    def at(hour: float) -> datetime:
        return MIDNIGHT + timedelta(microseconds=round(hour * 3_600_000_000))

    told = [("a", status, at(hour)) for hour, status in polls]
    case = Case(told, hours, {"a": "UTC"}, None, limit * HOUR, tags={"a": {"region": "West"}})
    world = World(case, at(window[0]), at(window[1]))
    by_hand = [Alert(micros(at(fired_at)), None if resolved_at is None else micros(at(resolved_at)), stale)]
    judged = alerts(case, rule, micros(world.starts_at), micros(world.ends_at))
    assert [*judged.values()] == [by_hand]
    assert told_alerts(world, rule) == judged
