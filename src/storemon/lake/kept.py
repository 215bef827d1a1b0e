"""The lake as those see it who ask: a place that gives snapshots out, and is kept small."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import polars as pl

from storemon.errors import LakeError
from storemon.lake.place import Place
from storemon.lake.rejected import clear_rejected
from storemon.lake.runs import keep_runs
from storemon.lake.schemas import FACTS, REJECTED
from storemon.lake.snapshot import LakeSnapshot
from storemon.lake.tables import Opened, Tables
from storemon.lake.upkeep import Compaction, Pruning, compact, prune
from storemon.lake.vacuuming import vacuum


class KeptLake:
    """The facts in one place, and the rejected rows, as Delta Lake tables of Parquet files."""

    def __init__(self, path: Path | str = "parquet") -> None:
        """Take ``path``, a folder or ``s3://bucket/path``, as the lake's place; the first ingestion creates it.

        Raises:
            LakeError: the path cannot hold a lake.

        """
        self._tables = Tables(path)

    @property
    def path(self) -> Path:
        """The lake's folder.

        Raises:
            LakeError: it lies in object storage.

        """
        if self._tables.place.folder is None:
            raise LakeError(f"{self._tables.place}: a lake in object storage has no folder")
        return self._tables.place.folder

    def snapshot(self, versions: Mapping[str, int] | None = None) -> LakeSnapshot:
        """Fix what a report reads: the newest version of each table, or the ``versions`` of another snapshot.

        A table that these do not name was unknown when they were written down: it has no rows.

        Raises:
            LakeError: a table can't be read, or has no such version.

        """
        # Each table before those that are committed before it: so none lags behind the polls.
        tables = (*reversed(FACTS), REJECTED)
        return _snapshot(
            self._tables.place,
            *(self._tables.open(table, versions.get(table.name, -1) if versions else None) for table in tables),
        )

    def compact(self, *, at_least: int = 2) -> Compaction:
        """Merge the small files of closed days; see `storemon.lake.upkeep.compact`."""
        compaction = compact(self._tables, at_least=at_least)
        keep_runs(self._tables)
        return compaction

    def prune(self, before: date, *, dry_run: bool = False) -> Pruning:
        """Let go of the polls before a UTC day; see `storemon.lake.upkeep.prune`."""
        return prune(self._tables, before, dry_run=dry_run)

    def vacuum(
        self, keep: timedelta, versions: Sequence[Mapping[str, int]] = (), *, dry_run: bool = False
    ) -> list[str]:
        """Remove files that nothing needs any more; see `storemon.lake.vacuuming.vacuum`."""
        return vacuum(self._tables, keep, versions, dry_run=dry_run)

    def rejected(self) -> pl.DataFrame:
        """Read the rows that could not be read: ``file, line, row, reason, rejected_at``, oldest first."""
        return self.snapshot().rejected()

    def clear_rejected(self, file: str | None = None) -> int:
        """Let go of the rejected rows of a file, or of all; see `storemon.lake.rejected.clear_rejected`."""
        return clear_rejected(self._tables, file)


@lru_cache(maxsize=2)
def _snapshot(place: Place, *opened: Opened) -> LakeSnapshot:
    """Give the same object for the same tables: what was found out about it is of use again."""
    return LakeSnapshot(place, {each.table.name: each for each in opened})
