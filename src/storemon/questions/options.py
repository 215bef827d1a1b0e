"""What can be asked, declared once: options on the command line, parameters of a query, members of a JSON body.

An option is a text, several, or a flag. Its name is the same at every door (``group_by``; on the command line
``--group-by``), and so is what it means. Each kind of question is answered by the module beside this one that has its
name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from cyclopts import Parameter

from storemon.errors import InputError

if TYPE_CHECKING:
    from storemon.calendar.windows import Window
    from storemon.engine.question import Asked, Policy
    from storemon.lake.snapshot import Snapshot

Texts = tuple[str, ...]

T = TypeVar("T")

LONGEST, MOST_TEXTS = 500, 100
"""So many characters a text over HTTP can have, and so many texts an option: together they fit into a URL of 64 KiB."""


class Value(NamedTuple):
    """What a value of an option can be, as far as its form can tell, and one that is good whatever the facts are."""

    example: object
    choices: Callable[[], Iterable[str]] = tuple
    pattern: str | None = None
    least: float | None = None
    most: float | None = None


def _policies() -> Iterable[str]:
    from storemon.engine.question import Policy

    return get_args(Policy)


def _units() -> Iterable[str]:
    from storemon.calendar.periods import Unit

    return get_args(Unit)


_FLAG = Value(example=True)
_INSTANT = Value("2024-10-14T12:00:00Z")


class Means(NamedTuple):
    """What whoever answers decides, not who asks."""

    carry_limit: timedelta
    """How long a poll is believed, unless the question says it."""
    memory: int | str
    on: str = "local"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Facts:
    """Which facts an answer rests on."""

    as_of: Annotated[
        str | None,
        Parameter(
            help="The answer's now, in ISO 8601, or now for that of the clock (default: that of the newest poll)."
        ),
        _INSTANT,
    ] = None
    carry_limit: Annotated[
        str | None,
        Parameter(help="How long a poll is believed, like 7d or 36h (default: 7d)."),
        Value("36h", pattern=r"^\s*([0-9]+[wdhmsWDHMS])+\s*$"),
    ] = None

    @property
    def is_by_the_clock(self) -> bool:
        """Whether the answer's now is the clock's, another one each time."""
        return self.as_of is not None and self.as_of.strip().lower() == "now"

    def now(self, snapshot: "Snapshot") -> datetime:
        """Settle the answer's now.

        Raises:
            EmptyLakeError: none is given, and there are no polls to take it from.
            InputError: it is not an instant.

        """
        from storemon.engine.question import resolve_as_of
        from storemon.units.instants import parse_instant

        if self.is_by_the_clock:
            return datetime.now(UTC)
        return resolve_as_of(snapshot, None if self.as_of is None else parse_instant(self.as_of))

    def limit(self, means: Means) -> timedelta:
        """Settle how long a poll is believed.

        Raises:
            InputError: it is no length of time.

        """
        from storemon.units.durations import parse_duration

        if self.carry_limit is None:
            return means.carry_limit
        try:
            return parse_duration(self.carry_limit)
        except InputError as error:
            raise InputError(f"carry_limit={self.carry_limit}: {error}") from error


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Chosen(Facts):
    """Which stores are asked about, and what is held true of them between polls."""

    policy: Annotated[
        str,
        Parameter(help="What is held true between polls: the latest one (carry) or the nearest one (nearest)."),
        Value("nearest", choices=_policies),
    ] = "carry"
    where: Annotated[
        Texts,
        Parameter(
            help="A tag that a store must have: region=West; region= means none. Several: with commas, or given again.",
            show_default=False,
        ),
        Value("region=South"),
    ] = ()

    def asked(self, now: datetime, windows: "Sequence[Window | str]", means: Means) -> "Asked":
        """Settle all that is asked, in windows if there are any.

        Raises:
            InputError: an option can't be understood.

        """
        from storemon.engine.tags import parse_where

        return {
            "windows": windows,
            "where": parse_where(split(self.where)),
            "policy": cast("Policy", self.policy),
            "as_of": now,
            "carry_limit": self.limit(means),
            "memory": means.memory,
            "on": means.on,
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Question(Chosen):
    """What every answer can be asked for."""

    window: Annotated[
        Texts,
        Parameter(
            help="A window: 90m, 30d, yesterday, last-month, 2024-10-14, 2024-W41, 2024-10, each also as name=30d; "
            "may be given several times.",
            show_default=False,
        ),
        Value("3d"),
    ] = ()
    from_: Annotated[
        str | None, Parameter(name="--from", help="Start of a window, in ISO 8601."), Value("2024-10-13")
    ] = None
    to: Annotated[str | None, Parameter(help="Its end (default: the answer's now)."), _INSTANT] = None

    def windows(self, *otherwise: "Window") -> "Sequence[Window]":
        """Read the windows that are asked for, ``otherwise`` if none is.

        Raises:
            InputError: one can't be understood.

        """
        from storemon.calendar.windows import between, parse_window

        windows = [parse_window(text) for text in self.window]
        if self.from_ is None and self.to is None:
            return windows or otherwise
        return [*windows, between(self.from_, self.to)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Groups:
    """Which stores are told of together."""

    group_by: Annotated[
        Texts,
        Parameter(help="Tags like brand,region: a row for each group of stores.", show_default=False),
        Value("region"),
    ] = ()
    overall: Annotated[bool, Parameter(help="One row for all stores.", show_default=False)] = False

    def tags(self) -> list[str] | None:
        """List the tags to group by: none at all for all stores together, None for each store on its own.

        Raises:
            InputError: both are asked for.

        """
        if self.overall and self.group_by:
            raise InputError("--overall puts all stores into one row, --group-by into several; leave one of them out")
        return split(self.group_by) if self.group_by else [] if self.overall else None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Grouped(Groups, Question):
    """What can be asked of groups of stores in windows."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class NowQuestion(Groups, Chosen):
    """What can be asked of now."""


Target = Annotated[
    str | None,
    Parameter(help="An availability in percent, like 99.5: adds budget, spent, left and burn rate."),
    Value(99.5, least=0.000_000_1, most=100.0),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReportQuestion(Grouped):
    """What a report can be asked for."""

    measures: Annotated[
        Texts,
        Parameter(
            help="What to tell (default: uptime,downtime); there are uptime, downtime, unknown, service, excluded, "
            "uptime_min, uptime_max, coverage, availability, outages, longest_outage, mttr and mtbf.",
            show_default=False,
        ),
        Value("availability,downtime"),
    ] = ()
    wide: Annotated[bool, Parameter(help="Add the unknown time of each window.")] = False
    every: Annotated[
        str | None,
        Parameter(help="A row for each hour, day, week or month of one window (default: last_week), by local clocks."),
        Value("day", choices=_units),
    ] = None
    target: Target = None
    versus: Annotated[
        Literal["previous"] | None,
        Parameter(help="Add the figures of the window before, and the change since."),
        Value("previous"),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReplayQuestion(Question):
    """What can be asked of the alerts that there would have been."""

    every: Annotated[
        str | None,
        Parameter(help="How often a watcher would have looked, like 5m (default: 1m)."),
        Value("5m", pattern=r"^\s*([0-9]+[wdhmsWDHMS])+\s*$"),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StoresQuestion(Question):
    """What the list of stores can be asked for."""

    target: Target = None
    breaching: Annotated[
        bool, Parameter(help="Only those that spent more than the target allows, the worst burn first.")
    ] = False
    search: Annotated[
        str | None,
        Parameter(help="Only those with this in their id, or in the value of a tag, whatever its case."),
        Value("burger"),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AuditQuestion(Facts):
    """What an audit can be asked for."""

    window: Annotated[str | None, Parameter(help="How far back polls are looked at (default: 28d)."), Value("7d")] = (
        None
    )


class Option(NamedTuple):
    """One option of a kind of question, as a door sees it."""

    name: str
    """What it is called, in a query and in a body."""
    field: str
    kind: type
    """``str``, ``bool``, or ``tuple`` for several texts."""
    choices: tuple[str, ...]
    """The only texts there are, none if it is more than a choice."""
    help: str
    value: Value
    """What a value can be."""


def options_of(kind: type) -> tuple[Option, ...]:
    """List the options of a kind of question."""
    return _options_of(kind)


@cache
def _options_of(kind: type) -> tuple[Option, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_option(field.name, *get_args(hints[field.name])) for field in fields(kind))


def _option(field: str, hint: Any, described: Parameter, value: Value = _FLAG) -> Option:
    kind = tuple if get_origin(hint) is tuple else bool if hint is bool else str
    choices = [choice for each in get_args(hint) if get_origin(each) is Literal for choice in get_args(each)]
    return Option(field.rstrip("_"), field, kind, tuple(choices), described.help or "", value)


def question_of(kind: type[T], given: Mapping[str, object], *, also: Iterable[str] = ()) -> T:
    """Make a question of options by their names, as texts, flags, or lists of texts.

    What ``also`` can be given, a mistake in a name tells.

    Raises:
        InputError: there is no such option, or it can't have such a value.

    """
    from storemon.engine.question import require_one_of

    known = {option.name: option for option in options_of(kind)}
    for name in given:
        require_one_of(name, [*known, *also], "parameter")
    return kind(**{known[name].field: _read(known[name], value) for name, value in given.items()})


def _read(option: Option, value: object) -> object:
    from storemon.engine.question import require_one_of

    texts = list(_texts(option, value))
    _require_short(option.name, texts)
    if option.kind is tuple:
        return tuple(texts)
    if len(texts) != 1:
        raise InputError(f"{option.name} is given {len(texts)} times; give it once")
    (text,) = texts
    if option.choices:
        require_one_of(text, option.choices, option.name)
    if option.kind is str:
        return text
    if text not in _FLAGS:
        raise InputError(f"{option.name} is {text!r}; it can be true or false")
    return _FLAGS[text]


def _require_short(name: str, texts: Sequence[str]) -> None:
    if len(texts) > MOST_TEXTS:
        raise InputError(f"{name} is given {len(texts):,} times; it can be given {MOST_TEXTS:,} times at the most")
    longest = max(map(len, texts), default=0)
    if longest > LONGEST:
        raise InputError(f"{name} has {longest:,} characters; it can have {LONGEST:,} at the most")


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _texts(option: Option, value: object) -> Iterator[str]:
    for each in value if isinstance(value, list | tuple) else [value]:
        if isinstance(each, bool):
            yield str(each).lower()
        elif isinstance(each, str):
            yield each
        elif isinstance(each, int | float):
            yield str(each)
        else:
            raise InputError(f"{option.name} must be a text, or a list of texts")


def split(texts: Iterable[str]) -> list[str]:
    """Take texts apart at their commas; in ``city=Portland, OR`` there is none, as no condition follows it."""
    return [part.strip() for text in texts for part in re.split(r",(?=[^,=]*=)" if "=" in text else ",", text)]
