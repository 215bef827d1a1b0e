"""The lake: Delta Lake tables in one place, each changed only by atomic commits.

``polls`` keeps every poll once, in partitions by UTC day, sorted by store and instant. A store is a small integer
there, its ``store_key``. The partition without a day is the roster: a second copy of the first poll of each store,
beside its id. Being part of the same commit as the polls, it says exactly which stores exist and since when, at a cost
that does not grow with history. A store has several rows in it once an export with older polls came later: the earliest
counts.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, create_table_with_add_actions

from storemon.errors import ConflictError, LakeError
from storemon.lake.failures import plain
from storemon.lake.formats import DESCRIPTION, require_known_format
from storemon.lake.place import Place, place_of
from storemon.lake.schemas import POLLS, Table
from storemon.lake.writing import removal, written

_COMMIT = re.compile(r"\d{20}\.json")
_SUMMED_UP = re.compile(rb'"version":\s*(\d{1,18})\b')
_ONCE = CommitProperties(max_commit_retries=0)
KEEP_LOGS = PostCommitHookProperties(cleanup_expired_logs=False)  # so that every version can be opened again
_PLAIN_ARROW = pl.CompatLevel.oldest()  # Delta knows no views of text
_SMALL = 500_000  # rows
_MANY_FILES = 1_000  # of a commit, that the log is summed up for at once: it opens in half of the time
_IN_STORAGE = {"delta.checkpointInterval": "10"}  # for to open a table takes two requests for each commit since then
_IN_FOLDER = {
    "delta.checkpointInterval": "20",  # each commit since then takes 0.25 ms to open, a checkpoint some 20 ms to write
    "delta.deletedFileRetentionDuration": "interval 10 minutes",  # else each checkpoint names those of a week
}


@dataclass(frozen=True, eq=False)
class Opened:
    """One table at one version. A table nobody has written yet has version -1 and no rows."""

    table: Table
    lake: Place
    version: int
    found: DeltaTable | None = None
    """The library's table, where only that could tell the version."""

    @property
    def place(self) -> Place:
        """Where the table lies."""
        return self.lake / self.table.name

    @cached_property
    def delta(self) -> DeltaTable | None:
        """The library's table, read when it is first asked for: that takes a hundred times longer than to find it.

        Raises:
            LakeError: it cannot be read, or it has no such version.

        """
        if self.found or self.version == -1:
            return self.found
        delta = _load(self.lake, self.table, self.version)
        if delta is None:
            raise LakeError(
                f"{self.lake}: there is no table {self.table.name!r} at version {self.version}; a vacuum removes those "
                "that are neither recent nor of a report that is kept"
            )
        return delta

    @cached_property
    def files(self) -> pl.DataFrame:
        """One row for each Parquet file: ``path``, ``rows``, ``size`` in bytes, and what the log tells of its values.

        That is those of the columns the table is partitioned by, and ``min.*`` and ``max.*`` of those whose range is
        asked for, instants rounded down to milliseconds.
        """
        schema, ranged = self.table.schema, self.table.ranged
        columns = {"path": pl.String(), "rows": pl.Int64(), "size": pl.Int64()} | {
            name: schema[name] for name in self.table.partition_by
        }
        columns |= {f"{end}.{name}": schema[name] for name in ranged for end in ("min", "max")}
        if self.delta is None:
            return pl.DataFrame(schema=columns)
        added = pl.DataFrame(self.delta.get_add_actions(flatten=True))
        names = {f"partition.{name}": name for name in self.table.partition_by}
        named = added.rename(names | {"num_records": "rows", "size_bytes": "size"}).select(*columns)
        return named.with_columns(path=pl.lit(f"{self.place}/") + pl.col("path"))

    @cached_property
    def committed_at(self) -> datetime | None:
        """When this version was committed, by the clock of who did; None where the table's log does not tell.

        Raises:
            LakeError: the log cannot be read.

        """
        try:
            commits = self.delta.history(1) if self.delta else []
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.lake}: the table {self.table.name!r} cannot be read: {plain(error)}") from error
        told = [datetime.fromtimestamp(commit["timestamp"] / 1000, UTC) for commit in commits if "timestamp" in commit]
        return told[0] if told else None

    def read(self, condition: pl.Expr | None = None) -> pl.DataFrame:
        """Read the rows that meet a condition, by default all. A small table is read once, and kept.

        Raises:
            LakeError: a file of it is lost or damaged.

        """
        if self.files["rows"].sum() > _SMALL:
            return self._scanned(condition)
        return self._rows if condition is None else self._rows.filter(condition)

    @cached_property
    def _rows(self) -> pl.DataFrame:
        return self._scanned(None)

    def _scanned(self, condition: pl.Expr | None) -> pl.DataFrame:
        rows = self.scan(self.files["path"].to_list())
        with self.reading():
            return (rows if condition is None else rows.filter(condition)).collect()

    def scan(self, paths: list[str]) -> pl.LazyFrame:
        """Read some of the ``files``: the columns that the table is not partitioned by. Collect within `reading`."""
        schema = {name: kind for name, kind in self.table.schema.items() if name not in self.table.partition_by}
        if not paths:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(paths, schema=schema, hive_partitioning=False, storage_options=self.place.reading)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn the failure to read a Parquet file of the table into a LakeError."""
        try:
            yield
        except (pl.exceptions.PolarsError, OSError) as error:
            raise LakeError(f"{self.place}: a file of the table is lost or damaged: {plain(error)}") from error


@lru_cache(maxsize=16)
def _opened(table: Table, place: Place, version: int, commit: tuple[int, int] | None) -> Opened:  # noqa: ARG001
    return Opened(table, place, version)


class Tables:
    """The tables of one lake: opened at a version, written by compare-and-swap."""

    def __init__(self, path: Path | str) -> None:
        """Take ``path`` as the lake's place; nothing is created before the first commit.

        Raises:
            LakeError: it cannot hold a lake; see `place_of`.

        """
        self.place = place_of(path)

    def open(self, table: Table, version: int | None = None) -> Opened:
        """``table`` at ``version``, by default the newest.

        Raises:
            LakeError: the table's log cannot be looked at, or it has no such version.

        """
        if version is None:
            return self._newest(table)
        opened = self._opened(table, version)
        _ = opened.delta  # to name a version that is not there is a mistake to be told at once
        return opened

    def _opened(self, table: Table, version: int) -> Opened:
        """Open a version, once for all of the process: of another lake in its place the commit is another file."""
        if self.place.folder is None:
            return Opened(table, self.place, version)
        if version == -1:
            return _opened(table, self.place, version, None)
        try:
            commit = commit_file(self.place.folder, table, version).stat()
        except OSError:  # there is no such version, or the log begins later
            return Opened(table, self.place, version)
        return _opened(table, self.place, version, (commit.st_ino, commit.st_mtime_ns))

    def _newest(self, table: Table) -> Opened:
        """Find the newest version by the names in the table's log; -1 where there is none yet.

        From the last checkpoint on they are tried one by one; a log has many. In object storage the library finds it:
        names come a thousand at a time there, but it knows from where on.
        """
        if self.place.folder is None:
            found = _load(self.place, table)
            return Opened(table, self.place, found.version() if found else -1, found)
        log = self.place.folder / table.name / "_delta_log"
        if (version := _after_checkpoint(log)) is not None:
            return self._opened(table, version)
        try:
            with os.scandir(log) as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            names = []
        except OSError as error:
            raise LakeError(f"{self.place}: the table {table.name!r} cannot be read: {error.strerror}") from error
        return self._opened(table, max((int(name[:20]) for name in names if _COMMIT.fullmatch(name)), default=-1))

    def write(self, read: Opened, parts: Iterable[pl.DataFrame]) -> list[AddAction]:
        """Write files for a commit to come: each of the ``parts``, the rows of one partition, becomes one.

        The parts are taken one after another, so no more than one of them need be in memory.

        Raises:
            LakeError: they cannot be written (no disk space, no permission); none is left.

        """
        with self._changing(read):
            return written(read.table, read.place, parts)

    def commit(
        self,
        read: Opened,
        files: Sequence[AddAction],
        *,
        instead_of: pl.DataFrame | None = None,
        same_rows: bool = False,
    ) -> None:
        """Make ``files`` part of the table, ``instead_of`` some or all of `Opened.files`: whole or not at all.

        The log tells whether they have the ``same_rows`` as those, only in other files.

        Raises:
            ConflictError: somebody committed since ``read`` was opened; open it again and decide anew.
            LakeError: the table's log cannot be written; nothing was changed.

        """
        schema = Schema.from_arrow(pl.DataFrame(schema=read.table.schema).to_arrow(compat_level=_PLAIN_ARROW).schema)
        how: dict[str, Any] = {"commit_properties": _ONCE, "post_commithook_properties": KEEP_LOGS}
        partition_by = list(read.table.partition_by)
        if same_rows:
            files = [replace(file, data_change=False) for file in files]
        with self._changing(read):
            if read.delta is not None:
                gone = [] if instead_of is None else instead_of.to_dicts()
                removed = [removal(read.table, read.place, file, same_rows=same_rows) for file in gone]
                read.delta.create_write_transaction([*files, *removed], "append", schema, partition_by, **how)
            else:
                _ = self.open(POLLS).delta  # no table is made beside polls of a format that is not known
                if read.place.folder:
                    read.place.folder.mkdir(parents=True, exist_ok=True)
                create_table_with_add_actions(
                    read.place.uri,
                    schema,
                    list(files),
                    mode="error",
                    partition_by=partition_by,
                    description=DESCRIPTION,
                    configuration=_IN_FOLDER if read.place.folder else _IN_STORAGE,
                    storage_options=read.place.committing,
                    **how,
                )
        if len(files) > _MANY_FILES and (delta := self.open(read.table).delta):
            with suppress(DeltaError, OSError):  # the commit stands without it
                delta.create_checkpoint()

    def delete(self, read: Opened, condition: str) -> None:
        """Delete the rows that meet an SQL condition from the version that was ``read``.

        Raises:
            ConflictError: somebody committed since ``read`` was opened; open it again and decide anew.
            LakeError: the table cannot be written; nothing was changed.

        """
        if read.delta is None:
            return
        with self._changing(read):
            read.delta.delete(condition, commit_properties=_ONCE, post_commithook_properties=KEEP_LOGS)

    @contextmanager
    def _changing(self, read: Opened) -> Iterator[None]:
        """Turn the failure to change a table into a ConflictError or a LakeError."""
        try:
            yield
        except CommitFailedError as error:
            raise ConflictError(f"{self.place}: {read.table.name!r} was changed by another writer") from error
        except (DeltaError, OSError) as error:
            if read.version < 0 <= self.open(read.table).version:
                raise ConflictError(f"{self.place}: {read.table.name!r} was created by another writer") from error
            raise LakeError(f"{self.place}: {read.table.name!r} cannot be written: {plain(error)}") from error

    def keep_log_short(self, read: Opened) -> None:
        """Let the log of a table from before many commits were usual be summed up as often as that of a new one.

        Raises:
            ConflictError: somebody committed since ``read`` was opened.
            LakeError: the table cannot be written; nothing was changed.

        """
        if read.place.folder and read.delta and not _IN_FOLDER.items() <= read.delta.metadata().configuration.items():
            with self._changing(read):
                read.delta.alter.set_table_properties(_IN_FOLDER, commit_properties=_ONCE)


def commit_file(lake: Path, table: Table, version: int) -> Path:
    """Name the file that makes a version of a table, in the folder of a lake."""
    return lake / table.name / "_delta_log" / f"{version:020}.json"


def _after_checkpoint(log: Path) -> int | None:
    """Find the newest version by what is told of the last checkpoint; None where that is of no use."""
    try:
        told = _SUMMED_UP.search((log / "_last_checkpoint").read_bytes())
    except OSError:
        return None
    version = int(told[1]) if told else -1
    if version < 0 or not os.path.exists(log / f"{version:020}.json"):  # noqa: PTH110 - asked for often
        return None
    while os.path.exists(f"{log}/{version + 1:020}.json"):  # noqa: PTH110
        version += 1
    return version


def _load(lake: Place, table: Table, version: int | None = None) -> DeltaTable | None:
    """Read the log of a table, by default up to the newest version; None where there is no such version.

    Raises:
        LakeError: it cannot be read, or is of another format than ours.

    """
    try:
        delta = DeltaTable((lake / table.name).uri, version=version, storage_options=lake.committing)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        if version is not None and lake.folder and not commit_file(lake.folder, table, version).exists():
            return None
        raise LakeError(f"{lake}: the table {table.name!r} cannot be read: {plain(error)}") from error
    require_known_format(delta, lake, table)
    return delta
