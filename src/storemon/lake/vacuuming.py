"""What nothing needs any more is removed: data files, and the entries of the logs that only told of older versions.

Needed are the newest version of a table, those that were current within the last while, and those that reports name.
In object storage the library does it, and the logs stay.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import msgspec
from deltalake.exceptions import DeltaError

from storemon.errors import LakeError
from storemon.lake.failures import plain
from storemon.lake.schemas import FACTS, REJECTED
from storemon.lake.tables import KEEP_LOGS, Opened, Tables

LOG = "_delta_log"
_ENTRY = re.compile(r"(\d{20})\.(json|checkpoint[0-9a-f.-]*\.parquet)")


class _File(msgspec.Struct):
    path: str


class _Action(msgspec.Struct):
    add: _File | None = None


def vacuum(tables: Tables, keep: timedelta, versions: Sequence[Mapping[str, int]], *, dry_run: bool) -> list[str]:
    """Remove files that no version of the last while needs, nor any of the ``versions`` that are to be kept.

    Of a table in a folder the log is shortened, too: an older version can no longer be opened. Cut off, the rest is
    done the next time.

    Args:
        tables: the lake's tables.
        keep: for how long a file stays after the commit that made it unnecessary; readers of that time may use it.
        versions: of each table by its name, as reports name them.
        dry_run: only tell which files.

    Returns:
        The paths of the files, those of the logs in folders called `LOG`.

    Raises:
        LakeError: the lake cannot be read or written.

    """
    removed: list[str] = []
    for table in (*FACTS, REJECTED):
        pinned = {kept[table.name] for kept in versions if kept.get(table.name, -1) >= 0}
        read = tables.open(table)
        if read.place.folder is None:
            removed += _in_storage(read, keep, sorted(pinned), dry_run=dry_run)
        elif read.version >= 0:
            removed += _in_folder(tables, read, keep, pinned, dry_run=dry_run)
    return removed


def _in_storage(read: Opened, keep: timedelta, pinned: list[int], *, dry_run: bool) -> list[str]:
    if read.delta is None:
        return []
    try:
        removed = read.delta.vacuum(
            -(-keep // timedelta(hours=1)),
            dry_run,
            enforce_retention_duration=False,
            post_commithook_properties=KEEP_LOGS,
            full=True,
            keep_versions=pinned or None,
        )
    except (DeltaError, OSError) as error:
        raise LakeError(f"{read.place}: the table cannot be cleared: {plain(error)}") from error
    return [f"{read.place}/{path}" for path in removed]


def _in_folder(tables: Tables, read: Opened, keep: timedelta, pinned: set[int], *, dry_run: bool) -> list[str]:
    folder = Path(read.place.text)
    before = time.time() - keep.total_seconds()
    try:
        log = _Log(folder / LOG)
        recent = log.current_since(before)
        older = {version for version in pinned if version < recent and log.can_open(version)}
        needed = {Path(path) for version in (recent, *older) for path in tables.open(read.table, version).files["path"]}
        needed |= {folder / path for path in log.added_after(recent)}
        unneeded = [path for path in _data(folder) if path not in needed and path.stat().st_mtime <= before]
        # The files first: a log that is whole still tells what was left when this was cut off. Then from the oldest on.
        gone = [*unneeded, *log.unneeded(recent, older)]
        if not dry_run:
            for path in gone:
                path.unlink(missing_ok=True)
    except (OSError, msgspec.MsgspecError) as error:
        raise LakeError(f"{read.place}: the table cannot be cleared: {plain(error)}") from error
    return [str(path) for path in gone]


def _data(folder: Path) -> Iterator[Path]:
    """List the files of a table that are not its log's."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith("_")]
        yield from (Path(where, name) for name in names)


class _Log:
    """The log of a table in a folder, as it is found; what is written meanwhile is left alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[int, float] = {}
        """When each commit was made."""
        self._checkpoints: dict[int, list[Path]] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                if (match := _ENTRY.fullmatch(entry.name)) is None:
                    continue
                version = int(match[1])
                if match[2] == "json":
                    self._written[version] = entry.stat().st_mtime
                else:
                    self._checkpoints.setdefault(version, []).append(folder / entry.name)

    @cached_property
    def newest(self) -> int:
        return max(self._written)

    def current_since(self, instant: float) -> int:
        """Find the oldest version that was current at an instant or later, as far as the log has no gap."""
        oldest = self.newest
        while oldest - 1 in self._written and self._written[oldest] > instant:
            oldest -= 1
        while not self.can_open(oldest) and oldest < self.newest:
            oldest += 1
        return oldest

    def can_open(self, version: int) -> bool:
        """Tell whether all is there that tells of a version."""
        between = range(self._begin(version), version + 1)
        return all(at in self._written or at in self._checkpoints for at in between)

    def _begin(self, version: int) -> int:
        """Find the checkpoint from which a version is opened, or else the first commit."""
        while version > 0 and version not in self._checkpoints and version in self._written:
            version -= 1
        return version

    def added_after(self, version: int) -> Iterator[str]:
        """Name the data files of all later commits."""
        for later in range(version + 1, self.newest + 1):
            for line in (self._folder / f"{later:020}.json").read_bytes().splitlines():
                if added := msgspec.json.decode(line, type=_Action).add:
                    yield unquote(added.path)

    def unneeded(self, recent: int, older: Iterable[int]) -> list[Path]:
        """List, from the oldest on, the entries without which the newer versions and some older ones can be opened."""
        begin = self._begin(recent)
        needed = {at for version in older for at in range(self._begin(version), version + 1)}
        found = [
            (version, path)
            for version in {*self._written, *self._checkpoints}
            if version < begin and version not in needed
            for path in [*self._checkpoints.get(version, ()), self._folder / f"{version:020}.json"]
        ]
        return [path for _, path in sorted(found)]
