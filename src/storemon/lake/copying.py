"""Of which files a copy of a lake is made, so that whoever puts them elsewhere has the same lake, at the same versions.

The files are those that the newest version of each table needs, those of older versions that are to be kept, and the
log up to the newest. Put in the order in which they are told, a table is there only once all of it is.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec
import polars as pl

from storemon.errors import LakeError
from storemon.lake.files import Files
from storemon.lake.kept import KeptLake
from storemon.lake.schemas import FACTS, REJECTED
from storemon.lake.snapshot import LakeSnapshot
from storemon.lake.tables import Opened

_TABLES = (REJECTED, *FACTS)
"""In the order in which they come to be there: the polls last, so that nobody asks a lake that lacks the rest."""

_LOGGED = re.compile(r"(\d{20})\.(json|checkpoint[0-9a-f.-]*\.parquet)")
_FILE = re.compile(rf"({'|'.join(table.name for table in _TABLES)})/([\w=+-][\w=+.-]*/)*[\w=+-][\w=+.-]*", re.ASCII)


class _File(msgspec.Struct):
    path: str


class _Action(msgspec.Struct):
    """A line of a commit, as far as it is of interest here."""

    add: _File | None = None
    remove: _File | None = None


@dataclass(frozen=True)
class Copied:
    """The files of a copy by their names below the lake's place, with their sizes in bytes, in order.

    Attributes:
        files: those that are copied.
        gone: what kept versions name, but nobody has any more: files, or versions of a table.

    """

    files: Mapping[str, int]
    gone: Sequence[str]


def copied(lake: str, kept: Sequence[Mapping[str, int]]) -> Copied:
    """Find the files of a copy of a lake as it is now, and as it was at the ``kept`` versions.

    Raises:
        LakeError: the lake cannot be read, or has files that storemon did not write.

    """
    snapshot = KeptLake(lake).snapshot()
    files: dict[str, int] = {}
    gone: list[str] = []
    for table in _TABLES:
        newest = snapshot.opened[table.name]
        files |= (needed := _data(newest))
        older, lost = _older(newest, needed, {versions.get(table.name, -1) for versions in kept} - {-1, newest.version})
        files |= older
        gone += lost
    files |= _logs(snapshot)
    if odd := next((name for name in files if not is_of_lake(name)), None):
        raise LakeError(f"{snapshot.place}: storemon gives no file a name like {odd!r}; such a lake cannot be copied")
    return Copied(files, gone)


def is_of_lake(name: str) -> bool:
    """Tell whether a lake may have a file of this name below its place."""
    return _FILE.fullmatch(name) is not None


def logged(place: Files) -> list[str]:
    """List the files of all logs of a lake: there are none where there is no lake.

    Raises:
        LakeError: it cannot be looked at.

    """
    folders = [f"{table.name}/_delta_log" for table in _TABLES]
    return [f"{folder}/{name}" for folder in folders for name in place.sizes(folder) if _LOGGED.fullmatch(name)]


def _data(opened: Opened) -> dict[str, int]:
    """List the data files of a table at one version."""
    files = opened.files.select(pl.col("path").str.strip_prefix(f"{opened.lake}/"), "size")
    return dict(files.rows())


def _older(newest: Opened, needed: Mapping[str, int], versions: set[int]) -> tuple[dict[str, int], list[str]]:
    """List the data files that older versions need besides those that the newest does, and what is gone of them.

    To open each version would take a second for a few dozen: the commits are undone one after another instead, as far
    as a vacuum has left them.
    """
    there, current = Files(newest.lake), set(needed)
    found: set[str] = set()
    left = set(versions)
    for version in range(newest.version, min(versions, default=newest.version), -1):
        try:
            commit = b"".join(there.pieces(f"{newest.table.name}/_delta_log/{version:020}.json"))
            actions = [msgspec.json.decode(line, type=_Action) for line in commit.splitlines()]
        except (LakeError, msgspec.MsgspecError):
            break
        current -= {f"{newest.table.name}/{unquote(action.add.path)}" for action in actions if action.add}
        current |= {f"{newest.table.name}/{unquote(action.remove.path)}" for action in actions if action.remove}
        if version - 1 in left:
            left.discard(version - 1)
            found |= current
    for version in sorted(left):
        with suppress(LakeError):
            found |= _data(Opened(newest.table, newest.lake, version)).keys()
            left.discard(version)
    sizes = {name: there.size(name) for name in sorted(found - needed.keys())}
    gone = [name for name, size in sizes.items() if size < 0]
    gone += [f"{newest.table.name} at version {version}" for version in sorted(left)]
    return {name: size for name, size in sizes.items() if size >= 0}, gone


def _logs(snapshot: LakeSnapshot) -> dict[str, int]:
    """List the files of all logs, in the order in which no table is there before all of it is.

    What makes a table is a checkpoint, or its first commit: those come last, after all later commits.
    """
    later: dict[str, int] = {}
    making: dict[str, int] = {}
    for table in _TABLES:
        folder = f"{table.name}/_delta_log"
        newest = snapshot.opened[table.name].version
        sizes = Files(snapshot.place).sizes(folder)
        found = [match for name in sizes if (match := _LOGGED.fullmatch(name)) and int(match[1]) <= newest]
        commits, checkpoints = (
            sorted((match[0] for match in found if (match[2] == "json") is are_commits), reverse=True)
            for are_commits in (True, False)
        )
        later |= {f"{folder}/{name}": sizes[name] for name in commits[:-1]}
        making |= {f"{folder}/{name}": sizes[name] for name in (*checkpoints, *commits[-1:])}
    return later | making
