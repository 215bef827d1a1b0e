"""The lake: Delta Lake tables in one folder, each changed only by atomic commits.

``polls`` keeps every poll once, in partitions by UTC day, sorted by store and instant. A store is a small integer
there, its ``store_key``. The partition without a day is the roster: a second copy of the first poll of each store,
beside its id. Being part of the same commit as the polls, it says exactly which stores exist and since when, at a cost
that does not grow with history. A store has several rows in it once an export with older polls came later: the earliest
counts.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from storemon.errors import ConflictError, LakeError
from storemon.lake.schemas import Table
from storemon.lake.writing import written

_NOISE = re.compile(r"\x1b\[\d*m|^ +(\d+:|at) .*$", re.MULTILINE)
_COMMIT = re.compile(r"\d{20}\.json")
_ONCE = CommitProperties(max_commit_retries=0)
_KEEP_LOGS = PostCommitHookProperties(cleanup_expired_logs=False)  # so that every version can be opened again
_PLAIN_ARROW = pl.CompatLevel.oldest()  # Delta knows no views of text
_UNFIT = frozenset("%*?[]^|\\")


@dataclass(frozen=True)
class Opened:
    """One table at one version. A table nobody has written yet has version -1 and no rows."""

    table: Table
    folder: Path
    version: int

    @cached_property
    def delta(self) -> DeltaTable | None:
        """The library's table, read when it is first asked for: that takes a hundred times longer than to find it.

        Raises:
            LakeError: it cannot be read, or it has no such version.

        """
        if self.version == -1:
            return None
        where, name = self.folder.parent, self.table.name
        try:
            return DeltaTable(self.folder.as_uri(), version=self.version)
        except TableNotFoundError:
            raise LakeError(f"{where}: there is no table {name!r} at version {self.version}") from None
        except (DeltaError, OSError) as error:
            raise LakeError(f"{where}: the table {name!r} cannot be read: {_plain(error)}") from error

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
        return named.with_columns(path=pl.lit(f"{self.folder}/") + pl.col("path"))

    def read(self) -> pl.DataFrame:
        """Read the whole table, once; for the small ones.

        Raises:
            LakeError: a file of it is lost or damaged.

        """
        return self._rows

    @cached_property
    def _rows(self) -> pl.DataFrame:
        paths = self.files["path"].to_list()
        with self.reading():
            return pl.read_parquet(paths, schema=self.table.schema) if paths else pl.DataFrame(schema=self.table.schema)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn the failure to read a Parquet file of the table into a LakeError."""
        try:
            yield
        except (pl.exceptions.PolarsError, OSError) as error:
            raise LakeError(f"{self.folder}: a file of the table is lost or damaged: {error}") from error


class Tables:
    """The tables of one lake: opened at a version, written by compare-and-swap."""

    def __init__(self, root: Path) -> None:
        """Take ``root`` as the lake's folder; nothing is created before the first commit.

        Raises:
            LakeError: the path has a character in it that one of the libraries decodes or takes for a pattern.

        """
        self.root = root.resolve()
        if unfit := _UNFIT.intersection(str(self.root)):
            raise LakeError(f"{root}: a lake's path cannot contain {min(unfit)!r}; choose another folder")

    def open(self, table: Table, version: int | None = None) -> Opened:
        """``table`` at ``version``, by default the newest.

        Raises:
            LakeError: the table's log cannot be looked at, or it has no such version.

        """
        if version is None:
            return Opened(table, self.root / table.name, self._newest_version(table))
        opened = Opened(table, self.root / table.name, version)
        _ = opened.delta  # to name a version that is not there is a mistake to be told at once
        return opened

    def _newest_version(self, table: Table) -> int:
        """Find the newest version by the name of its commit in the table's log; -1 where there is none yet."""
        try:
            with os.scandir(self.root / table.name / "_delta_log") as entries:
                names = [entry.name for entry in entries]
        except FileNotFoundError:
            return -1
        except OSError as error:
            raise LakeError(f"{self.root}: the table {table.name!r} cannot be read: {error.strerror}") from error
        return max((int(name[:20]) for name in names if _COMMIT.fullmatch(name)), default=-1)

    def write(self, read: Opened, parts: Iterable[pl.DataFrame]) -> list[AddAction]:
        """Write files for a commit to come: each of the ``parts``, the rows of one partition, becomes one.

        The parts are taken one after another, so no more than one of them need be in memory.

        Raises:
            LakeError: they cannot be written (no disk space, no permission); none is left.

        """
        with self._changing(read):
            return written(read.table, read.folder, parts)

    def commit(self, read: Opened, files: Sequence[AddAction], *, instead_of: pl.DataFrame | None = None) -> None:
        """Make ``files`` part of the table, ``instead_of`` some or all of `Opened.files`: whole or not at all.

        Raises:
            ConflictError: somebody committed since ``read`` was opened; open it again and decide anew.
            LakeError: the table's log cannot be written; nothing was changed.

        """
        schema = Schema.from_arrow(pl.DataFrame(schema=read.table.schema).to_arrow(compat_level=_PLAIN_ARROW).schema)
        how: dict[str, Any] = {"commit_properties": _ONCE, "post_commithook_properties": _KEEP_LOGS}
        partition_by = list(read.table.partition_by)
        with self._changing(read):
            if read.delta is None:
                read.folder.mkdir(parents=True, exist_ok=True)
                create_table_with_add_actions(
                    read.folder.as_uri(), schema, list(files), mode="error", partition_by=partition_by, **how
                )
                return
            removed = [] if instead_of is None else [_removal(read, file) for file in instead_of.rows(named=True)]
            read.delta.create_write_transaction([*files, *removed], "append", schema, partition_by, **how)

    def delete(self, read: Opened, condition: str) -> None:
        """Delete the rows that meet an SQL condition from the version that was ``read``.

        Raises:
            ConflictError: somebody committed since ``read`` was opened; open it again and decide anew.
            LakeError: the table cannot be written; nothing was changed.

        """
        if read.delta is None:
            return
        with self._changing(read):
            read.delta.delete(condition, commit_properties=_ONCE, post_commithook_properties=_KEEP_LOGS)

    @contextmanager
    def _changing(self, read: Opened) -> Iterator[None]:
        """Turn the failure to change a table into a ConflictError or a LakeError."""
        try:
            yield
        except CommitFailedError as error:
            raise ConflictError(f"{self.root}: {read.table.name!r} was changed by another writer") from error
        except (DeltaError, OSError) as error:
            if read.version < 0 <= self.open(read.table).version:
                raise ConflictError(f"{self.root}: {read.table.name!r} was created by another writer") from error
            raise LakeError(f"{self.root}: {read.table.name!r} cannot be written: {_plain(error)}") from error

    def vacuum(self, read: Opened, keep: timedelta, versions: list[int], *, dry_run: bool) -> list[Path]:
        """Remove the files that no version needs that was current within ``keep``, nor any of the ``versions``.

        Raises:
            LakeError: the table cannot be read or written.

        """
        if read.delta is None:
            return []
        try:
            removed = read.delta.vacuum(
                -(-keep // timedelta(hours=1)),
                dry_run,
                enforce_retention_duration=False,
                post_commithook_properties=_KEEP_LOGS,
                full=True,
                keep_versions=versions or None,
            )
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.root}: {read.table.name!r} cannot be cleared: {_plain(error)}") from error
        return [read.folder / path for path in removed]


def _removal(read: Opened, file: Mapping[str, Any]) -> RemoveAction:
    values = {name: None if file[name] is None else str(file[name]) for name in read.table.partition_by}
    path = file["path"].removeprefix(f"{read.folder}/")
    return RemoveAction(path, True, time.time_ns() // 1_000_000, file["size"], values)


def _plain(error: Exception) -> str:
    """Tell an error of the Delta library in one line, without colours and backtrace."""
    return " ".join(_NOISE.sub("", str(error)).split())
