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
from functools import partial
from itertools import islice
from pathlib import Path

import polars as pl

from storemon.errors import InputError, LakeError, RejectedRowsError
from storemon.intake.append import append_polls
from storemon.intake.forms.fields import UNITS
from storemon.intake.forms.known import POLLS_FORM
from storemon.intake.found import find
from storemon.intake.load import Loaded, load
from storemon.intake.reading import AS_USUAL, Reading
from storemon.intake.weaknesses import weaknesses
from storemon.intake.whole import replace
from storemon.lake.kept import KeptLake
from storemon.lake.rejected import replace_rejected
from storemon.lake.retrying import retrying
from storemon.lake.tables import Tables
from storemon.lake.upkeep import AT_LEAST, compact
from storemon.units.sizes import HALF, parse_size

_SHOWN = 5
_SHARE = 16  # of the memory rows may take while a file is read; to put them aside takes three times as much again

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
    """What became of each file, in the order in which the tables were committed.

    ``taken`` says, file by file, what was read otherwise than by its usual name. ``unused`` are the files of the folder
    that were not loaded, each with the reason. ``weaknesses`` are sentences on what makes the figures doubtful now.
    ``unmerged`` says why the files of many ingestions could not be merged afterwards, as a rule nothing. All that was
    added is in the lake, and the next ingestion tries again.
    """

    tables: tuple[TableSummary, ...]
    unmerged: str = ""
    taken: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether anything could be used; a file without rows counts as used."""
        return any(table.rejected < table.read or not table.read for table in self.tables)


def ingest(
    tables: Tables,
    path: Path,
    *,
    told: Reading = AS_USUAL,
    strict: bool = False,
    memory: int | str = HALF,
    progress: Progress | None = None,
    now: datetime | None = None,
    called: str | None = None,
) -> Ingestion:
    """Load a folder's CSVs, or one CSV, into the lake.

    Args:
        tables: the lake's tables.
        path: a folder, whose files are known by their names or their columns; or one file. There are CSVs, Parquet,
            JSON line by line and workbooks, each also as ``.gz`` or ``.zip``.
        told: how the files are written where that is not as usual.
        strict: whether one rejected row stops everything.
        memory: the bytes to stay within, or text like ``2GiB``; see docs/lake.md for what that can be.
        progress: told now and then how far the reading of a file has come.
        now: the wall clock, by which polls from the future are rejected.
        called: what one file is called instead of its path: in the counts, and where its rejected rows are kept.

    Raises:
        FileError: a file is missing or can't be read; nothing was changed.
        RejectedRowsError: ``strict``, and there are such rows; nothing was changed.
        LakeError: a table can't be written; the ones before it in tags, maintenance, special hours, zones, hours, polls
            were.

    """
    now = now or datetime.now(UTC)
    limit = (parse_size(memory) if isinstance(memory, str) else memory) // _SHARE
    found = find(path, told)
    loaded: list[tuple[Loaded, float]] = []
    for form, file in found.files:
        started = time.perf_counter()
        tell = progress and partial(progress, file)
        read = load(file, now=now, limit=limit, form=form, told=told, progress=tell)
        read.name = called
        loaded.append((read, time.perf_counter() - started))
    all_loaded = [each for each, _ in loaded]
    _require_use(told, all_loaded)
    if strict:
        _refuse_rejected(all_loaded)
    if tables.place.folder:
        _require_space(tables.place.folder, [each.path for each in all_loaded])
    summaries = []
    for each, seconds in loaded:
        started = time.perf_counter()
        added = _commit(tables, each)
        _record_rejected(tables, each, now)
        summaries.append(_summary(each, added, seconds + time.perf_counter() - started))
    unused = [file.name for file, _ in found.unused]
    return Ingestion(
        tuple(summaries),
        _merge_files(tables),
        taken=tuple(line for each in all_loaded if (line := _taken(each))),
        unused=tuple(f"{file} {reason}" for file, reason in found.unused),
        weaknesses=_weaknesses(tables, all_loaded, unused),
    )


def _refuse_rejected(loaded: Sequence[Loaded]) -> None:
    count = sum(len(each.rejected) for each in loaded)
    if count:
        pieces = ((each.path, piece) for each in loaded for piece in each.rejected.pieces())
        rows = (f"{path}:{line}: {reason}" for path, piece in pieces for line, _, reason in piece.head(_SHOWN).rows())
        more = f"\n… and {count - _SHOWN} more" if count > _SHOWN else ""
        raise RejectedRowsError(
            f"{count} rows cannot be read, so nothing was changed (leave out --strict to load the rest):\n"
            + "\n".join(islice(rows, _SHOWN))
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
        raise LakeError(
            f"{root}: {free / 1e6:.0f} MB of disk space are free, {needed / 1e6:.0f} MB are needed to be safe; "
            "make room"
        )


def _commit(tables: Tables, loaded: Loaded) -> int:
    """Bring a file's accepted rows in, and say how many were new."""
    if loaded.read and not len(loaded.accepted):
        return 0  # a file of which nothing can be read replaces nothing
    form = loaded.form
    if form is POLLS_FORM:
        return append_polls(tables, loaded.accepted)
    accepted = loaded.accepted.read()
    return retrying(lambda: replace(tables, tables.open(form.table), form, accepted))


def _record_rejected(tables: Tables, loaded: Loaded, now: datetime) -> None:
    """Keep the rejected rows of this file in place of those of its last ingestion."""
    named = (pl.lit(loaded.called).alias("file"), "line", "row", "reason")
    rejected_at = pl.lit(now).dt.cast_time_unit("us").alias("rejected_at")
    replace_rejected(
        tables, loaded.called, lambda: (piece.select(*named, rejected_at) for piece in loaded.rejected.pieces())
    )


def _require_use(told: Reading, loaded: Sequence[Loaded]) -> None:
    """Refuse what was told of no file: it would be passed over in silence."""
    used = {named for each in loaded for named in each.header.found.items()}
    for column, name in told.columns.items():
        if (column, name) not in used:
            there = ", ".join(sorted({name for each in loaded for name in each.header.names}))
            raise InputError(f"no file has a column {name!r}, which was named for {column}; there are: {there}")
    if told.sheet is not None and not any(each.is_workbook for each in loaded):
        raise InputError(f"there is no workbook to have a sheet {told.sheet!r}; leave out --sheet")


def _taken(loaded: Loaded) -> str:
    """Say which columns go by another name, and of which unit the instants are, where that had to be found out."""
    parts = [f"{name!r} is {column}" for column, name in loaded.header.other_names.items()]
    if loaded.unit is not None:
        parts.append(f"whole numbers are Unix time in {UNITS[loaded.unit]}")
    return f"{loaded.path}: {', '.join(parts)}" if parts else ""


def _weaknesses(tables: Tables, loaded: Sequence[Loaded], unused: Sequence[str]) -> tuple[str, ...]:
    """Tell what weakens the figures now; all has been committed, so that a failure is told as another sentence."""
    try:
        return weaknesses(KeptLake(tables.place.text).snapshot(), loaded, unused)
    except LakeError as error:
        return (f"what else weakens the figures cannot be told: {error}",)


def _merge_files(tables: Tables) -> str:
    """Merge the files of one closed day, if they have become many; give the reason if that fails."""
    try:
        compact(tables, at_least=AT_LEAST, at_most=1)
    except LakeError as error:
        return str(error)
    return ""


def _summary(loaded: Loaded, added: int, seconds: float) -> TableSummary:
    rejected = len(loaded.rejected)
    return TableSummary(
        loaded.form.table.name,
        loaded.name or str(loaded.path),
        loaded.read,
        added,
        loaded.read - rejected - added,
        rejected,
        seconds,
        dict(sorted(loaded.reasons.items(), key=lambda of: (-of[1], of[0]))),
        tuple(row for piece in islice(loaded.rejected.pieces(), 1) for row in piece.head(3).rows()),
    )
