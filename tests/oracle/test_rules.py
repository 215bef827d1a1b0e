"""What rules say and the alerts they make, pinned by hand. Times are hours since midnight, October 7, 2024, in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from .alerts import Alert, alerts, alerts_as_they_come, alerts_by_ticks
from .cases import Case
from .known import Facts
from .rules import Rule, Said, Subject, Value, said_at, stretches, value_at
from .service_time import instant, micros
from .truth import Maintenance, Poll, Row, SpecialRow, figures_between, now_of

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
DAYTIME: list[Row] = [("a", day, "09:00", "17:00") for day in range(7)]
OVERNIGHT: list[Row] = [("a", day, "22:00", "02:00") for day in range(7)]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TAGS = {"a": {"region": "West"}, "b": {"region": "West"}, "c": {"region": "West"}, "d": {}}
NEVER = None
Told = tuple[float, float | None, bool]


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def us(hours: float) -> int:
    return micros(at(hours))


def polls(store_id: str, *told: tuple[float, str]) -> list[Poll]:
    return [(store_id, {"+": "active", "-": "inactive"}[sign], at(hours)) for hours, sign in told]


def case(
    *told: list[Poll],
    hours: list[Row] | None = None,
    zone: str = "UTC",
    limit: float = 72,
    special_hours: list[SpecialRow] | None = None,
    maintenance: list[tuple[float, float]] | None = None,
) -> Case:
    works: list[Maintenance] = [("a", at(starts), at(ends)) for starts, ends in maintenance or []]
    return Case(
        [poll for of_store in told for poll in of_store],
        hours or [],
        dict.fromkeys("abcd", zone),
        None,
        limit * HOUR,
        special_hours or [],
        works,
        TAGS,
    )


def hour(t: int | None) -> float | None:
    return None if t is None else (instant(t) - MIDNIGHT) / HOUR


def told_of(
    found: Mapping[Subject, list[Alert]], subject: Subject = "a"
) -> list[tuple[float | None, float | None, bool]]:
    return [(hour(fired_at), hour(resolved_at), stale) for fired_at, resolved_at, stale in found.get(subject, [])]


def found(
    asked: Case, rule: Rule, until: float, subject: Subject = "a", since: float = -1000
) -> list[tuple[float | None, float | None, bool]]:
    return told_of(alerts(asked, rule, us(since), us(until)), subject)


def says(asked: Case, rule: Rule, until: float, subject: Subject = "a", since: float = 0) -> list[tuple[float, Said]]:
    """From when on the rule says what."""
    facts = Facts(asked, us(until), rule.reach)
    return [(hour(piece.starts) or 0.0, piece.said) for piece in stretches(facts, rule, subject, us(since), us(until))]


def down(minutes: float, recovery: timedelta = timedelta(0)) -> Rule:
    return Rule("down", lasting=minutes * MINUTE, recovery=recovery)


def test_down() -> None:
    # Inactive from 10; after 15 minutes, at 10:15, it fires, and at the active poll at 12 it is resolved.
    asked = case(polls("a", (8, "+"), (10, "-"), (11, "-"), (12, "+"), (13, "-")))
    assert found(asked, down(15), 14) == [(10.25, 12, False), (13.25, NEVER, False)]
    assert says(asked, down(15), 13, since=8) == [(8, "clear"), (10.25, "holds"), (12, "clear")]
    # One that lasts exactly as long as it has to does not: at 12 it is up.
    assert found(asked, down(120), 13.5) == []
    assert found(asked, down(119), 13.5) == [(12 - 1 / 60, 12, False)]


def test_to_the_microsecond() -> None:
    facts = Facts(case(polls("a", (10, "-")), limit=2), us(20))
    # The first poll reaches back to 8 and lapses at 12, as told as of 10 and later.
    assert value_at(facts, down(120), "a", us(10) - 1) == "neither"
    assert value_at(facts, down(120), "a", us(10)) == "holds"
    assert value_at(facts, down(121), "a", us(10)) == "clear"
    assert value_at(facts, down(121), "a", us(10) + 60_000_000 - 1) == "clear"
    assert value_at(facts, down(121), "a", us(10) + 60_000_000) == "holds"
    assert said_at(facts, down(121), "a", us(12) - 1) == "holds"
    assert said_at(facts, down(121), "a", us(12)) == "unknown"


def test_the_first_poll_reaches_back_and_fires_at_once() -> None:
    assert found(case(polls("a", (10, "-"), (11, "+"))), down(60), 14) == [(10, 11, False)]
    # An open hour before it is enough as well: of the day before, from 16 to 17.
    asked = case(polls("a", (9, "-"), (11, "+")), hours=DAYTIME, limit=17)
    assert found(asked, down(60), 14) == [(9, 11, False)]
    assert found(asked, down(61), 14) == [(9 + 1 / 60, 11, False)]


def test_a_night_s_closing_neither_fires_nor_resolves() -> None:
    # Down from 16:30: half an hour until the closing at 17, and the other half from 9 to 9:30 on the next day.
    asked = case(polls("a", (16, "+"), (16.5, "-"), (34, "+")), hours=DAYTIME)
    assert found(asked, down(60), 40) == [(33.5, 34, False)]
    # D reached exactly at the closing is reached: open time in [16.5, 17) is half an hour.
    assert found(asked, down(30), 40) == [(17, 34, False)]
    overnight = case(polls("a", (22, "+"), (23, "-")), hours=OVERNIGHT)
    assert found(overnight, down(180), 40) == [(26, NEVER, False)]
    assert found(overnight, down(181), 50) == [(46 + 1 / 60, NEVER, False)]


def test_maintenance_is_no_open_time() -> None:
    asked = case(polls("a", (9, "+"), (10, "-"), (15, "+")), maintenance=[(10.25, 12)])
    # A quarter of an hour before it, three quarters after it.
    assert found(asked, down(60), 20) == [(12.75, 15, False)]
    # Silent from 10: the same quarter, and from 12 to 14:45.
    assert found(asked, Rule("silent", lasting=3 * HOUR), 18.5) == [(14.75, 15, False), (18, NEVER, False)]
    assert found(asked, Rule("silent", lasting=3.5 * HOUR), 17.5) == []


def test_a_day_closed_by_special_hours() -> None:
    # On Tuesday it is closed: the second open hour is on Wednesday from 9 to 10, which is hour 57 to 58.
    asked = case(polls("a", (15, "+"), (16, "-")), hours=DAYTIME, special_hours=[("*", "2024-10-08", "", "")])
    assert found(asked, down(120), 60) == [(58, NEVER, False)]


def test_where_the_clocks_change() -> None:
    # On Sunday, November 3, in Chicago 01:30 CDT is 06:30 UTC and 03:00 CST is 09:00 UTC: open for 2 1/2 hours.
    sunday = datetime(2024, 11, 3, tzinfo=UTC)
    told: list[Poll] = [("a", "active", sunday), ("a", "inactive", sunday + 6 * HOUR)]
    asked = Case(told, [("a", 6, "01:30", "03:00")], {"a": "America/Chicago"}, None, 72 * HOUR)
    window = micros(sunday), micros(sunday + 20 * HOUR)
    fired_at = micros(sunday + 8.5 * HOUR)
    assert alerts(asked, down(120), *window) == {"a": [Alert(fired_at, None, stale=False)]}
    assert alerts(asked, down(151), *window) == {}


def test_unknown_never_resolves() -> None:
    asked = case(polls("a", (8, "+"), (10, "-"), (16, "-"), (20, "+")), limit=4)
    # Lapsed at 14: stale. Known again at 16, when the spell is a new one.
    assert found(asked, down(60), 12) == [(11, NEVER, False)]
    assert found(asked, down(60), 15) == [(11, NEVER, True)]
    assert found(asked, down(60), 16) == [(11, NEVER, True)]
    assert found(asked, down(60), 16.5) == [(11, 16, False)]
    assert says(asked, down(60), 18, since=8) == [
        (8, "clear"),
        (11, "holds"),
        (14, "unknown"),
        (16, "clear"),
        (17, "holds"),
    ]


def test_known_again_to_be_down_for_less_than_it_takes_is_clear() -> None:
    # As of 16 the spell is a new one: the settled reading calls down for less than D clear, and so it is resolved.
    asked = case(polls("a", (8, "+"), (10, "-"), (16, "-")), limit=4)
    assert found(asked, down(60), 17.5) == [(11, 16, False), (17, NEVER, False)]
    # With a recovery of an hour, one that is an hour and no less, it is resolved as well; not so with more.
    assert found(asked, down(60, HOUR), 17.5) == [(11, 16, False), (17, NEVER, False)]
    assert found(asked, down(60, HOUR + MINUTE), 17.5) == [(11, NEVER, False)]


def test_recovery_is_open_time() -> None:
    asked = case(polls("a", (10, "-"), (16.75, "+"), (34, "-")), hours=DAYTIME)
    # Up from 16:45, closed from 17 to 9 at hour 33: a quarter of an hour today, and one tomorrow until 34.
    for recovery, resolved_at in ((0.0, 16.75), (0.25, 16.75), (1.25, 16.75)):
        assert found(asked, down(30, recovery * HOUR), 34.1) == [(10, resolved_at, False)]
    # Not known yet at 33.5, when half an hour and a quarter are over.
    assert found(asked, down(30, 0.75 * HOUR), 33.5) == [(10, 16.75, False)]
    assert found(asked, down(30, 0.75 * HOUR), 33.5 - 1 / 3600) == [(10, NEVER, False)]
    # Down again at 34 and held at 34.5: all of the run counts, an hour more of which half is down for less than D.
    assert found(asked, down(30, 1.75 * HOUR), 35) == [(10, 16.75, False), (34.5, NEVER, False)]
    assert found(asked, down(30, 1.75 * HOUR + MINUTE), 35) == [(10, NEVER, False)]


def test_unknown_time_is_no_recovery_and_breaks_none() -> None:
    asked = case(polls("a", (10, "-"), (12, "+"), (16, "+"), (17, "-")), limit=1)
    # Fires at 10. Unknown from 11; clear from 12 to 13, unknown to 16, clear to 17 and, down for less, to 17.5.
    assert found(asked, down(30, 2.5 * HOUR), 17.75) == [(10, 12, False), (17.5, NEVER, False)]
    assert found(asked, down(30, 2.5 * HOUR + MINUTE), 17.75) == [(10, NEVER, False)]
    assert found(asked, down(30, 2 * HOUR), 16.5) == [(10, NEVER, False)]


def test_silent() -> None:
    asked = case(polls("a", (8, "+"), (10, "-"), (13, "+"), (16.5, "+")), hours=DAYTIME, limit=1)
    rule = Rule("silent", lasting=2 * HOUR)
    # From 10 two open hours, until the poll at 13; then from 13 until 16.5; then half an hour until 17 and 1 1/2 more.
    assert found(asked, rule, 35) == [(12, 13, False), (15, 16.5, False), (34.5, NEVER, False)]
    # Exactly as long as it takes: the poll at that instant is the last one, and nothing is silent.
    assert found(asked, Rule("silent", lasting=3 * HOUR), 16) == []
    # The last poll counts from its instant, not from where it reaches back to.
    assert says(asked, rule, 12.5, since=8) == [(8, "clear"), (12, "holds")]


BELOW = Rule("below", threshold=Fraction(3, 4), windows=(4 * HOUR,))


def test_below() -> None:
    asked = case(polls("a", (0, "+"), (10, "-"), (12, "+")))
    # Of four hours one is a quarter: at 11 it is at 75 %, which is not below it; a microsecond later it is.
    # Two hours down leave the window from 14 to 16; at 15 it is at 75 % again, and clear.
    told = found(asked, BELOW, 20)
    assert told == [(hour(us(11) + 1), 15, False)]
    facts = Facts(asked, us(20), BELOW.reach)
    assert [value_at(facts, BELOW, "a", us(t)) for t in (11, 11.5, 15)] == ["clear", "holds", "clear"]


def test_below_with_a_better_threshold() -> None:
    asked = case(polls("a", (0, "+"), (10, "-"), (12, "+")))
    rule = Rule("below", threshold=Fraction(3, 4), windows=(4 * HOUR,), recover=Fraction(9, 10))
    # 90 % is reached when 24 minutes are left in the window, at 15:36.
    assert found(asked, rule, 20) == [(hour(us(11) + 1), 15.6, False)]
    assert found(asked, rule, 15.5) == [(hour(us(11) + 1), NEVER, False)]


def test_below_needs_coverage() -> None:
    asked = case(polls("a", (10, "-")), limit=1)
    rule = Rule("below", threshold=Fraction(3, 4), windows=(4 * HOUR,))
    # At 10 an hour is known of four, at 11 two, which is half. From 13 on an hour leaves, and it is less.
    assert says(asked, rule, 16, since=10) == [(10, "unknown"), (11, "holds"), (hour(us(13) + 1), "unknown")]
    assert found(asked, rule, 16) == [(11, NEVER, True)]
    # Where there was no open time, nothing is unknown, nor said.
    asked = case(polls("a", (10, "-")), hours=DAYTIME)
    rule = Rule("below", threshold=Fraction(3, 4), windows=(HOUR,))
    assert says(asked, rule, 32, since=10) == [(10, "holds"), (18, "neither")]
    assert found(asked, rule, 32) == [(10, NEVER, False)]


def test_below_of_a_group() -> None:
    asked = case(polls("a", (0, "+")), polls("b", (0, "+"), (10, "-")), polls("c", (12, "-")), limit=3)
    rule = Rule("below", threshold=Fraction(3, 4), windows=(2 * HOUR,), by=("region",), coverage=Fraction(0))
    # Both are known to be up until 3. Two hours later nothing is known, and after 10 that b is down.
    told = says(asked, rule, 11, ("West",), since=0)
    assert told == [(0, "clear"), (5, "unknown"), (hour(us(10) + 1), "holds")]
    asked = case(polls("a", (0, "+"), (9, "+")), polls("b", (0, "+"), (9, "+")), polls("c", (10, "-")), limit=3)
    # At 10 c comes, and with it two hours down before. With an hour of a, and one of b, up, that is 2 of 4 hours.
    assert says(asked, rule, 11, ("West",), since=9.5) == [(9.5, "clear"), (10, "holds")]
    half = Rule("below", threshold=Fraction(1, 2), windows=(2 * HOUR,), by=("region",), coverage=Fraction(0))
    assert says(asked, half, 10.5, ("West",), since=9.5) == [(9.5, "clear")]


def test_burn() -> None:
    asked = case(polls("a", (0, "+"), (10, "-"), (12, "+")))
    rule = Rule("burn", threshold=Fraction(5), target=Fraction(9, 10), windows=(4 * HOUR, HOUR))
    # Five times a tenth is a half: of an hour at 10:30, of four hours at 12. Of the last hour it is half until 12:30.
    assert found(asked, rule, 20) == [(12, hour(us(12.5) + 1), False)]
    better = Rule("burn", threshold=Fraction(5), target=Fraction(9, 10), windows=(4 * HOUR, HOUR), recover=Fraction(1))
    # A tenth of an hour is left in the last hour at 12:54; less than that a microsecond later.
    assert found(asked, better, 20) == [(12, hour(us(12.9) + 1), False)]
    assert says(asked, better, 12.8, since=12) == [(12, "holds"), (hour(us(12.5) + 1) or 0.0, "neither")]


def test_burn_at_no_rate() -> None:
    asked = case(polls("a", (10, "-")), limit=1)
    rule = Rule("burn", threshold=Fraction(5), target=Fraction(9, 10), windows=(4 * HOUR, HOUR))
    # From 12 on nothing is known of the last hour.
    assert says(asked, rule, 13, since=10) == [(10, "holds"), (12, "unknown")]
    assert found(asked, rule, 13) == [(10, NEVER, True)]


def test_group() -> None:
    told = [
        *polls("a", (0, "+"), (10, "-"), (14, "+")),
        *polls("b", (0, "+"), (11, "-"), (12, "+")),
        *polls("c", (11.5, "-")),
        *polls("d", (0, "-")),
    ]
    both = Rule("group", count=2, share=Fraction(2, 3), by=("region",))
    # At 11 two are down of two; at 11.5 three of three; at 12 two of three; at 14 one.
    assert found(case(told), both, 20, ("West",)) == [(11, 14, False)]
    assert found(case(told), Rule("group", count=3, by=("region",)), 20, ("West",)) == [(11.5, 12, False)]
    assert found(case(told), Rule("group", share=Fraction(1, 2), by=("region",)), 20, ("West",)) == [(10, 14, False)]
    # The one without a region is a group by itself.
    assert found(case(told), Rule("group", count=1, by=("region",)), 20, ("",)) == [(0, NEVER, False)]
    west = Rule("group", count=1, by=("region",), where={"region": "West"})
    assert [*alerts(case(told), west, us(0), us(20))] == [("West",)]


def test_a_group_at_night() -> None:
    hours: list[Row] = [(store_id, day, "09:00", "17:00") for store_id in "abc" for day in range(7)]
    told = [*polls("a", (9, "-"), (20, "+")), *polls("b", (9, "-"), (34, "+")), *polls("c", (9, "+"))]
    rule = Rule("group", count=2, by=("region",))
    # From 17 to 33 no store is open: neither, and it stays. At 33 one is down.
    assert found(case(told, hours=hours), rule, 40, ("West",)) == [(9, 33, False)]
    assert found(case(told, hours=hours), rule, 32, ("West",)) == [(9, NEVER, False)]
    # A store that is closed is not down: with b closed, one of two.
    shut = [row for row in hours if row[0] != "b"] + [("b", day, "12:00", "17:00") for day in range(7)]
    assert found(case(told, hours=shut), rule, 40, ("West",)) == [(12, 33, False)]


def test_polls_that_disagree_are_a_store_down() -> None:
    asked = case(polls("a", (9, "+"), (10, "+"), (10, "-"), (11, "-"), (11, "+"), (12, "+")))
    assert found(asked, down(30), 13) == [(10.5, 12, False)]


def test_a_window_has_what_fires_in_it() -> None:
    asked = case(polls("a", (8, "+"), (10, "-"), (12, "+")))
    assert found(asked, down(60), 20, since=11.5) == [(11, 12, False)]
    # Half-open, as all intervals are.
    assert found(asked, down(60), 20, since=12) == []
    assert found(asked, down(60), 11) == []
    assert found(asked, down(60), 12) == [(11, NEVER, False)]


def test_at_each_minute_the_same() -> None:
    asked = case(polls("a", (8, "+"), (10, "-"), (12, "+")))
    assert alerts_by_ticks(asked, down(15), us(8), us(13)) == alerts(asked, down(15), us(8), us(13))
    # Below is a microsecond after 11 and found a minute later; at 15 it is resolved.
    assert told_of(alerts_by_ticks(asked, BELOW, us(8), us(16))) == [(11 + 1 / 60, 15, False)]


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (0.0, [(10.25, 12.0, False)]),
        (0.2, [(10.25, 12.0, False)]),
        (0.5, [(10.5, 12.0, False)]),  # found when it comes
        (3.0, []),  # by then the store is up again
    ],
)
def test_a_poll_that_comes_late(late: float, told: list[Told]) -> None:
    asked = case(polls("a", (8, "+"), (10, "-"), (12, "+")))
    arrivals = {asked.polls[1]: us(10 + late)}
    looks = range(us(8), us(14), 60_000_000)
    assert told_of(alerts_as_they_come(asked, down(15), looks, us(14), arrivals)) == told


def test_values_have_three_names() -> None:
    facts = Facts(case(polls("a", (10, "-")), limit=1), us(20))
    values: list[Value] = [value_at(facts, down(60), "a", us(t)) for t in (9, 10, 12)]
    assert values == ["neither", "holds", "neither"]


def test_what_is_known_is_as_the_other_oracles_tell_it() -> None:
    asked = case(polls("a", (9, "+"), (10, "-"), (14, "-"), (20, "+"), (30, "-")), hours=OVERNIGHT + DAYTIME, limit=5)
    store = Facts(asked, us(60), 24 * HOUR).stores["a"]
    for t in (9, 10, 12.5, 14, 19, 20, 24.5, 25, 30, 34, 35):
        one = now_of(asked.polls, asked.hours, "UTC", at(t), carry_limit=asked.carry_limit)
        assert (store.state(us(t)), store.is_open(us(t)), instant(store.since(us(t)))) == one[:3]
        assert store.open_time(store.since(us(t)), us(t)) == one.open_time_us
        window = at(t - 24), at(t)
        figures = figures_between(asked.polls, asked.hours, "UTC", window, at(t), carry_limit=asked.carry_limit)
        assert store.figures(24 * HOUR, us(t)) == figures
