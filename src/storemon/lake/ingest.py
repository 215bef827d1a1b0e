"""A folder or a file in, one atomic commit for each table out.

All files are read before anything is changed. The polls are committed last: cut off before that, the lake has newer
tags, exceptions, zones or hours and the polls it had; run again, the ingestion finishes its work, since what is already
there is not added twice.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from storemon.errors import FileError, LakeError, RejectedRowsError
from storemon.lake.csv import Loaded, load
from storemon.lake.forms import FORMS, POLLS_FORM, Form
from storemon.lake.polls import new_polls
from storemon.lake.retrying import retrying
from storemon.lake.schemas import POLLS, REJECTED
from storemon.lake.tables import Tables
from storemon.lake.whole import replace

_SHOWN = 5

Progress = Callable[[Path, int, int | None], None]
"""Called with a file, its rows read so far, and about how many it has (None where that can't be told)."""


@dataclass(frozen=True)
class TableSummary:
    """What became of one file: ``read`` = ``added`` + ``known`` + ``rejected``.

    ``known`` rows were already in the table, or earlier in the file. A row of stores.csv is one row here, though it is
    one for each tag in the table. ``reasons`` counts the rejected rows by reason, ``examples`` are the first few as
    (line, row, reason).
    """

    table: str
    file: str
    read: int
    added: int
    known: int
    rejected: int
    seconds: float
    reasons: dict[str, int]
    examples: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Ingestion:
    """What became of each file, in the order in which the tables were committed."""

    tables: tuple[TableSummary, ...]

    @property
    def readable(self) -> bool:
        """Whether anything could be used; a file without rows counts as used."""
        return any(table.rejected < table.read or not table.read for table in self.tables)


def ingest(
    tables: Tables, path: Path, *, strict: bool = False, progress: Progress | None = None, now: datetime | None = None
) -> Ingestion:
    """Load a folder's CSVs, or one CSV, into the lake.

    Args:
        tables: the lake's tables.
        path: a folder with ``store_status.csv`` and, if they are new, ``menu_hours.csv``, ``timezones.csv``,
            ``special_hours.csv``, ``maintenance.csv`` and ``stores.csv`` (each may end in ``.gz``); or one file, which
            is known by its name or else by its columns.
        strict: whether one rejected row stops everything.
        progress: told now and then how far the reading of a file has come.
        now: the wall clock, by which polls from the future are rejected.

    Raises:
        FileError: a file is missing or can't be read; nothing was changed.
        RejectedRowsError: ``strict``, and there are such rows; nothing was changed.
        LakeError: a table can't be written; the ones before it in tags, maintenance, special hours, zones, hours, polls
            were.

    """
    now = now or datetime.now(UTC)
    loaded: list[tuple[Loaded, float]] = []
    for form, file in _files(path):
        started = time.perf_counter()
        loaded.append((_load(form, file, now, progress), time.perf_counter() - started))
    if strict:
        _refuse_rejected([each for each, _ in loaded])
    if tables.place.folder:
        _require_space(tables.place.folder, [each.path for each, _ in loaded])
    summaries = []
    for each, seconds in loaded:
        started = time.perf_counter()
        added = _commit(tables, each)
        _record_rejected(tables, each, now)
        summaries.append(_summary(each, added, seconds + time.perf_counter() - started))
    return Ingestion(tuple(summaries))


def _files(path: Path) -> list[tuple[Form | None, Path]]:
    try:
        names = {file.name for file in path.iterdir()} if path.is_dir() else None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    if names is None:
        named = {form.file_name: form for form in FORMS}
        return [(named.get(path.name.removesuffix(".gz")), path)]
    found: list[tuple[Form | None, Path]] = []
    for form in FORMS:
        there = [path / name for name in (form.file_name, f"{form.file_name}.gz") if name in names]
        if len(there) > 1:
            raise FileError(f"{path} has both {there[0].name} and {there[1].name}; remove the one that does not count")
        if not there and form is POLLS_FORM:
            raise FileError(
                f"{path} has no {form.file_name}; to load another file alone, name it: storemon ingest {path}/FILE.csv"
            )
        found += [(form, file) for file in there]
    return found


def _load(form: Form | None, file: Path, now: datetime, progress: Progress | None) -> Loaded:
    def report(rows: int, expected: int | None) -> None:
        if progress:
            progress(file, rows, expected)

    return load(file, now=now, form=form, progress=report)


def _refuse_rejected(loaded: Sequence[Loaded]) -> None:
    rows = [f"{each.path}:{line}: {reason}" for each in loaded for line, _, reason in each.rejected.rows()]
    if rows:
        more = f"\n… and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        raise RejectedRowsError(
            f"{len(rows)} rows cannot be read, so nothing was changed (leave out --strict to load the rest):\n"
            + "\n".join(rows[:_SHOWN])
            + more
        )


def _require_space(root: Path, files: Sequence[Path]) -> None:
    """Stop before anything is changed where the disk would run full half way; Parquet takes a tenth of a CSV."""
    needed = sum(file.stat().st_size for file in files) // 4 + (1 << 22)
    try:
        there = next(folder for folder in (root, *root.parents) if folder.exists())
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise LakeError(f"{root} cannot be reached: {error.strerror}") from error
    if free < needed:
        raise FileError(
            f"{root}: {free / 1e6:.0f} MB of disk space are free, {needed / 1e6:.0f} MB are needed to be safe; "
            "make room, or choose another folder with --lake"
        )


def _commit(tables: Tables, loaded: Loaded) -> int:
    """Bring a file's accepted rows in, and say how many were new."""
    if loaded.read and loaded.accepted.is_empty():
        return 0  # a file of which nothing can be read replaces nothing
    form = loaded.form
    if form is POLLS_FORM:
        return retrying(lambda: _append_polls(tables, loaded.accepted))
    return retrying(lambda: replace(tables, tables.open(form.table), form, loaded.accepted))


def _append_polls(tables: Tables, accepted: pl.DataFrame) -> int:
    read = tables.open(POLLS)
    new = new_polls(read, accepted)
    if new.count:
        tables.commit(read, new.batches())
    return new.count


def _record_rejected(tables: Tables, loaded: Loaded, now: datetime) -> None:
    if loaded.rejected.is_empty():
        return
    rows = loaded.rejected.select(
        pl.lit(str(loaded.path)).alias("file"),
        "line",
        "row",
        "reason",
        pl.lit(now).dt.cast_time_unit("us").alias("rejected_at"),
    )

    def append() -> int:
        read = tables.open(REJECTED)
        new = rows.join(read.read(), on=["file", "line", "row", "reason"], how="anti")
        if not new.is_empty():
            tables.commit(read, new)
        return len(new)

    retrying(append)


def _summary(loaded: Loaded, added: int, seconds: float) -> TableSummary:
    reasons = loaded.rejected.group_by("reason").len().sort("len", "reason", descending=[True, False])
    rejected = len(loaded.rejected)
    return TableSummary(
        loaded.form.table.name,
        str(loaded.path),
        loaded.read,
        added,
        loaded.read - rejected - added,
        rejected,
        seconds,
        dict(reasons.rows()),
        tuple(loaded.rejected.head(3).rows()),
    )
