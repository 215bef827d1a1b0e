"""The options that commands share, and how they become what the engine is asked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from cyclopts import Parameter

from storemon.errors import InputError
from storemon.settings import Settings
from storemon.threads import limit_threads

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from storemon.calendar.windows import Window
    from storemon.engine.question import Asked, Policy
    from storemon.lake.snapshot import LakeSnapshot

LakePlace = Annotated[
    str | None, Parameter(name="--lake", help="Folder of the lake, or s3://bucket/path (default: parquet).")
]
Texts = tuple[str, ...]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Facts:
    """Which facts an answer rests on."""

    lake: LakePlace = None
    as_of: Annotated[
        str | None, Parameter(help="The answer's now, in ISO 8601 (default: the instant of the newest poll).")
    ] = None
    carry_limit: Annotated[str | None, Parameter(help="How long a poll is believed, like 7d or 36h (default: 7d).")] = (
        None
    )

    def open(self) -> "tuple[LakeSnapshot, datetime, timedelta]":
        """Fix what is read, the answer's now, and the carry limit.

        Raises:
            StoremonError: the lake can't be read, it is empty, or an option can't be understood.

        """
        from storemon.engine.question import resolve_as_of
        from storemon.lake.kept import KeptLake
        from storemon.units.instants import parse_instant

        settings = Settings.load(lake=self.lake, carry_limit=self.carry_limit)
        snapshot = KeptLake(settings.lake).snapshot()
        now = resolve_as_of(snapshot, None if self.as_of is None else parse_instant(self.as_of))
        return snapshot, now, settings.carry_limit


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Question(Facts):
    """What every answer can be asked for."""

    window: Annotated[
        Texts,
        Parameter(
            help="A window: 90m, 30d, yesterday, last-month, 2024-10-14, 2024-W41, 2024-10, each also as name=30d; "
            "may be given several times.",
            show_default=False,
        ),
    ] = ()
    from_: Annotated[str | None, Parameter(name="--from", help="Start of a window, in ISO 8601.")] = None
    to: Annotated[str | None, Parameter(help="Its end (default: the answer's now).")] = None
    policy: Annotated[
        str, Parameter(help="What is held true between polls: the latest one (carry) or the nearest one (nearest).")
    ] = "carry"
    where: Annotated[
        Texts,
        Parameter(
            help="A tag that a store must have: region=West; region= means none. Several: with commas, or given again.",
            show_default=False,
        ),
    ] = ()

    def ask(self, *otherwise: "Window") -> "tuple[LakeSnapshot, datetime, Sequence[Window], Asked]":
        """Fix what is read, the answer's now, its windows (``otherwise`` if none is given), and all that is asked.

        Raises:
            StoremonError: see `Facts.open`.

        """
        from storemon.engine.tags import parse_where

        windows, where = self._windows() or otherwise, parse_where(split(self.where))
        snapshot, now, carry_limit = self.open()
        asked: Asked = {
            "as_of": now,
            "windows": windows,
            "carry_limit": carry_limit,
            "policy": cast("Policy", self.policy),
            "where": where,
        }
        return snapshot, now, windows, asked

    def _windows(self) -> "list[Window]":
        from storemon.calendar.windows import between, parse_window

        windows = [parse_window(text) for text in self.window]
        if self.from_ is None and self.to is None:
            return windows
        return [*windows, between(self.from_, self.to)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Means:
    """What large work may take."""

    memory: Annotated[
        str | None, Parameter(help="Memory to stay within, like 2GiB, or a share of the machine's (default: 50%).")
    ] = None
    threads: Annotated[int | None, Parameter(help="Threads to work with (default: one on each CPU).")] = None

    def __post_init__(self) -> None:
        """Limit the threads while the options are read: the libraries that take them are not imported yet."""
        if self.threads is not None:
            limit_threads(Settings.load(threads=self.threads).threads)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class BulkQuestion(Question, Means):
    """What every answer about many stores can be asked for."""

    on: Annotated[
        str | None,
        Parameter(
            help="Where the work is done: in this process (local), by the workers of a Ray cluster on this machine "
            "(ray), or by those of one that is running (ray://HOST:PORT) (default: local)."
        ),
    ] = None

    def ask(self, *otherwise: "Window") -> "tuple[LakeSnapshot, datetime, Sequence[Window], Asked]":
        """Fix what is read and asked as `Question.ask` does, where the work is done, and what it may take."""
        settings = Settings.load(on=self.on, memory=self.memory)
        snapshot, now, windows, asked = super().ask(*otherwise)
        return snapshot, now, windows, {**asked, "on": settings.on, "memory": settings.memory}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Into which groups stores are put."""

    group_by: Annotated[
        Texts, Parameter(help="Tags like brand,region: a row for each group of stores.", show_default=False)
    ] = ()
    overall: Annotated[bool, Parameter(help="One row for all stores.", show_default=False)] = False

    def tags(self) -> list[str] | None:
        """List the tags to group by: none at all for all stores together, None for each store on its own."""
        if self.overall and self.group_by:
            raise InputError("--overall puts all stores into one row, --group-by into several; leave one of them out")
        return split(self.group_by) if self.group_by else [] if self.overall else None


ALL_FACTS, ANY_MEANS, ASKED_NOTHING, ASKED_NOTHING_IN_BULK, UNGROUPED = (
    Facts(),
    Means(),
    Question(),
    BulkQuestion(),
    Grouping(),
)


def split(texts: Iterable[str]) -> list[str]:
    """Take texts apart at their commas; in ``city=Portland, OR`` there is none, as no condition follows it."""
    return [part.strip() for text in texts for part in re.split(r",(?=[^,=]*=)" if "=" in text else ",", text)]
