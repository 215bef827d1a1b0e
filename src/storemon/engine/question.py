"""What is asked: of which stores, over which windows, as of when, and what is held true between polls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from typing import Literal, TypedDict, Unpack, get_args

import polars as pl

from storemon.calendar.periods import Unit
from storemon.calendar.windows import DEFAULT_WINDOWS, Window, parse_window
from storemon.errors import EmptyLakeError, InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.units.durations import parse_duration
from storemon.units.instants import EVER, parse_instant
from storemon.units.sizes import HALF, parse_size
from storemon.units.workplaces import LOCAL, Workplace, parse_workplace

CARRY_LIMIT = timedelta(days=7)

Policy = Literal["carry", "nearest"]
"""What is held true between polls: the latest poll, or the nearest one."""


class Asked(TypedDict, total=False):
    """What every answer can be asked for, by keyword.

    Attributes:
        as_of: the answer's now, also as text in ISO 8601; a naive one is UTC. By default that of the newest poll.
        windows: the stretches of time: `Window`, or text like ``30d``, ``yesterday``, ``2024-10`` or ``name=90m``. By
            default the last hour, day and week.
        carry_limit: how long a poll is believed: a length of time, or text like ``36h``. By default seven days.
        policy: what is held true between polls: ``carry`` (the default) or ``nearest``.
        where: the tags that a store must have, by name; the empty value is that of a store without the tag.
        memory: bytes that the work may take at once, or text like ``2GiB`` or ``50%`` of the machine's, the default.
        on: where the work is done: ``local`` (the default), ``ray`` or ``ray://HOST:PORT``.

    """

    as_of: datetime | str | None
    windows: Sequence[Window | str]
    carry_limit: timedelta | str
    policy: Policy
    where: Mapping[str, str]
    memory: int | str
    on: str


@dataclass(frozen=True)
class Question:
    """One question to a snapshot, settled: see `Asked`. ``as_of`` is in UTC, no two windows have one name and place."""

    as_of: datetime
    windows: tuple[Window, ...] = DEFAULT_WINDOWS
    every: Unit | None = None
    carry_limit: timedelta = CARRY_LIMIT
    policy: Policy = "carry"
    where: Mapping[str, str] = field(default_factory=dict)
    memory: int = field(default_factory=partial(parse_size, HALF))
    on: Workplace = LOCAL


Work = Callable[[Snapshot, Question, pl.DataFrame], pl.DataFrame]
"""What is done for a range of stores, a frame as `chosen_stores` gives it. It can be pickled, and done anywhere."""


def ask(source: KeptLake | Snapshot, **asked: Unpack[Asked]) -> tuple[Snapshot, Question]:
    """Fix what is read, and settle what is asked.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: there is no window, one can't be read, two have one name, the policy or the workplace is unknown,
            or the carry limit not positive.
        LakeError: the lake can't be read.

    """
    snapshot = source.snapshot() if isinstance(source, KeptLake) else source
    policy, carry_limit = asked.get("policy", "carry"), asked.get("carry_limit", CARRY_LIMIT)
    require_one_of(policy, get_args(Policy), "policy")
    if isinstance(carry_limit, str):
        carry_limit = parse_duration(carry_limit)
    if carry_limit <= timedelta():
        raise InputError(f"the carry limit is {carry_limit}; it must be longer than zero")
    windows = tuple(
        parse_window(window) if isinstance(window, str) else window for window in asked.get("windows", DEFAULT_WINDOWS)
    )
    memory = asked.get("memory", HALF)
    if not windows:
        raise InputError("there is no window to answer for; name at least one, like 30d or yesterday")
    names = [window.name for window in windows]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two windows are called {twice[0]!r}; name one of them yourself, like other=30d")
    question = Question(
        resolve_as_of(snapshot, asked.get("as_of")),
        windows,
        # A longer limit than ever means the same, and its sums might not fit into 64 bits.
        carry_limit=min(carry_limit, EVER),
        policy=policy,
        where=asked.get("where", {}),
        memory=parse_size(memory) if isinstance(memory, str) else memory,
        on=parse_workplace(asked.get("on", LOCAL)),
    )
    return snapshot, question


def resolve_as_of(snapshot: Snapshot, as_of: datetime | str | None = None) -> datetime:
    """Settle an answer's now: the given instant (a naive one is UTC), or that of the newest poll.

    Raises:
        EmptyLakeError: neither is there.
        InputError: it is a text that is no instant.

    """
    if isinstance(as_of, str):
        return parse_instant(as_of)
    if as_of is not None:
        return as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    newest = snapshot.newest_poll()
    if newest is None:
        raise EmptyLakeError(f"{snapshot} has no polls yet; load some with: storemon ingest DATA_DIR")
    return newest


def require_one_of(given: str, known: Sequence[str], what: str) -> None:
    """Refuse a word that is not known, naming the nearest ones.

    Raises:
        InputError: it is not one of them.

    """
    if given not in known:
        near = get_close_matches(given, known, n=2, cutoff=0.5)
        meant = f"did you mean {' or '.join(near)}?" if near else f"choose from: {', '.join(known) or 'none there are'}"
        raise InputError(f"there is no {what} {given!r}; {meant}")
