"""The oracle's states and bounds, pinned to the page by hand. The store is always open; times are hours of one day."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .truth import Bounds, Figures, Policy, Poll, bounds_between, figures_between, state_at

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = 3_600_000_000
LIMIT = timedelta(hours=2)
POLICIES: tuple[Policy, ...] = ("carry", "nearest")


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def polls(*told: tuple[float, str]) -> list[Poll]:
    return [("a", {"+": "active", "-": "inactive"}[sign], at(hours)) for hours, sign in told]


def figures(told: list[Poll], starts: float, ends: float, as_of: float = 24, policy: Policy = "carry") -> Figures:
    return figures_between(told, [], None, (at(starts), at(ends)), at(as_of), carry_limit=LIMIT, policy=policy)


def test_rule_1_the_latest_poll_at_or_before() -> None:
    told = polls((10, "+"), (11, "-"))
    assert state_at(told, at(10), at(24), LIMIT) == "active"
    assert state_at(told, at(11) - TICK, at(24), LIMIT) == "active"
    assert state_at(told, at(11), at(24), LIMIT) == "inactive"
    # Up from 10 to 11, down from 11 to 13, then unknown: two hours of service.
    assert figures(told, 10.5, 12.5) == Figures(HOUR // 2, 3 * HOUR // 2, 0, 2 * HOUR)


def test_rule_1_the_carry_limit_is_half_open() -> None:
    told = polls((10, "+"))
    assert state_at(told, at(12) - TICK, at(24), LIMIT) == "active"
    assert state_at(told, at(12), at(24), LIMIT) == "unknown"
    assert figures(told, 11, 13) == Figures(HOUR, 0, HOUR, 2 * HOUR)
    # Exactly at the limit the next poll takes over without a hole.
    assert figures(polls((10, "+"), (12, "-")), 10, 14) == Figures(2 * HOUR, 2 * HOUR, 0, 4 * HOUR)


def test_rule_2_reaches_back_from_the_first_poll_only() -> None:
    told = polls((10, "+"), (20, "-"))
    assert state_at(told, at(8) - TICK, at(24), LIMIT) == "unknown"
    assert state_at(told, at(8), at(24), LIMIT) == "active"
    # 0 to 8 unknown, 8 to 12 up, 12 to 20 unknown (nothing reaches back from 20), 20 to 22 down, then unknown.
    assert figures(told, 0, 24) == Figures(4 * HOUR, 2 * HOUR, 18 * HOUR, 24 * HOUR)


def test_rule_2_the_first_poll_ever_not_the_first_of_the_window() -> None:
    # The poll at 1 is the first ever: from 9 to 11, two hours before the poll at 11, nothing is known.
    assert figures(polls((1, "-"), (11, "+")), 9, 12) == Figures(HOUR, 0, 2 * HOUR, 3 * HOUR)


def test_rule_3_else_unknown() -> None:
    assert state_at([], at(1), at(24), LIMIT) == "unknown"
    assert figures([], 0, 1) == Figures(0, 0, HOUR, HOUR)


@pytest.mark.parametrize("policy", POLICIES)
def test_polls_after_as_of_do_not_count(policy: Policy) -> None:
    told = polls((10, "+"), (11, "-"))
    assert figures(told, 9, 10.5, as_of=10.5, policy=policy) == Figures(3 * HOUR // 2, 0, 0, 3 * HOUR // 2)
    # One exactly at as-of does: here it is all there is, and reaches back.
    assert figures(told[1:], 10, 11, as_of=11, policy=policy) == Figures(0, HOUR, 0, HOUR)
    assert figures(told[1:], 10, 11, as_of=10.9, policy=policy) == Figures(0, 0, 9 * HOUR // 10, 9 * HOUR // 10)


@pytest.mark.parametrize("policy", POLICIES)
def test_two_polls_that_disagree_are_inactive(policy: Policy) -> None:
    for signs in ("+-", "-+", "+-+"):
        told = polls(*((10, sign) for sign in signs))
        assert state_at(told, at(10), at(24), LIMIT, policy) == "inactive"
        assert figures(told, 9, 11, policy=policy) == Figures(0, 2 * HOUR, 0, 2 * HOUR)


def test_nearest_changes_half_way() -> None:
    # Up to 11, half way from 10 to 12; down to 14, two hours after 12.
    told = polls((10, "+"), (12, "-"))
    assert figures(told, 9, 15, policy="nearest") == Figures(2 * HOUR, 3 * HOUR, HOUR, 6 * HOUR)


def test_nearest_reaches_back_from_every_poll_up_to_the_limit() -> None:
    # 8 to 12 up, 12 to 18 unknown, 18 to 22 down.
    told = polls((10, "+"), (20, "-"))
    assert figures(told, 6, 24, policy="nearest") == Figures(4 * HOUR, 4 * HOUR, 10 * HOUR, 18 * HOUR)
    assert state_at(told, at(8) - TICK, at(24), LIMIT, "nearest") == "unknown"
    assert state_at(told, at(8), at(24), LIMIT, "nearest") == "active"
    assert state_at(told, at(12) - TICK, at(24), LIMIT, "nearest") == "active"
    assert state_at(told, at(12), at(24), LIMIT, "nearest") == "unknown"


@pytest.mark.parametrize(("apart", "of_earlier"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_nearest_leaves_an_odd_microsecond_to_the_earlier(apart: int, of_earlier: int) -> None:
    told = [*polls((10, "+")), ("a", "inactive", at(10) + apart * TICK)]
    window = at(10), at(10) + apart * TICK
    assert figures_between(told, [], None, window, policy="nearest") == Figures(
        of_earlier, apart - of_earlier, 0, apart
    )


def bounds(told: list[Poll], starts: float, ends: float, as_of: float = 24) -> Bounds:
    return bounds_between(told, [], None, (at(starts), at(ends)), at(as_of), carry_limit=LIMIT)


def test_bounds() -> None:
    # Certain: up from 1 to 3 (exactly at the limit), down from 4 to 5. Undetermined: 3 to 4 (they disagree), 5 to 8
    # (too long a gap, though they agree), before 1 and after 8. Of 10 hours at most 9 are up.
    told = polls((1, "+"), (3, "+"), (4, "-"), (5, "-"), (8, "-"))
    assert bounds(told, 0, 10) == (2 * HOUR, 9 * HOUR)
    assert bounds(told, 2, 4.5) == (HOUR, 2 * HOUR)
    # A poll after as-of proves nothing, nor do two that disagree.
    assert bounds(told, 0, 2.5, as_of=2.5) == (0, 2.5 * HOUR)
    assert bounds([*told, *polls((3, "-"))], 0, 10) == (0, 8 * HOUR)


TICKS = st.integers(0, 40).map(lambda ticks: MIDNIGHT + ticks * TICK)
NEAR_POLLS = st.lists(st.tuples(st.just("a"), st.sampled_from(("active", "inactive")), TICKS), max_size=8)


@given(NEAR_POLLS, st.integers(1, 15), TICKS, st.sampled_from(POLICIES))
def test_figures_are_the_sum_over_every_microsecond(
    told: list[Poll], limit: int, as_of: datetime, policy: Policy
) -> None:
    window = MIDNIGHT - 20 * TICK, as_of
    every = [window[0] + tick * TICK for tick in range((as_of - window[0]) // TICK)]
    states = [state_at(told, t, as_of, limit * TICK, policy) for t in every]
    expected = Figures(states.count("active"), states.count("inactive"), states.count("unknown"), len(states))
    assert figures_between(told, [], None, window, as_of, carry_limit=limit * TICK, policy=policy) == expected
