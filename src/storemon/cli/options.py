"""The options that commands share beside what they ask: which lake, and what the work may take."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from storemon.questions import options as asked
from storemon.settings import Settings
from storemon.threads import limit_threads

if TYPE_CHECKING:
    from storemon.lake.snapshot import LakeSnapshot

LakePlace = Annotated[
    str | None, Parameter(name="--lake", help="Folder of the lake, or s3://bucket/path (default: parquet).")
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Place:
    """Which lake is asked."""

    lake: LakePlace = None

    def open(self, question: asked.Facts) -> "tuple[LakeSnapshot, asked.Means]":
        """Fix what is read, and what the answer may take.

        Raises:
            StoremonError: the lake can't be read, or an option can't be understood.

        """
        from storemon.lake.kept import KeptLake

        settings = Settings.load(lake=self.lake, carry_limit=question.carry_limit, **self._means())
        means = asked.Means(settings.carry_limit, settings.memory, settings.on)
        return KeptLake(settings.lake).snapshot(), means

    def _means(self) -> dict[str, str | None]:
        return {}


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
class Work(Place, Means):
    """Where an answer about many stores comes from, where the work is done, and what it may take."""

    on: Annotated[
        str | None,
        Parameter(
            help="Where the work is done: in this process (local), by the workers of a Ray cluster on this machine "
            "(ray), or by those of one that is running (ray://HOST:PORT) (default: local)."
        ),
    ] = None

    def _means(self) -> dict[str, str | None]:
        return {"on": self.on, "memory": self.memory}


THIS_LAKE, ANY_MEANS, ANY_WORK = Place(), Means(), Work()
