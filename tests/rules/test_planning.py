"""Notices: which there are, to whom and when, minute by minute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from storemon.rules.file import read_rule
from storemon.rules.planning import Alert, Known, plan
from storemon.rules.rule import Rule

MINUTE = 60_000_000
Told = list[tuple[int, str, str, list[str]]]


def a_rule(**parts: object) -> Rule:
    return read_rule({"name": "down", "when": "down for 15m", "channels": ["ops"], **parts})


@dataclass
class Watched:
    """Looks each minute at alerts given as subject, and the minutes in which it fires and is resolved."""

    rules: Sequence[Rule]
    silences: dict[str, tuple[int, int]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    groups: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    restarts: bool = False

    def told(self, *alerts: tuple[str, int, int | None], minutes: int = 300, rule: str = "down") -> Told:
        return self.all_told([(rule, *each) for each in alerts], minutes)

    def all_told(self, alerts: Sequence[tuple[str, str, int, int | None]], minutes: int = 300) -> Told:
        by_name = {rule.name: rule for rule in self.rules}
        found: list[Alert] = []
        sent: Told = []
        for minute in range(minutes):
            now = minute * MINUTE
            for name, subject, fires, ends in alerts:
                if fires == minute:
                    kind = by_name[name].kind
                    groups = self.groups.get(subject, ()) if kind == "down" else ()
                    found.append(Alert(str(len(found)), name, kind, subject, now - 1, now, groups=groups, due_at=now))
                if ends == minute:
                    (alert,) = (each for each in found if each.subject == subject and each.closed_at is None)
                    alert.resolved_at, alert.closed_at, alert.due_at = now - 1, now, now
            open_groups = {(each.rule, each.subject) for each in found if each.kind == "group" and not each.closed_at}
            for alert in found:
                if self.acknowledged.get(alert.subject) == minute:
                    alert.acknowledged = True
                if alert.told.state == "listed" and alert.closed_at is None and not open_groups & {*alert.groups}:
                    alert.due_at = now
            known = Known(by_name, open_groups, self._earlier(found), self._silenced(now))
            due = [each for each in found if each.due_at is not None]
            for notice in plan(now, due, known):
                sent.append((minute, notice.kind, notice.channel, [alert.subject for alert in notice.alerts]))
        return sent

    def _silenced(self, now: int) -> Callable[[Alert], int | None]:
        def until(alert: Alert) -> int | None:
            begins, ends = self.silences.get(alert.subject, (0, 0))
            return ends * MINUTE if begins * MINUTE <= now < ends * MINUTE else None

        return until

    @staticmethod
    def _earlier(found: list[Alert]) -> Callable[[Alert], Sequence[Alert]]:
        return lambda alert: [
            each
            for each in found
            if (each.rule, each.subject) == (alert.rule, alert.subject) and each.fired_at < alert.fired_at
        ]


def test_an_alert_is_told_when_it_fires_and_when_it_is_over() -> None:
    told = Watched([a_rule()]).told(("a", 5, 20))
    assert told == [(5, "fired", "ops", ["a"]), (20, "resolved", "ops", ["a"])]


def test_what_fires_together_is_told_together() -> None:
    watched = Watched([a_rule(grouping="3m")])
    assert watched.told(("a", 5, None), ("b", 7, None), ("c", 8, None), ("d", 9, None)) == [
        (8, "fired", "ops", ["a", "b", "c"]),
        (12, "fired", "ops", ["d"]),
    ]


def test_what_is_over_before_it_is_told_is_told_at_once_with_its_end() -> None:
    assert Watched([a_rule(grouping="3m")]).told(("a", 5, 6)) == [
        (8, "fired", "ops", ["a"]),
        (8, "resolved", "ops", ["a"]),
    ]


def test_what_began_is_told_before_what_is_over() -> None:
    """Else who gets both at once may read of an end first, and take the other alert for open for ever."""
    told = Watched([a_rule(grouping="2m")]).told(("a", 1, 8), ("b", 6, 7))
    assert told == [(3, "fired", "ops", ["a"]), (8, "fired", "ops", ["b"]), (8, "resolved", "ops", ["a", "b"])]


def test_it_is_told_again_up_to_a_cap() -> None:
    told = Watched([a_rule(repeat="30m", repeats=2)]).told(("a", 5, 200))
    assert told == [
        (5, "fired", "ops", ["a"]),
        (35, "repeated", "ops", ["a"]),
        (65, "repeated", "ops", ["a"]),
        (200, "resolved", "ops", ["a"]),
    ]


def test_who_acknowledges_is_not_told_again_but_of_the_end() -> None:
    rule = a_rule(repeat="30m", escalate=[{"after": "50m", "channels": ["boss"]}])
    told = Watched([rule], acknowledged={"a": 40}).told(("a", 5, 200))
    assert told == [(5, "fired", "ops", ["a"]), (35, "repeated", "ops", ["a"]), (200, "resolved", "ops", ["a"])]


def test_what_nobody_acknowledges_goes_to_the_next() -> None:
    rule = a_rule(escalate=[{"after": "20m", "channels": ["boss"]}, {"after": "1h", "channels": ["ceo", "ops"]}])
    assert Watched([rule]).told(("a", 5, 100)) == [
        (5, "fired", "ops", ["a"]),
        (25, "escalated", "boss", ["a"]),
        (65, "escalated", "ceo", ["a"]),
        (65, "escalated", "ops", ["a"]),
        (100, "resolved", "ops", ["a"]),
        (100, "resolved", "boss", ["a"]),
        (100, "resolved", "ceo", ["a"]),
    ]


def test_a_silence_keeps_back_and_what_still_fires_at_its_end_is_told_then() -> None:
    told = Watched([a_rule()], silences={"a": (0, 60), "b": (0, 60)}).told(("a", 5, 100), ("b", 6, 50), ("c", 7, 50))
    assert told == [
        (7, "fired", "ops", ["c"]),
        (50, "resolved", "ops", ["c"]),
        (60, "fired", "ops", ["a"]),
        (100, "resolved", "ops", ["a"]),
    ]


def test_a_silence_keeps_repeats_and_the_end_back_of_what_was_told_before() -> None:
    told = Watched([a_rule(repeat="10m", repeats=5)], silences={"a": (20, 60)}).told(("a", 5, 40))
    assert told == [
        (5, "fired", "ops", ["a"]),
        (15, "repeated", "ops", ["a"]),
        (60, "resolved", "ops", ["a"]),
    ]


GROUP = read_rule({"name": "region", "when": "2 stores down by region", "channels": ["ops"]})
WEST = ("region", "region=West")


def test_members_are_listed_with_their_group_and_those_that_outlast_it_are_told() -> None:
    watched = Watched([GROUP, a_rule()], groups={"a": (WEST,), "b": (WEST,), "c": (WEST,)})
    told = watched.all_told(
        [
            ("region", "region=West", 5, 100),
            ("down", "a", 15, 90),
            ("down", "b", 16, 120),
            ("down", "c", 17, 100),  # with its group: it did not outlast it
            ("down", "d", 18, 30),  # of another group
        ]
    )
    assert told == [
        (5, "fired", "ops", ["region=West"]),
        (18, "fired", "ops", ["d"]),
        (30, "resolved", "ops", ["d"]),
        (100, "resolved", "ops", ["region=West"]),
        (100, "fired", "ops", ["b"]),
        (120, "resolved", "ops", ["b"]),
    ]


def test_what_fires_too_often_is_told_once_as_flapping_and_again_after_a_quiet_time() -> None:
    watched = Watched([a_rule(flapping="2 in 1h")])
    often = [("a", minute, minute + 2) for minute in (5, 15, 25, 35, 45)]
    told = watched.told(*often, ("a", 100, 101), ("a", 170, 171), minutes=300)
    assert told == [
        (5, "fired", "ops", ["a"]),
        (7, "resolved", "ops", ["a"]),
        (15, "fired", "ops", ["a"]),
        (17, "resolved", "ops", ["a"]),
        (25, "flapping", "ops", ["a"]),
        (170, "fired", "ops", ["a"]),
        (171, "resolved", "ops", ["a"]),
    ]


def test_each_channel_and_rule_has_notices_of_its_own() -> None:
    rules = [a_rule(channels=["ops", "chat"]), a_rule(name="other", channels=["ops"])]
    told = Watched(rules).all_told([("down", "a", 5, None), ("other", "a", 5, None)])
    assert told == [
        (5, "fired", "ops", ["a"]),
        (5, "fired", "chat", ["a"]),
        (5, "fired", "ops", ["a"]),
    ]


def test_a_rule_that_is_gone_ends_what_it_told() -> None:
    rule = a_rule(repeat="10m")
    alert = Alert("1", "gone", "down", "a", 0, 0, resolved_at=MINUTE, closed_at=MINUTE, due_at=MINUTE)
    alert.told.state, alert.told.at, alert.told.channels = "told", 0, ["ops"]
    (notice,) = plan(MINUTE, [alert], Known({rule.name: rule}, set(), lambda _: ()))
    assert (notice.kind, notice.channel, alert.due_at) == ("resolved", "ops", None)
    assert plan(2 * MINUTE, [alert], Known({rule.name: rule}, set(), lambda _: ())) == []
    new = Alert("2", "gone", "down", "b", 0, 0, due_at=0)
    assert plan(0, [new], Known({}, set(), lambda _: ())) == []
    assert new.due_at is None
