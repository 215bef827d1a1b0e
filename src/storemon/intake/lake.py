"""The lake as its users see it: a place that takes facts in and gives snapshots out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from storemon.intake.ingest import Ingestion, Progress, ingest
from storemon.intake.reading import Reading
from storemon.intake.single import add_maintenance, remove_maintenance
from storemon.lake.kept import KeptLake
from storemon.units.sizes import HALF


class Lake(KeptLake):
    """The facts in one place, and the rejected rows, as Delta Lake tables of Parquet files."""

    def ingest(
        self,
        path: Path | str = "data",
        *,
        columns: Mapping[str, str] | None = None,
        statuses: Mapping[str, Sequence[str]] | None = None,
        timestamps: str | None = None,
        sheet: str | None = None,
        strict: bool = False,
        memory: int | str = HALF,
        progress: Progress | None = None,
        now: datetime | None = None,
        called: str | None = None,
    ) -> Ingestion:
        """Load a folder's files, or one file; see `storemon.intake.ingest.ingest`.

        Raises:
            InputError: ``columns``, ``statuses``, ``timestamps`` or ``sheet`` say what cannot be; see
                `storemon.intake.reading.Reading`.

        """
        told = Reading(columns=columns or {}, statuses=statuses or {}, timestamps=timestamps, sheet=sheet)
        return ingest(
            self._tables,
            Path(path),
            told=told,
            strict=strict,
            memory=memory,
            progress=progress,
            now=now,
            called=called,
        )

    def add_maintenance(self, store_id: str, starts_at: str, ends_at: str, reason: str = "") -> str:
        """Add one maintenance; see `storemon.intake.single.add_maintenance`."""
        return add_maintenance(self._tables, (store_id, starts_at, ends_at, reason))

    def remove_maintenance(self, maintenance_id: str) -> bool:
        """Take one maintenance back; see `storemon.intake.single.remove_maintenance`."""
        return remove_maintenance(self._tables, maintenance_id)
