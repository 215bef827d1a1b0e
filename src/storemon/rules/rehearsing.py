"""What would have been told of alerts that are replayed: the watcher's looks, one after the other, without a clock."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from typing import NamedTuple

import polars as pl

from storemon.rules.planning import MOST_COUNTED, Alert, Known, Notice, Place, plan
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects

_MICROSECOND = timedelta(microseconds=1)


class Rehearsed(NamedTuple):
    """A notice, and the look that told it, in microseconds."""

    at: int
    notice: Notice


def rehearsed(
    rules: Sequence[Rule], alerts: Mapping[str, Sequence[Alert]], subjects: Mapping[str, Subjects], every: timedelta
) -> Iterator[Rehearsed]:
    """Tell which notices there would have been, in the order of time.

    The watcher looks at each whole multiple of ``every``. Nobody acknowledges or silences anything.

    Args:
        rules: the rules.
        alerts: those of each rule by its name, by subject and in order of ``fired_at``; what is told of them is noted.
        subjects: the subjects of each rule.
        every: how often the watcher looks.

    """
    step = every // _MICROSECOND
    by_name = {rule.name: rule for rule in rules}
    down = (alert.subject for some in alerts.values() for alert in some if alert.kind == "down")
    groups = groups_of_stores(rules, subjects, down)
    turns: list[tuple[int, int, Alert]] = []
    for some in alerts.values():
        for alert in some:
            rule = by_name[alert.rule]
            alert.found_at = alert.due_at = _look(alert.fired_at, step)
            alert.groups = groups.get(alert.subject, ()) if alert.kind == "down" else ()
            turns.append((alert.found_at, len(turns), alert))
            if alert.resolved_at is not None:
                known_at = _look(alert.resolved_at + rule.recovery // _MICROSECOND, step)
                turns.append((max(known_at, alert.found_at), len(turns), alert))
    known = Known(by_name, set(), _History(alerts).before)
    yield from _Rehearsal(known, turns, step).notices()


class _Rehearsal:
    """A watcher that looks only where something happens, or is due."""

    def __init__(self, known: Known, turns: list[tuple[int, int, Alert]], step: int) -> None:
        turns.sort(reverse=True)  # the next one is the last of the list
        self._known, self._turns, self._step, self._number = known, turns, step, len(turns)
        self._later: list[tuple[int, int, Alert]] = []
        self._waiting: dict[str, dict[int, Alert]] = defaultdict(dict)
        self._listed: dict[Place, list[Alert]] = defaultdict(list)

    def notices(self) -> Iterator[Rehearsed]:
        while self._turns or self._later:
            now = min(turns[place][0] for turns, place in ((self._turns, -1), (self._later, 0)) if turns)
            here = []
            while self._turns and self._turns[-1][0] == now:
                here.append(self._turns.pop()[2])
            while self._later and self._later[0][0] == now:
                here.append(heappop(self._later)[2])
            for alert in tuple(here):
                here += self._happens(now, alert)
            some = {id(alert): alert for alert in here}
            for name in {alert.rule for alert in here}:  # what waits is told together
                some |= self._waiting[name]
            for notice in plan(now, some.values(), self._known):
                yield Rehearsed(now, notice)
            for alert in some.values():
                self._goes_on(now, alert)

    def _happens(self, now: int, alert: Alert) -> Sequence[Alert]:
        """See whether an alert is over; if it is of a group, those wait no longer that are listed with it alone."""
        recovery = self._known.rules[alert.rule].recovery // _MICROSECOND
        alert.due_at = now
        if alert.resolved_at is not None and alert.resolved_at + recovery < now:
            alert.closed_at = alert.closed_at or now
        if alert.kind != "group":
            return ()
        place = (alert.rule, alert.subject)
        if alert.closed_at is None:
            self._known.open_groups.add(place)
            return ()
        self._known.open_groups.discard(place)
        outlasting = [each for each in self._listed.pop(place, []) if each.told.state == "listed"]
        for each in outlasting:
            each.due_at = now
        return outlasting

    def _goes_on(self, now: int, alert: Alert) -> None:
        if alert.told.state == "waiting":
            self._waiting[alert.rule][id(alert)] = alert
        else:
            self._waiting[alert.rule].pop(id(alert), None)
        if alert.told.state == "listed":
            for place in alert.groups:
                self._listed[place].append(alert)
        if alert.due_at is not None and alert.due_at > now:
            self._number += 1
            heappush(self._later, (_look(alert.due_at - 1, self._step), self._number, alert))


def groups_of_stores(
    rules: Sequence[Rule], subjects: Mapping[str, Subjects], stores: Iterable[str]
) -> dict[str, tuple[Place, ...]]:
    """Tell of stores the alerts of groups that would list those of their own."""
    found: dict[str, tuple[Place, ...]] = {}
    asked = pl.DataFrame({"store_id": [*stores]}, schema={"store_id": pl.String}).unique()
    for rule in rules:
        if rule.kind == "group" and rule.name in subjects:
            of_rule = subjects[rule.name]
            placed = of_rule.stores.select("store_id", "row").join(asked, on="store_id", how="semi")
            placed = placed.join(of_rule.names, on="row")
            for store_id, subject in placed.select("store_id", "subject").iter_rows():
                found[store_id] = (*found.get(store_id, ()), (rule.name, subject))
    return found


def alerts_from(rule: Rule, found: pl.DataFrame) -> list[Alert]:
    """Make alerts of the rows that `storemon.rules.replaying.replayed` gives."""
    rows = found.select("subject", "fired_at", "resolved_at").iter_rows()
    return [
        Alert("", rule.name, rule.kind, subject, fired_at, fired_at, resolved_at)
        for subject, fired_at, resolved_at in rows
    ]


class _History:
    """The alerts of each subject, in order."""

    def __init__(self, alerts: Mapping[str, Sequence[Alert]]) -> None:
        self._of: dict[Place, list[Alert]] = defaultdict(list)
        for some in alerts.values():
            for alert in some:
                self._of[alert.rule, alert.subject].append(alert)

    def before(self, alert: Alert) -> Sequence[Alert]:
        of_subject = self._of[alert.rule, alert.subject]
        place = bisect_left(of_subject, alert.fired_at, key=lambda each: each.fired_at)
        return of_subject[max(0, place - MOST_COUNTED) : place]


def _look(instant: int, step: int) -> int:
    """Find the first look after an instant."""
    return (instant // step + 1) * step
