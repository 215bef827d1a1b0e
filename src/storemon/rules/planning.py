"""Notices: who is told what of alerts, and when; see "Notices" in docs/alerts.md.

It is decided here alone, for alerts that are watched as for those that are replayed: of each alert, what was told of it
so far, and what is known now, there follows what is to be told, and when there may be something to tell next.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, NamedTuple

import msgspec

from storemon.rules.conditions import Kind
from storemon.rules.rule import Rule

Telling = Literal["fired", "repeated", "escalated", "flapping", "resolved"]
"""What a notice tells of its alerts."""
Place = tuple[str, str]
"""The rule and the subject of an alert."""

MOST_COUNTED = 1001
"""So many alerts of a subject are looked at, to tell whether it flaps: as many as a rule can count, and one more."""

_MICROSECOND = timedelta(microseconds=1)


class Told(msgspec.Struct):
    """What was told of an alert.

    Attributes:
        state: ``waiting``: nothing yet; ``listed``: it is listed with the alert of its group; ``told``; ``flapping``:
            that it fires too often; ``muted``: nothing, as that was told; ``done``: nothing more will be.
        at: when it was told first, in microseconds.
        last_at: when it was told last.
        repeats: how often again.
        steps: how many steps of the escalation are taken.
        channels: who was told, and hears of its end.
        silence: the id of the silence that kept it back last.
        dropped: whether it ended as nobody watches it any more, which says nothing of its subject.

    """

    state: Literal["waiting", "listed", "told", "flapping", "muted", "done"] = "waiting"
    at: int | None = None
    last_at: int | None = None
    repeats: int = 0
    steps: int = 0
    channels: list[str] = []
    silence: str | None = None
    dropped: bool = False


@dataclass(eq=False, slots=True)
class Alert:
    """An alert, as it is told of.

    Attributes:
        id: its own.
        rule: the name of its rule.
        kind: the kind of that.
        subject: the id of a store, or the tags of a group.
        fired_at: when, in microseconds; and so are the others.
        found_at: when that was found.
        resolved_at: None while it is open.
        closed_at: when that was found.
        acknowledged: somebody cares for it.
        groups: the alerts of groups, open or not, that would have this one among theirs.
        told: what was told of it.
        due_at: when there may be something to tell; None for never, but for what happens meanwhile.

    """

    id: str
    rule: str
    kind: Kind
    subject: str
    fired_at: int
    found_at: int
    resolved_at: int | None = None
    closed_at: int | None = None
    acknowledged: bool = False
    groups: Sequence[Place] = ()
    told: Told = field(default_factory=Told)
    due_at: int | None = None


class Notice(NamedTuple):
    """What is to be told to a channel."""

    kind: Telling
    rule: str
    channel: str
    alerts: list[Alert]


class Known(NamedTuple):
    """What is known beside the alerts themselves."""

    rules: Mapping[str, Rule]
    """The rules by their names."""
    open_groups: set[Place]
    """The alerts of groups that are open."""
    earlier: Callable[[Alert], Sequence[Alert]]
    """Lists the alerts of the same rule and subject that fired before one, the latest last, as far as they count."""
    silenced_until: Callable[[Alert], int | None] = lambda _: None
    """Tells until when an alert is silenced, None if it is not."""


def plan(now: int, alerts: Iterable[Alert], known: Known) -> list[Notice]:
    """Decide what is to be told now, and note it in what was told of the alerts.

    Args:
        now: the instant, in microseconds.
        alerts: those that may have something to tell now or later, all of them: what is told of one rule may be told
            together. Those with nothing to tell now are left as they are, but for that.
        known: the rest.

    """
    notices = _Notices()
    waiting: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        is_due = alert.due_at is not None and alert.due_at <= now
        if alert.told.state in ("waiting", "listed"):
            if is_due or alert.told.state == "waiting":
                waiting[alert.rule].append(alert)
        elif is_due:
            _go_on(now, alert, known, notices)
    for name, some in waiting.items():
        _begin(now, name, some, known, notices)
    return notices.all()


def _begin(now: int, name: str, alerts: Sequence[Alert], known: Known, notices: "_Notices") -> None:
    """Tell of the alerts of one rule of which nothing was told, if one has waited for as long as it may."""
    rule = known.rules.get(name)
    ready = []
    for alert in alerts:
        if (until := known.silenced_until(alert)) is not None:
            _keep_back(alert, until)
        elif alert.told.state == "listed" and alert.closed_at is not None:
            _keep_back(alert, None)  # it did not outlast the one of its group
        elif any(place in known.open_groups for place in alert.groups):
            alert.told.state = "listed"
            _keep_back(alert, None)
        elif rule is None:
            alert.told.state, alert.due_at = "done", None
        else:
            alert.told.state = "waiting"
            ready.append(alert)
    if rule is None or not ready:
        return
    grouping = rule.grouping // _MICROSECOND
    turn = min(alert.found_at for alert in ready) + grouping
    if now < turn:
        for alert in ready:
            alert.due_at = turn
        return
    for alert in ready:
        _first(now, alert, rule, known, notices)


def _keep_back(alert: Alert, until: int | None) -> None:
    """Tell nothing of it for now; what is over by then was never told, and stays so."""
    if alert.closed_at is not None:
        alert.told.state, alert.due_at = "done", None
    else:
        alert.due_at = until


def _first(now: int, alert: Alert, rule: Rule, known: Known, notices: "_Notices") -> None:
    """Tell of an alert for the first time."""
    told = alert.told
    state = _mood(alert, rule, known)
    if state != "told":
        told.state, alert.due_at = state, None
        if state == "flapping":
            notices.add("flapping", alert, rule.channels)
        return
    told.state, told.at, told.last_at, told.channels = "told", now, now, list(rule.channels)
    notices.add("fired", alert, rule.channels)
    alert.due_at = now
    _go_on(now, alert, known, notices)


def _mood(alert: Alert, rule: Rule, known: Known) -> Literal["told", "flapping", "muted"]:
    """Tell whether an alert is told as usual, or flaps, or goes on flapping."""
    if rule.flapping is None:
        return "told"
    earlier, within = known.earlier(alert), rule.flapping.within // _MICROSECOND
    if earlier and earlier[-1].told.state in ("flapping", "muted"):
        last = earlier[-1]
        if alert.fired_at - (last.resolved_at or last.fired_at) < within:
            return "muted"
    recent = sum(each.fired_at > alert.fired_at - within for each in earlier)
    return "flapping" if recent + 1 > rule.flapping.times else "told"


def _go_on(now: int, alert: Alert, known: Known, notices: "_Notices") -> None:
    """Tell of an alert again, or of its end; and find when it is its turn next."""
    told, rule = alert.told, known.rules.get(alert.rule)
    if told.state != "told":
        alert.due_at = None
        return
    if (until := known.silenced_until(alert)) is not None:
        alert.due_at = until
        return
    if alert.closed_at is not None:
        notices.add("resolved", alert, told.channels)
        told.state, alert.due_at = "done", None
        return
    alert.due_at = None
    if rule is None or alert.acknowledged:
        return
    _escalate(now, alert, rule, notices)
    if rule.repeat is not None and told.repeats < rule.repeats:
        again_at = (told.last_at or now) + rule.repeat // _MICROSECOND
        if now >= again_at:
            notices.add("repeated", alert, told.channels)
            told.repeats, told.last_at = told.repeats + 1, now
            again_at = now + rule.repeat // _MICROSECOND
        if told.repeats < rule.repeats:
            _due(alert, again_at)


def _escalate(now: int, alert: Alert, rule: Rule, notices: "_Notices") -> None:
    told = alert.told
    for step in rule.escalate[told.steps :]:
        taken_at = (told.at or now) + step.after // _MICROSECOND
        if now < taken_at:
            _due(alert, taken_at)
            return
        notices.add("escalated", alert, step.channels)
        told.steps += 1
        told.channels = [*told.channels, *(each for each in step.channels if each not in told.channels)]


def _due(alert: Alert, at: int) -> None:
    alert.due_at = at if alert.due_at is None else min(alert.due_at, at)


class _Notices:
    """Gathers what is told: of one rule, of one kind, to one channel, in one notice."""

    def __init__(self) -> None:
        self._found: dict[tuple[Telling, str, str], list[Alert]] = defaultdict(list)

    def add(self, kind: Telling, alert: Alert, channels: Iterable[str]) -> None:
        for channel in channels:
            self._found[kind, alert.rule, channel].append(alert)

    def all(self) -> list[Notice]:
        """Give them in the order in which they are to arrive: of a rule, what began is told before what is over."""
        notices = [Notice(*place, alerts) for place, alerts in self._found.items()]
        begun = {(notice.rule, notice.channel) for notice in notices if notice.kind == "fired"}
        return sorted(notices, key=lambda it: it.kind == "resolved" and (it.rule, it.channel) in begun)
