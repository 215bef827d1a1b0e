"""What is true now, pinned to the page by hand. Times are hours since October 7, 2024, midnight, in UTC."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from .truth import Counts, Now, Policy, Poll, Row, SpecialRow, group_now, now, now_of, state_at

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = 3_600_000_000
POLICIES: tuple[Policy, ...] = ("carry", "nearest")
DAYTIME: list[Row] = [("a", day, "09:00", "17:00") for day in range(7)]
OVERNIGHT: list[Row] = [("a", day, "22:00", "02:00") for day in range(7)]
Told = tuple[str, bool, float | None, float | None, float | None, float | None, float | None]


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def polls(*told: tuple[float, str]) -> list[Poll]:
    return [("a", {"+": "active", "-": "inactive"}[sign], at(hours)) for hours, sign in told]


def hour(of: datetime | None) -> float | None:
    return None if of is None else (of - MIDNIGHT) / timedelta(hours=1)


def found(
    told: list[Poll],
    hours: list[Row],
    as_of: float,
    *,
    limit: float = 72,
    policy: Policy = "carry",
    zone: str = "UTC",
    special_hours: list[SpecialRow] | None = None,
    maintenance: list[tuple[float, float]] | None = None,
) -> Told:
    """State, open, since, open time, last polled, last active, next change."""
    one = now_of(
        *(told, hours, zone, at(as_of)),
        carry_limit=timedelta(hours=limit),
        policy=policy,
        special_hours=special_hours or [],
        maintenance=[("a", at(starts), at(ends)) for starts, ends in maintenance or []],
    )
    open_time = None if one.open_time_us is None else one.open_time_us / HOUR
    edges = hour(one.last_polled_at), hour(one.last_active_at), hour(one.next_change_at)
    return one.state, one.is_open, hour(one.since), open_time, *edges


def test_since_the_first_of_equal_polls() -> None:
    told = polls((10, "+"), (11, "-"), (12, "-"), (14, "+"))
    assert found(told, DAYTIME, 13) == ("inactive", True, 11, 2, 12, 10, 17)
    # The order of the rows is no matter, nor are polls that come again.
    assert found(told[::-1] * 2, DAYTIME, 13) == ("inactive", True, 11, 2, 12, 10, 17)


def test_a_poll_exactly_then_counts_and_begins_a_spell() -> None:
    told = polls((10, "+"), (13, "-"))
    assert found(told, DAYTIME, 13) == ("inactive", True, 13, 0, 13, 10, 17)
    assert found(polls((10, "+"), (13, "+")), DAYTIME, 13) == ("active", True, -62, 27, 13, 13, 17)


def test_polls_afterwards_count_for_nothing() -> None:
    told = polls((10, "-"), (14, "+"))
    for policy in POLICIES:
        assert found(told, [], 13.5, limit=2, policy=policy) == ("unknown", True, 12, 1.5, 10, None, None)


def test_open_intervals_are_half_open() -> None:
    told = polls((1, "+"))
    assert found(told, DAYTIME, 9, limit=9)[1::5] == (True, 17)
    assert found(told, DAYTIME, 17, limit=9)[1::5] == (False, 33)
    assert found(told, DAYTIME, 18, limit=9)[1::5] == (False, 33)


def test_down_over_closing() -> None:
    told = polls((15, "+"), (16, "-"))
    assert found(told, DAYTIME, 20) == ("inactive", False, 16, 1, 16, 15, 33)
    assert found(told, DAYTIME, 34) == ("inactive", True, 16, 2, 16, 15, 41)


def test_overnight() -> None:
    # From 22:00 to 02:00: of Sunday's night two hours, and one and a half of Monday's.
    assert found(polls((0, "-")), OVERNIGHT, 23.5, limit=24) == ("inactive", True, -24, 7.5, 0, None, 26)
    assert found(polls((0, "+"), (1, "-")), OVERNIGHT, 1.5)[1:4] == (True, 1, 0.5)
    assert found(polls((0, "+"), (1, "-")), OVERNIGHT, 3) == ("inactive", False, 1, 1, 1, 0, 22)


def test_the_first_poll_reaches_back() -> None:
    for policy in POLICIES:
        assert found(polls((10, "-")), DAYTIME, 11, limit=2, policy=policy) == (("inactive", True, 8, 2, 10, None, 17))


def test_a_lapse() -> None:
    told = polls((10, "+"))
    for policy in POLICIES:
        # Exactly at the carry limit it has lapsed.
        assert found(told, DAYTIME, 12, limit=2, policy=policy) == ("unknown", True, 12, 0, 10, 10, 17)
        assert found(told, DAYTIME, 36, limit=2, policy=policy) == ("unknown", True, 12, 8, 10, 10, 41)
        last = now_of(told, DAYTIME, "UTC", at(12) - TICK, carry_limit=timedelta(hours=2), policy=policy)
        assert last[:4] == ("active", True, at(8), 3 * HOUR - 1)


def test_polls_a_carry_limit_apart() -> None:
    # Exactly: one spell. A microsecond more: a microsecond of unknown between, but not when the nearest counts.
    assert found(polls((8, "-"), (10, "-")), [], 11, limit=2)[2] == 6
    apart: list[Poll] = [*polls((8, "-")), ("a", "inactive", at(10) + TICK)]
    limit = timedelta(hours=2)
    assert now_of(apart, [], None, at(11), carry_limit=limit).since == at(10) + TICK
    assert now_of(apart, [], None, at(11), carry_limit=limit, policy="nearest").since == at(6)
    # The nearest: unknown between polls more than twice as far apart.
    assert found(polls((8, "-"), (12, "-")), [], 13, limit=2, policy="nearest")[2] == 6
    assert found(polls((8, "-"), (13, "-")), [], 14, limit=2, policy="nearest")[2:4] == (11, 3)


def test_nearest_changes_half_way() -> None:
    told = polls((10, "+"), (12, "-"))
    assert found(told, DAYTIME, 13, policy="nearest") == ("inactive", True, 11, 2, 12, 10, 17)
    # Of an odd number of microseconds the one in the middle is the earlier poll's.
    odd: list[Poll] = [("a", "active", at(10)), ("a", "inactive", at(10) + 3 * TICK)]
    assert now_of(odd, [], None, at(10) + 5 * TICK, policy="nearest")[2:4] == (at(10) + 2 * TICK, 3)


def test_polls_that_disagree_are_inactive() -> None:
    told = polls((10, "+"), (12, "+"), (12, "-"))
    assert found(told, DAYTIME, 13) == ("inactive", True, 12, 1, 12, 10, 17)
    assert found(polls((12, "-"), (12, "+")), DAYTIME, 13, limit=2) == ("inactive", True, 10, 3, 12, None, 17)


def test_special_hours_are_the_next_change() -> None:
    told = polls((1, "+"), (2, "-"))
    # Closed on Tuesday: after Monday's closing it opens on Wednesday.
    closed: list[SpecialRow] = [("a", "2024-10-08", "", "")]
    assert found(told, DAYTIME, 18, special_hours=closed) == ("inactive", False, 2, 8, 2, 1, 57)
    # A store open round the clock closes then, and then only.
    assert found(told, [], 18, special_hours=closed) == ("inactive", True, 2, 16, 2, 1, 24)
    assert found(told, [], 25, special_hours=closed) == ("inactive", False, 2, 22, 2, 1, 48)
    assert found(told, [], 48, special_hours=closed) == ("inactive", True, 2, 22, 2, 1, None)


def test_what_touches_has_no_change_between() -> None:
    touching: list[Row] = [*DAYTIME, *[("a", day, "17:00", "19:30") for day in range(7)]]
    assert found(polls((10, "+")), touching, 11)[6] == 19.5
    whole_days: list[Row] = [("a", day, "00:00", "23:59") for day in range(7)]
    assert found(polls((10, "+")), whole_days, 11)[6] is None
    assert found(polls((10, "+")), [("a", 0, "00:00", "24:00")], 11)[6] == 24


def test_maintenance_splits_an_interval() -> None:
    told = polls((9, "+"), (10, "-"))
    works = [(12.0, 13.0), (12.5, 14.0)]
    assert found(told, DAYTIME, 11, maintenance=works) == ("inactive", True, 10, 1, 10, 9, 12)
    assert found(told, DAYTIME, 12, maintenance=works) == ("inactive", False, 10, 2, 10, 9, 14)
    assert found(told, DAYTIME, 15, maintenance=works) == ("inactive", True, 10, 3, 10, 9, 17)


def test_where_clocks_change() -> None:
    chicago = "America/Chicago"
    # On March 10, 2024, 02:30 is skipped and read as 03:30 CDT, 08:30 UTC; 04:00 CDT is 09:00 UTC.
    gap: list[Row] = [("a", 6, "02:30", "04:00")]
    midnight = datetime(2024, 3, 10, 6, tzinfo=UTC)
    told: list[Poll] = [("a", "active", midnight - timedelta(hours=1)), ("a", "inactive", midnight)]
    before = now_of(told, gap, chicago, midnight + timedelta(hours=2))
    assert (before.is_open, before.next_change_at) == (False, datetime(2024, 3, 10, 8, 30, tzinfo=UTC))
    after = now_of(told, gap, chicago, midnight + timedelta(hours=2, minutes=45))
    assert after[1:4] == (True, midnight, HOUR // 4)
    assert after.next_change_at == datetime(2024, 3, 10, 9, tzinfo=UTC)
    # On November 3, 01:30 occurs twice and means the first, 06:30 UTC; 03:00 CST is 09:00 UTC: two hours and a half.
    overlap: list[Row] = [("a", 6, "01:30", "03:00")]
    midnight = datetime(2024, 11, 3, 5, tzinfo=UTC)
    told = [("a", "active", midnight - timedelta(hours=1)), ("a", "inactive", midnight)]
    before = now_of(told, overlap, chicago, midnight)
    assert before.next_change_at == datetime(2024, 11, 3, 6, 30, tzinfo=UTC)
    within = now_of(told, overlap, chicago, midnight + timedelta(hours=3))
    assert within[1:4] == (True, midnight, 3 * HOUR // 2)
    assert within.next_change_at == datetime(2024, 11, 3, 9, tzinfo=UTC)
    assert now_of(told, overlap, chicago, midnight + timedelta(hours=4))[1:4] == (False, midnight, 5 * HOUR // 2)


def test_before_the_first_year_there_is_nothing() -> None:
    for policy in POLICIES:
        first = now_of(polls((0, "-")), [], None, at(1), carry_limit=timedelta(days=3_000_000), policy=policy)
        assert first.since == datetime(1, 1, 1, tzinfo=UTC)
        assert first.open_time_us == (at(1) - datetime(1, 1, 1, tzinfo=UTC)) // TICK


def test_stores_and_groups() -> None:
    told: list[Poll] = [
        ("b", "inactive", at(10)),
        ("a", "active", at(1)),
        ("10", "active", at(9)),
        ("c", "active", at(12)),
    ]
    tags = {"a": {"region": "West"}, "b": {"region": "West"}}
    hours: list[Row] = [("10", 1, "09:00", "17:00")]
    by_store = now(told, hours, {"10": "UTC"}, at(11), timedelta(hours=5))
    assert [(store_id, one.state, one.is_open) for store_id, one in by_store.items()] == [
        ("10", "active", False),
        ("a", "unknown", True),
        ("b", "inactive", True),
    ]
    assert group_now(by_store, tags, ["region"]) == {
        ("",): Counts(1, 0, 0, 0, 0, 1),
        ("West",): Counts(2, 2, 0, 1, 1, 0),
    }
    assert group_now(by_store, tags, []) == {(): Counts(3, 2, 0, 1, 1, 1)}
    assert [*now(told, hours, {}, at(11), tags=tags, where={"region": "West"})] == ["a", "b"]
    assert now_of([], [], None, at(11)) == Now("unknown", True, None, None, None, None, None)


TICKS = st.integers(0, 30).map(lambda ticks: MIDNIGHT + ticks * TICK)
NEAR_POLLS = st.lists(st.tuples(st.just("a"), st.sampled_from(("active", "inactive")), TICKS), max_size=8)


@settings(deadline=None)
@given(NEAR_POLLS, st.integers(1, 12), TICKS, st.sampled_from(POLICIES))
def test_since_goes_back_microsecond_by_microsecond(told: list[Poll], limit: int, t: datetime, policy: Policy) -> None:
    def held(moment: datetime) -> str:
        return state_at(told, moment, t, limit * TICK, policy)

    since = t
    while since > MIDNIGHT - 50 * TICK and held(since - TICK) == held(t):
        since -= TICK
    expected = None if since == MIDNIGHT - 50 * TICK else since
    one = now_of(told, [], None, t, carry_limit=limit * TICK, policy=policy)
    assert (one.state, one.since) == (held(t), expected)
    assert one.open_time_us == (None if expected is None else (t - expected) // TICK)
