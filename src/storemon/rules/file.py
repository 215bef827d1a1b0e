"""Rules as people write them: ``rules.toml``, or one of them as it is sent."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from storemon.engine.question import require_one_of
from storemon.engine.tags import parse_where
from storemon.errors import FileError, InputError
from storemon.rules.conditions import parse_condition
from storemon.rules.rule import Flapping, Rule, Severity, Step
from storemon.units.durations import parse_duration

LONGEST_NAME = 100
_NEVER = "never"
_LARGEST = 10_000_000
"""Bytes of a file of rules: more than a hundred thousand of them."""


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    after: str
    channels: str | list[str]


class Written(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A rule as it is written: every length of time, share and condition as text."""

    name: str
    when: str
    where: str | list[str] = []
    by: str | list[str] = []
    severity: str = "warning"
    channels: str | list[str] = []
    coverage: str | None = None
    recover: str | None = None
    recovery: str | None = None
    grouping: str | None = None
    repeat: str = _NEVER
    repeats: int | None = None
    escalate: list[_Step] = []
    flapping: str | None = None
    title: str = ""
    text: str = ""


class File(NamedTuple):
    """What a file of rules holds: the rules, and the tables of its channels, as they are written."""

    rules: list[Rule]
    channels: dict[str, Any]


def read_file(place: Path) -> File:
    """Read a file of rules.

    Raises:
        FileError: it is not there, or can't be read.
        InputError: it can't be understood; the text tells of each mistake where it is, and what may have been meant.

    """
    try:
        with place.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise FileError(f"{place}: it has more than {_LARGEST:,} bytes; it can't be a file of rules")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{place}: {error.strerror or error}; name a file of rules with --rules") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{place}: it is not written in UTF-8: {error}") from error
    return read_text(text, str(place))


def read_text(text: str, place: str = "the rules") -> File:
    """Read the text of a file of rules, which goes by the name of ``place`` in what is said of it.

    Raises:
        InputError: as for `read_file`.

    """
    tables = _tables(text, place)
    wrong: list[str] = []
    for name in tables:
        _tried(wrong, place, require_one_of, name, ["rules", "channels"], "table")
    rules, channels = tables.get("rules", []), tables.get("channels", {})
    if not isinstance(rules, list):
        wrong.append(f"{place}: each rule begins with [[rules]], in two pairs of brackets")
        rules = []
    if not isinstance(channels, dict):
        wrong.append(f"{place}: each channel begins with [channels.NAME]")
        channels = {}
    read: list[Rule] = []
    for number, written in enumerate(rules, start=1):
        where = f"{place}: rule {number}{_called(written)}"
        rule = _tried(wrong, where, read_rule, written)
        if rule is not None:
            if rule.name in (each.name for each in read):
                wrong.append(f"{where}: another rule has this name; give it one of its own")
            for channel in channels_of(rule):
                _tried(wrong, where, require_one_of, channel, list(channels), "channel")
            read.append(rule)
    if wrong:
        raise InputError("\n".join(wrong))
    return File(read, channels)


def _tables(text: str, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{place}: it is no TOML: {error}") from error
    except RecursionError as error:
        raise InputError(f"{place}: there are too many tables or lists within each other") from error


def read_rule(written: Any) -> Rule:
    """Read one rule, given by the names of its parts.

    Raises:
        InputError: it can't be understood.

    """
    if not isinstance(written, Mapping):
        raise InputError("a rule has a name, when it holds, and so on, each as name = value")
    for name in written:
        require_one_of(name, Written.__struct_fields__, "part of a rule")
    try:
        told = msgspec.convert(written, Written)
    except msgspec.ValidationError as error:
        raise InputError(_said(error)) from error
    _require_name(told.name)
    require_one_of(told.severity, _SEVERITIES, "severity")
    condition, by = _within("when", parse_condition, told.when, coverage=told.coverage, recover=told.recover)
    if by and told.by:
        raise InputError("the tags of its groups are named twice, in when and in by; leave one of them out")
    if told.repeats is not None and (told.repeat == _NEVER or not 1 <= told.repeats <= _MOST_REPEATS):
        raise InputError(
            f"repeats is how often it is told again at the most, from 1 to {_MOST_REPEATS}, after each repeat"
        )
    by = by or _names(told.by)
    if len(set(by)) < len(by):
        raise InputError("by names a tag twice")
    return Rule(
        name=told.name,
        condition=condition,
        where=_within("where", parse_where, [told.where] if isinstance(told.where, str) else told.where),
        by=by,
        severity=_SEVERITY_OF[told.severity],
        channels=_names(told.channels),
        recovery=_length("recovery", told.recovery),
        grouping=_length("grouping", told.grouping),
        repeat=None if told.repeat == _NEVER else _length("repeat", told.repeat),
        repeats=told.repeats or Rule.repeats,
        escalate=_steps(told.escalate),
        flapping=_flapping(told.flapping),
        title=told.title,
        text=told.text,
    )


_SEVERITY_OF: dict[str, Severity] = {"info": "info", "warning": "warning", "critical": "critical"}
_SEVERITIES = list(_SEVERITY_OF)
_MOST_REPEATS = 1000


def _tried(wrong: list[str], where: str, read: Any, *given: Any) -> Any:
    """Read, and note what is wrong."""
    try:
        return read(*given)
    except InputError as error:
        wrong.append(f"{where}: {error}")
        return None


def _within(part: str, read: Any, *given: Any, **named: Any) -> Any:
    """Read a part of a rule, and name it in what is wrong with it."""
    try:
        return read(*given, **named)
    except InputError as error:
        raise InputError(f"{part}: {error}") from error


def _called(written: Any) -> str:
    name = written.get("name") if isinstance(written, Mapping) else None
    return f", {name!r}" if isinstance(name, str) else ""


def _said(error: msgspec.ValidationError) -> str:
    """Tell what msgspec found in words of the file."""
    return str(error).replace("Object missing required field", "it lacks").replace(" - at `$.", " - at `")


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InputError(f"name: {name!r} is not a name; give it 1 to {LONGEST_NAME} characters on one line")


def _names(texts: str | Sequence[str]) -> tuple[str, ...]:
    """Take one name, or several, for what they are."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _length(part: str, text: str | None) -> timedelta:
    if text is None or text.strip() in {"0", "0s"}:
        return timedelta()
    length: timedelta = _within(part, parse_duration, text)
    return length


def _steps(steps: Sequence[_Step]) -> tuple[Step, ...]:
    read = tuple(Step(_length("escalate", step.after), _names(step.channels)) for step in steps)
    if any(not step.channels or not step.after for step in read):
        raise InputError("escalate: each step has a time after which it is taken, and channels that are told then")
    if any(later.after <= earlier.after for earlier, later in pairwise(read)):
        raise InputError("escalate: each step comes later than the one before; put them in order")
    return read


def _flapping(text: str | None) -> Flapping | None:
    if text is None:
        return Rule.flapping
    if text == _NEVER:
        return None
    times, _, within = (part.strip() for part in text.partition(" in "))
    if not times.isdecimal() or not 1 <= int(times) <= _MOST_REPEATS:
        raise InputError(f"flapping: {text!r} can't be read; write it like 5 in 6h, or never")
    return Flapping(int(times), _length("flapping", within))


def channels_of(rule: Rule) -> list[str]:
    """Name the channels that a rule tells, now or later."""
    return [*rule.channels, *(channel for step in rule.escalate for channel in step.channels)]
