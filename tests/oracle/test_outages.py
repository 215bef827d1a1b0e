"""The oracle's outages, pinned to the page by hand. Times are hours since October 7, 2024, midnight, in UTC."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .exceptional_cases import exceptional_cases, written_windows
from .truth import (
    Maintenance,
    Outage,
    Policy,
    Poll,
    Row,
    SpecialRow,
    Summary,
    figures,
    outages,
    outages_between,
    state_at,
    summaries,
    summary,
)

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = 3_600_000_000
POLICIES: tuple[Policy, ...] = ("carry", "nearest")
DAYTIME: list[Row] = [("a", day, "09:00", "17:00") for day in range(7)]


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def polls(*told: tuple[float, str]) -> list[Poll]:
    return [("a", {"+": "active", "-": "inactive"}[sign], at(hours)) for hours, sign in told]


def hour(of: datetime | None) -> float | None:
    return None if of is None else (of - MIDNIGHT) / timedelta(hours=1)


Told = tuple[float | None, ...]


def told_in_hours(outage: Outage) -> Told:
    """Starts, ends, downtime, whole downtime, elapsed, started after, ended before; and whether it is ongoing."""
    spans = (outage.downtime_us / HOUR, outage.whole_downtime_us / HOUR, outage.elapsed_us / HOUR)
    edges = (hour(outage.started_after), hour(outage.ended_before))
    return (hour(outage.starts_at), hour(outage.ends_at), *spans, *edges, outage.ongoing)


def found(
    told: list[Poll],
    hours: list[Row],
    window: tuple[float, float],
    as_of: float = 96,
    *,
    limit: float = 72,
    policy: Policy = "carry",
    special_hours: list[SpecialRow] | None = None,
    maintenance: list[tuple[float, float]] | None = None,
) -> list[Told]:
    rows: list[Maintenance] = [("a", at(starts), at(ends)) for starts, ends in maintenance or []]
    listed = outages_between(
        *(told, hours, "UTC", (at(window[0]), at(window[1])), at(as_of)),
        carry_limit=timedelta(hours=limit),
        policy=policy,
        special_hours=special_hours or [],
        maintenance=rows,
    )
    return [told_in_hours(outage) for outage in listed]


def test_a_spell_in_state_inactive_that_has_open_time() -> None:
    told = polls((10, "+"), (11, "-"), (12, "-"), (13, "+"))
    assert found(told, DAYTIME, (0, 96)) == [(11, 13, 2, 2, 2, 10, 13, False)]
    # None in closed time; none before the first poll that is active.
    assert found(polls((10, "+"), (18, "-"), (19, "+")), DAYTIME, (0, 96)) == []
    assert found(polls((10, "+")), DAYTIME, (0, 96)) == []
    assert found([], DAYTIME, (0, 96)) == []


def test_nearest_begins_and_ends_half_way() -> None:
    told = polls((10, "+"), (11, "-"), (12, "-"), (13, "+"))
    assert found(told, DAYTIME, (0, 96), policy="nearest") == [(10.5, 12.5, 2, 2, 2, 10, 13, False)]


def test_closing_time_does_not_end_it() -> None:
    # Down from 16:00 until 11:00 the next day: one hour, then two.
    told = polls((15, "+"), (16, "-"), (35, "+"))
    assert found(told, DAYTIME, (0, 96)) == [(16, 35, 3, 3, 19, 15, 35, False)]
    # It begins while closed: its first open instant is opening; it ends while closed: its last is closing.
    assert found(polls((15, "+"), (18, "-"), (35, "+")), DAYTIME, (0, 96)) == [(33, 35, 2, 2, 2, 15, 35, False)]
    assert found(polls((15, "+"), (16, "-"), (20, "+")), DAYTIME, (0, 96)) == [(16, 17, 1, 1, 1, 15, 20, False)]
    # Ending exactly at opening, beginning exactly at closing: what lies between is closed.
    assert found(polls((15, "+"), (17, "-"), (33, "+")), DAYTIME, (0, 96)) == []
    assert found(polls((15, "+"), (16, "-"), (33, "+")), DAYTIME, (0, 96)) == [(16, 17, 1, 1, 1, 15, 33, False)]


def test_a_window_clips_its_downtime_alone() -> None:
    told = polls((15, "+"), (16, "-"), (35, "+"))
    assert found(told, DAYTIME, (24, 96)) == [(16, 35, 2, 3, 19, 15, 35, False)]
    assert found(told, DAYTIME, (16.5, 34)) == [(16, 35, 1.5, 3, 19, 15, 35, False)]
    # It counts only with open time inside: not in the night, not beside it.
    assert found(told, DAYTIME, (17, 33)) == []
    assert found(told, DAYTIME, (35, 96)) == []


def test_it_is_ongoing_if_its_spell_contains_as_of() -> None:
    told = polls((15, "+"), (16, "-"))
    assert found(told, DAYTIME, (0, 96), as_of=34) == [(16, 34, 2, 2, 18, 15, None, True)]
    # While the store is closed it ends, as far as is known, at closing; a window long before tells of it too.
    assert found(told, DAYTIME, (0, 96), as_of=20) == [(16, 17, 1, 1, 1, 15, None, True)]
    assert found(told, DAYTIME, (16, 16.5), as_of=34) == [(16, 34, 0.5, 2, 18, 15, None, True)]
    # An active poll at as-of ends it; one after as-of doesn't count.
    later = polls((34, "+"))
    assert found(told + later, DAYTIME, (0, 96), as_of=34) == [(16, 34, 2, 2, 18, 15, 34, False)]
    assert found(told + later, DAYTIME, (0, 96), as_of=33.5) == [(16, 33.5, 1.5, 1.5, 17.5, 15, None, True)]
    # Once its last poll isn't believed any more, it has ended in unknown time: exactly at as-of, then before it.
    for as_of in (34, 40):
        assert found(told, DAYTIME, (0, 96), as_of=as_of, limit=18) == [(16, 34, 2, 2, 18, 15, None, False)]


def test_unknown_time_ends_a_spell_but_started_after_looks_past_it() -> None:
    # Limit of one hour: down from 11 to 12 and from 14 to 15, unknown between; the first inactive poll is no edge.
    told = polls((10, "+"), (11, "-"), (14, "-"), (16, "+"))
    assert found(told, DAYTIME, (0, 96), limit=1) == [
        (11, 12, 1, 1, 1, 10, 16, False),
        (14, 15, 1, 1, 1, 10, 16, False),
    ]
    assert found(told, DAYTIME, (0, 96), limit=1, policy="nearest") == [
        (10.5, 12, 1.5, 1.5, 1.5, 10, 16, False),
        (13, 15, 2, 2, 2, 10, 16, False),
    ]


def test_the_first_poll_reaches_back() -> None:
    told = polls((10, "-"), (11, "+"))
    assert found(told, [], (0, 96), limit=2) == [(8, 11, 3, 3, 3, None, 11, False)]
    assert found(told, [], (0, 96), limit=2, policy="nearest") == [(8, 10.5, 2.5, 2.5, 2.5, None, 11, False)]


def test_the_state_has_a_history_before_the_window() -> None:
    # Polls long before the window begin it; the store is always open.
    assert found(polls((1, "+"), (2, "-"), (40, "+")), [], (24, 96)) == [(2, 40, 16, 38, 38, 1, 40, False)]


@pytest.mark.parametrize("policy", POLICIES)
def test_polls_that_disagree_are_inactive_and_bound_nothing(policy: Policy) -> None:
    told = polls((10, "+"), (12, "+"), (12, "-"), (14, "+"))
    expected = {"carry": (12, 14, 2, 2, 2, 10, 14, False), "nearest": (11, 13, 2, 2, 2, 10, 14, False)}
    assert found(told, DAYTIME, (0, 96), policy=policy) == [expected[policy]]


def test_maintenance_does_not_end_it_nor_is_it_part_of_it() -> None:
    told = polls((10, "+"), (11, "-"), (15, "+"))
    # In the midst of it: one outage, elapsed through the maintenance.
    assert found(told, DAYTIME, (0, 96), maintenance=[(12, 13)]) == [(11, 15, 3, 3, 4, 10, 15, False)]
    # At its edges: it starts and ends at the open time that is left. Over all of it: there is none.
    assert found(told, DAYTIME, (0, 96), maintenance=[(10, 12), (14, 16)]) == [(12, 14, 2, 2, 2, 10, 15, False)]
    assert found(told, DAYTIME, (0, 96), maintenance=[(9, 17)]) == []


def test_special_hours_count_as_open_time() -> None:
    told = polls((15, "+"), (16, "-"), (35, "+"))
    closed: list[SpecialRow] = [("a", "2024-10-08", "", "")]
    assert found(told, DAYTIME, (0, 96), special_hours=closed) == [(16, 17, 1, 1, 1, 15, 35, False)]
    longer: list[SpecialRow] = [("*", "2024-10-07", "09:00", "20:00")]
    assert found(told, DAYTIME, (0, 96), special_hours=longer) == [(16, 35, 6, 6, 19, 15, 35, False)]


def test_summary() -> None:
    # Always open. Down from 1 to 2, from 4 to 7, and from 9 on. Up in the window from 0 to 10: 1 + 2 + 2.
    told = polls((0, "+"), (1, "-"), (2, "+"), (4, "-"), (7, "+"), (9, "-"))
    windows = {"all": (at(0), at(10)), "before": (at(0), at(1)), "now": (at(9), at(10)), "part": (at(6), at(10))}
    report = summaries(told, [], {}, at(10), windows=windows)["a"]
    assert report["all"] == Summary(3, 3 * HOUR, Fraction(2 * HOUR), Fraction(5 * HOUR, 3))
    assert report["before"] == Summary(0, None, None, None)
    # The one that is ongoing is not yet to be repaired; its downtime counts for the longest.
    assert report["now"] == Summary(1, HOUR, None, Fraction(0))
    # Of the one that ended at 7 there is an hour inside.
    assert report["part"] == Summary(2, HOUR, Fraction(HOUR), Fraction(HOUR))
    assert summary([], HOUR) == Summary(0, None, None, None)


@settings(max_examples=examples(60), deadline=None)
@given(st.data(), st.sampled_from(POLICIES))
def test_outages_are_all_the_downtime(data: st.DataObject, policy: Policy) -> None:
    case = data.draw(exceptional_cases())
    windows = data.draw(written_windows(case, max_size=2))
    measured = figures(**vars(case), policy=policy, windows=windows)
    for store_id, by_window in outages(**vars(case), policy=policy, windows=windows).items():
        for name, listed in by_window.items():
            assert sum(outage.downtime_us for outage in listed) == measured[store_id][name].downtime_us
            edges = [edge for outage in listed for edge in (outage.starts_at, outage.ends_at)]
            assert edges == sorted(edges)
            for one in listed:
                assert 0 < one.downtime_us <= one.whole_downtime_us <= one.elapsed_us
                assert one.started_after is None or one.started_after <= one.starts_at
                assert one.ended_before is None or one.ended_before >= one.ends_at
                assert not (one.ongoing and one.ended_before)


TICKS = st.integers(0, 30).map(lambda ticks: MIDNIGHT + ticks * TICK)
NEAR_POLLS = st.lists(st.tuples(st.just("a"), st.sampled_from(("active", "inactive")), TICKS), max_size=8)


@settings(deadline=None)
@given(NEAR_POLLS, st.integers(1, 12), TICKS, st.integers(1, 40), st.sampled_from(POLICIES))
def test_outages_of_a_store_always_open_are_runs_of_inactive_microseconds(
    told: list[Poll], limit: int, as_of: datetime, length: int, policy: Policy
) -> None:
    def is_down(t: datetime) -> bool:
        return state_at(told, t, as_of, limit * TICK, policy) == "inactive"

    starts_at = t = as_of - 50 * TICK
    runs: list[tuple[datetime, datetime, int, bool]] = []
    while t < as_of:
        ends = t
        while ends < as_of and is_down(ends):
            ends += TICK
        inside = (ends - max(t, as_of - length * TICK)) // TICK
        runs += [(t, ends, inside, ends == as_of and is_down(as_of))] if ends > t and inside > 0 else []
        t = ends + TICK
    assert starts_at < t
    window = as_of - length * TICK, as_of
    listed = outages_between(told, [], None, window, as_of, carry_limit=limit * TICK, policy=policy)
    assert [(one.starts_at, one.ends_at, one.downtime_us, one.ongoing) for one in listed] == runs
