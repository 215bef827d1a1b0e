"""Conditions: what a rule waits for, as people write it; see "Rules and alerts" in docs/semantics.md.

Each is read from words like ``down for 15m``, and written as them again by ``str``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from fractions import Fraction
from typing import ClassVar, Literal

from storemon.errors import InputError
from storemon.units.durations import format_duration, parse_duration

Kind = Literal["down", "silent", "below", "burn", "group"]

HALF = Fraction(1, 2)
LONGEST = timedelta(days=400)
"""The longest window that a rule can look back over."""


@dataclass(frozen=True)
class Down:
    """The store is inactive, and has been for so much open time."""

    kind: ClassVar[Kind] = "down"
    lasts: timedelta

    def __str__(self) -> str:
        return f"down for {format_duration(self.lasts)}"


@dataclass(frozen=True)
class Silent:
    """So much open time has gone by since the store's last poll."""

    kind: ClassVar[Kind] = "silent"
    lasts: timedelta

    def __str__(self) -> str:
        return f"silent for {format_duration(self.lasts)}"


@dataclass(frozen=True)
class Below:
    """Availability ``over`` a window is under a threshold, and at least ``coverage`` of the service time is known.

    It is over when ``recover`` is reached.
    """

    kind: ClassVar[Kind] = "below"
    threshold: Fraction
    over: timedelta
    coverage: Fraction
    recover: Fraction

    def __str__(self) -> str:
        return f"availability < {percent(self.threshold)} over {format_duration(self.over)}"


@dataclass(frozen=True)
class Burn:
    """The burn rate of a target is at least ``factor`` over a long and over a short window.

    It is over when one of the two is under ``recover``.
    """

    kind: ClassVar[Kind] = "burn"
    factor: Fraction
    target: Fraction
    long: timedelta
    short: timedelta
    recover: Fraction

    def __str__(self) -> str:
        windows = f"{format_duration(self.long)} and {format_duration(self.short)}"
        return f"burn > {decimal(self.factor)} of {percent(self.target)} over {windows}"


@dataclass(frozen=True)
class Group:
    """Of the stores of a group that are open, at least ``stores`` and at least the ``share`` are inactive."""

    kind: ClassVar[Kind] = "group"
    stores: int
    share: Fraction

    def __str__(self) -> str:
        count = f"{self.stores} store{'s' * (self.stores > 1)}"
        if not self.share:
            return f"{count} down"
        return f"{count} and {percent(self.share)} down" if self.stores > 1 else f"{percent(self.share)} down"


Condition = Down | Silent | Below | Burn | Group

_NUMBER, _LENGTH = r"(\d+(?:\.\d+)?)", r"(\w+)"
_PERCENT = rf"{_NUMBER}\s*%"
_EXAMPLES = (
    "down for 15m",
    "silent for 2h",
    "availability < 98% over 7d",
    "burn > 6 of 99.5% over 24h and 4h",
    "5 stores and 30% down by region",
)


def parse_condition(
    text: str, *, coverage: str | None = None, recover: str | None = None
) -> tuple[Condition, tuple[str, ...]]:
    """Read what a rule waits for, and the tags of groups that it names with ``by``.

    Args:
        text: the words.
        coverage: the share of the service time that must be known, for availability; by default 50 %.
        recover: the better threshold that must be reached, for availability and burn rates.

    Raises:
        InputError: it can't be understood.

    """
    written = " ".join(text.split())
    written, _, named = re.sub(r"\s+by\s+", "\0", written, count=1, flags=re.IGNORECASE).partition("\0")
    by = tuple(part.strip() for part in named.split(",")) if named else ()
    condition = _read(written, coverage, recover)
    if condition is None:
        near = get_close_matches(text.lower(), _EXAMPLES, n=1, cutoff=0.5)
        meant = f"did you mean something like {near[0]!r}?" if near else f"write it like one of: {', '.join(_EXAMPLES)}"
        raise InputError(f"{text!r} is not a condition; {meant}")
    if coverage is not None and not isinstance(condition, Below):
        raise InputError("coverage goes with availability only; leave it out")
    if recover is not None and not isinstance(condition, Below | Burn):
        raise InputError("recover goes with availability and burn rates only; leave it out, or say recovery = '5m'")
    if by and not all(by):
        raise InputError(f"{text!r} names an empty tag after by; write it like by region, city")
    return condition, by


def _read(written: str, coverage: str | None, recover: str | None) -> Condition | None:
    for pattern, make in _KINDS:
        if found := re.fullmatch(pattern, written, re.IGNORECASE | re.ASCII):
            return make(found, coverage, recover)
    return None


def _below(found: re.Match[str], coverage: str | None, recover: str | None) -> Condition:
    threshold = _share(found[1], "availability")
    better = threshold if recover is None else _share(recover, "recover")
    if better < threshold:
        raise InputError(f"recover = {recover} is worse than {percent(threshold)}; it must be better, or left out")
    return Below(threshold, _window(found[2]), HALF if coverage is None else _share(coverage, "coverage"), better)


def _burn(found: re.Match[str], _: str | None, recover: str | None) -> Condition:
    factor, target, windows = Fraction(found[1]), _share(found[2], "target"), (_window(found[3]), _window(found[4]))
    if not factor or target == 1:
        raise InputError("a burn rate must be above 0, and its target below 100 %, else there is nothing to burn")
    better = factor if recover is None else _number(recover)
    if not 0 < better <= factor:
        raise InputError(f"recover = {recover} is no better than a burn rate of {decimal(factor)}; it must be lower")
    return Burn(factor, target, max(windows), min(windows), better)


def _group(found: re.Match[str], *_: str | None) -> Condition:
    stores, share = int(found["stores"] or 1), _share(found["share"], "share") if found["share"] else Fraction(0)
    if not stores:
        raise InputError("a group is down with one store at the least; write it like 5 stores and 30% down")
    return Group(stores, share)


_KINDS: tuple[tuple[str, Callable[[re.Match[str], str | None, str | None], Condition]], ...] = (
    (rf"down for {_LENGTH}", lambda found, *_: Down(parse_duration(found[1]))),
    (rf"silent for {_LENGTH}", lambda found, *_: Silent(parse_duration(found[1]))),
    (rf"availability\s*<\s*{_PERCENT} over {_LENGTH}", _below),
    (rf"burn\s*>=?\s*{_NUMBER} of {_PERCENT} over {_LENGTH} and {_LENGTH}", _burn),
    (rf"(?P<stores>\d{{1,9}}) stores?(?: and (?P<share>{_PERCENT}))? down", _group),
    (rf"(?P<stores>)(?P<share>{_PERCENT}) down", _group),
)


def _window(text: str) -> timedelta:
    length = parse_duration(text)
    if length > LONGEST:
        raise InputError(f"{text} is longer than a rule can look back: {format_duration(LONGEST)} at the most")
    return length


def _number(text: str) -> Fraction:
    if not re.fullmatch(_NUMBER, text.strip(), re.ASCII):
        raise InputError(f"{text!r} is not a number; write it like 3 or 2.5")
    return Fraction(text.strip())


def _share(text: str, what: str) -> Fraction:
    """Read a percentage above 0 and up to 100, with or without its sign, as a share."""
    written = text.strip().removesuffix("%").rstrip()
    share = Fraction(written) / 100 if re.fullmatch(r"\d{1,3}(\.\d{1,7})?", written, re.ASCII) else Fraction(0)
    if not 0 < share <= 1:
        raise InputError(f"{what}: {text!r} is not a percentage above 0 and up to 100; write it like 98.5%")
    return share


def percent(share: Fraction) -> str:
    """Write a share in percent, exactly."""
    return f"{decimal(share * 100)}%"


def decimal(number: Fraction) -> str:
    """Write a number that people wrote with decimals, exactly."""
    written = f"{float(number):.9f}".rstrip("0").rstrip(".")
    return written if Fraction(written) == number else str(number)
