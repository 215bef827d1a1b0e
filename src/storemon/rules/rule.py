"""One rule, as it is meant: what it waits for, of which stores, and who is told how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from storemon.rules.conditions import Below, Burn, Condition, Group, Kind

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class Step:
    """A step of an escalation: ``after`` so long without an acknowledgement, other ``channels`` are told."""

    after: timedelta
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Flapping:
    """A subject that fires more often than ``times`` ``within`` a time is told once as flapping."""

    times: int
    within: timedelta


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule.

    Attributes:
        name: what it goes by.
        condition: what it waits for.
        where: the tags that a store must have, by name.
        by: the tags of groups of stores. For the kinds below, burn and group these are its subjects; for the others,
            whose subjects are stores, it is the group of which a notice tells the share.
        severity: how urgent its alerts are.
        channels: who is told.
        recovery: for how much open time it must not have held, so that its alert is resolved.
        grouping: what fires within it is told in one notice.
        repeat: after how long an alert is told again; None for never.
        repeats: how often at the most.
        escalate: who is told besides of what stays unacknowledged, in the order of time.
        flapping: when a subject is told as flapping; None for never.
        title: the template of a notice's title, empty for the usual one.
        text: that of its text.

    """

    name: str
    condition: Condition
    where: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    severity: Severity = "warning"
    channels: tuple[str, ...] = ()
    recovery: timedelta = timedelta()
    grouping: timedelta = timedelta()
    repeat: timedelta | None = None
    repeats: int = 3
    escalate: tuple[Step, ...] = ()
    flapping: Flapping | None = Flapping(5, timedelta(hours=6))
    title: str = ""
    text: str = ""

    @property
    def kind(self) -> Kind:
        """What kind of condition it has."""
        return self.condition.kind

    @property
    def of_groups(self) -> bool:
        """Whether its subjects are groups of stores."""
        return isinstance(self.condition, Group) or (bool(self.by) and isinstance(self.condition, Below | Burn))
