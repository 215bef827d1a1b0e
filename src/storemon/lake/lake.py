"""The lake as its users see it: a folder that takes polls in and gives snapshots out."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from storemon.lake.ingest import Ingestion, Progress, ingest
from storemon.lake.schemas import FACTS, REJECTED
from storemon.lake.snapshot import LakeSnapshot
from storemon.lake.tables import Tables
from storemon.lake.upkeep import Compaction, Pruning, compact, prune, vacuum


class Lake:
    """The facts in one folder, and the rejected rows, as Delta Lake tables of Parquet files."""

    def __init__(self, path: Path | str = "parquet") -> None:
        """Take ``path`` as the lake's folder; it is created by the first ingestion.

        Raises:
            LakeError: the path cannot hold a lake.

        """
        self._tables = Tables(Path(path))

    @property
    def path(self) -> Path:
        """The lake's folder."""
        return self._tables.root

    def ingest(
        self,
        path: Path | str = "data",
        *,
        strict: bool = False,
        memory: int | None = None,
        progress: Progress | None = None,
        now: datetime | None = None,
    ) -> Ingestion:
        """Load a folder's CSVs, or one CSV; see `storemon.lake.ingest.ingest`."""
        return ingest(self._tables, Path(path), strict=strict, memory=memory, progress=progress, now=now)

    def snapshot(self, versions: Mapping[str, int] | None = None) -> LakeSnapshot:
        """Fix what a report reads: the newest version of each table, or the ``versions`` of another snapshot.

        A table that these do not name was unknown when they were written down: it has no rows.

        Raises:
            LakeError: a table can't be read, or has no such version.

        """
        # Each table before those that are committed before it: so none lags behind the polls.
        tables = (*reversed(FACTS), REJECTED)
        return LakeSnapshot(
            self.path,
            {
                table.name: self._tables.open(table, versions.get(table.name, -1) if versions else None)
                for table in tables
            },
        )

    def compact(self, *, at_least: int = 2) -> Compaction:
        """Merge the small files of closed days; see `storemon.lake.upkeep.compact`."""
        return compact(self._tables, at_least=at_least)

    def prune(self, before: date, *, dry_run: bool = False) -> Pruning:
        """Let go of the polls before a UTC day; see `storemon.lake.upkeep.prune`."""
        return prune(self._tables, before, dry_run=dry_run)

    def vacuum(
        self, keep: timedelta, versions: Sequence[Mapping[str, int]] = (), *, dry_run: bool = False
    ) -> list[Path]:
        """Remove files that nothing needs any more; see `storemon.lake.upkeep.vacuum`."""
        return vacuum(self._tables, keep, versions, dry_run=dry_run)

    def rejected(self) -> pl.DataFrame:
        """Read the rows that could not be read: ``file, line, row, reason, rejected_at``, oldest first."""
        return self.snapshot().rejected()
