"""A folder or a file in, one atomic commit for each table out.

All files are read before anything is changed. The polls are committed last: cut off before that, the lake has newer
tags, exceptions, zones or hours and the polls it had; run again, the ingestion finishes its work, since what is already
there is not added twice.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import polars as pl

from storemon.errors import FileError, LakeError, RejectedRowsError
from storemon.intake.csv import Loaded, load
from storemon.intake.forms import FORMS, POLLS_FORM, Form
from storemon.intake.whole import replace
from storemon.lake.gathered import Gathered
from storemon.lake.polls import NewPolls
from storemon.lake.retrying import retrying
from storemon.lake.schemas import POLLS, REJECTED
from storemon.lake.tables import Opened, Tables
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

    ``unmerged`` says why the files of many ingestions could not be merged afterwards, as a rule nothing. All that was
    added is in the lake, and the next ingestion tries again.
    """

    tables: tuple[TableSummary, ...]
    unmerged: str = ""

    @property
    def readable(self) -> bool:
        """Whether anything could be used; a file without rows counts as used."""
        return any(table.rejected < table.read or not table.read for table in self.tables)


def ingest(
    tables: Tables,
    path: Path,
    *,
    strict: bool = False,
    memory: int | str = HALF,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Ingestion:
    """Load a folder's CSVs, or one CSV, into the lake.

    Args:
        tables: the lake's tables.
        path: a folder with ``store_status.csv`` and, if they are new, ``menu_hours.csv``, ``timezones.csv``,
            ``special_hours.csv``, ``maintenance.csv`` and ``stores.csv`` (each may end in ``.gz``); or one file, which
            is known by its name or else by its columns.
        strict: whether one rejected row stops everything.
        memory: the bytes to stay within, or text like ``2GiB``; see docs/lake.md for what that can be.
        progress: told now and then how far the reading of a file has come.
        now: the wall clock, by which polls from the future are rejected.

    Raises:
        FileError: a file is missing or can't be read; nothing was changed.
        RejectedRowsError: ``strict``, and there are such rows; nothing was changed.
        LakeError: a table can't be written; the ones before it in tags, maintenance, special hours, zones, hours, polls
            were.

    """
    now = now or datetime.now(UTC)
    limit = (parse_size(memory) if isinstance(memory, str) else memory) // _SHARE
    loaded: list[tuple[Loaded, float]] = []
    for form, file in _files(path):
        started = time.perf_counter()
        loaded.append((_load(form, file, now, limit, progress), time.perf_counter() - started))
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
    return Ingestion(tuple(summaries), _merge_files(tables))


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


def _load(form: Form | None, file: Path, now: datetime, limit: int, progress: Progress | None) -> Loaded:
    def report(rows: int, expected: int | None) -> None:
        if progress:
            progress(file, rows, expected)

    return load(file, now=now, limit=limit, form=form, progress=report)


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
        raise FileError(
            f"{root}: {free / 1e6:.0f} MB of disk space are free, {needed / 1e6:.0f} MB are needed to be safe; "
            "make room, or choose another folder with --lake"
        )


def _commit(tables: Tables, loaded: Loaded) -> int:
    """Bring a file's accepted rows in, and say how many were new."""
    if loaded.read and not len(loaded.accepted):
        return 0  # a file of which nothing can be read replaces nothing
    form = loaded.form
    if form is POLLS_FORM:
        return retrying(lambda: _append_polls(tables, loaded.accepted))
    accepted = loaded.accepted.read()
    return retrying(lambda: replace(tables, tables.open(form.table), form, accepted))


def _append_polls(tables: Tables, accepted: Gathered) -> int:
    read = tables.open(POLLS)
    new = NewPolls(read, accepted)
    if files := tables.write(read, new.parts()):
        tables.commit(read, files)
    return new.count


def _record_rejected(tables: Tables, loaded: Loaded, now: datetime) -> None:
    def append() -> None:
        read = tables.open(REJECTED)
        if files := tables.write(read, _new_rejected(read, loaded, now)):
            tables.commit(read, files)

    if len(loaded.rejected):
        retrying(append)


def _new_rejected(read: Opened, loaded: Loaded, now: datetime) -> Iterator[pl.DataFrame]:
    """Give the rejected rows that the table does not have yet, as it will have them."""
    rejected_at = pl.lit(now).dt.cast_time_unit("us").alias("rejected_at")
    paths = read.files["path"].to_list()
    for piece in loaded.rejected.pieces():
        rows = piece.select(pl.lit(str(loaded.path)).alias("file"), "line", "row", "reason", rejected_at)
        if paths:
            same = rows.columns[:4]
            there = pl.scan_parquet(paths, schema=REJECTED.schema).select(same)
            with read.reading():
                known = there.join(rows.lazy(), on=same, how="semi").collect(engine="streaming")
            rows = rows.join(known, on=same, how="anti", maintain_order="left")
        if len(rows):
            yield rows


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
        str(loaded.path),
        loaded.read,
        added,
        loaded.read - rejected - added,
        rejected,
        seconds,
        dict(sorted(loaded.reasons.items(), key=lambda of: (-of[1], of[0]))),
        tuple(row for piece in islice(loaded.rejected.pieces(), 1) for row in piece.head(3).rows()),
    )
