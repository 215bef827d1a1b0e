"""The lake as its users see it: a place that takes facts in and gives snapshots out."""

from datetime import datetime
from pathlib import Path

from storemon.intake.ingest import Ingestion, Progress, ingest
from storemon.lake.kept import KeptLake
from storemon.units.sizes import HALF


class Lake(KeptLake):
    """The facts in one place, and the rejected rows, as Delta Lake tables of Parquet files."""

    def ingest(
        self,
        path: Path | str = "data",
        *,
        strict: bool = False,
        memory: int | str = HALF,
        progress: Progress | None = None,
        now: datetime | None = None,
    ) -> Ingestion:
        """Load a folder's CSVs, or one CSV; see `storemon.intake.ingest.ingest`."""
        return ingest(self._tables, Path(path), strict=strict, memory=memory, progress=progress, now=now)
