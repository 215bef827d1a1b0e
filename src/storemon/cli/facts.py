"""Commands about the facts: write a sample, ingest, list the rows that could not be read."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from storemon.cli.options import ANY_MEANS, LakePlace, Means
from storemon.errors import InputError
from storemon.questions.options import Texts, split
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.intake.ingest import Ingestion, Progress

Stores = Annotated[int, Parameter(validator=Number(lte=10_000_000))]
NewLake = Annotated[
    str | None, Parameter(name="--lake", help="New lake to write into, without CSVs: a folder, or s3://bucket/path.")
]
Days = Annotated[int, Parameter(validator=Number(lte=36_525))]


def sample(
    folder: Path | None = None,
    /,
    *,
    lake: NewLake = None,
    stores: Stores = 3678,
    days: Days = 60,
    hourly: bool = False,
    seed: int = 1,
) -> None:
    """Write realistic CSVs into FOLDER, or the same straight into a new lake.

    Parameters
    ----------
    folder
        Where to write store_status.csv, menu_hours.csv, timezones.csv and stores.csv.
    stores
        Stores that are polled.
    days
        Days of polls, the last one being 2024-10-14.
    hourly
        A poll in every hour, instead of one every two or three hours with gaps.
    seed
        The same seed gives the same bytes, and the same rows in a lake.

    """
    from storemon.lake.tables import Tables
    from storemon.sample import write_lake, write_sample

    if (folder is None) == (lake is None):
        raise InputError("name one place for the sample: a folder for CSVs, or a new lake with --lake")
    started = time.perf_counter()
    try:
        if lake is not None:
            counts = write_lake(Tables(lake), stores=stores, days=days, seed=seed, hourly=hourly)
        elif folder is not None:
            counts = write_sample(folder, stores=stores, days=days, seed=seed, hourly=hourly)
    except ValueError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{folder}: the sample cannot be written: {error.strerror}") from error
    sys.stdout.write(
        f"{folder or lake}: {counts.polls:,} polls, {counts.hours:,} hours, {counts.zones:,} time zones, "
        f"{counts.stores:,} stores in {time.perf_counter() - started:.1f} s\n"
    )


def ingest(
    path: Path | None = None,
    /,
    *,
    column: Annotated[Texts, Parameter(show_default=False)] = (),
    status: Annotated[Texts, Parameter(show_default=False)] = (),
    timestamps: str | None = None,
    sheet: str | None = None,
    lake: LakePlace = None,
    strict: bool = False,
    means: Means = ANY_MEANS,
) -> int:
    """Load a folder's files, or one file, into the lake.

    Parameters
    ----------
    path
        A folder with polls, and with hours, time zones, special hours, maintenance and stores if there are any, each
        known by its name or its columns; or one such file. There are CSVs (with , ; | or tabs), Parquet, NDJSON and
        Excel, each also as .gz or .zip (default: data).
    column
        What a column is called in the files, like timestamp_utc="Checked at"; may be given several times.
    status
        More words for a status, like active=ok,warning; may be given several times.
    timestamps
        The form of all instants, like '%m/%d/%Y %H:%M', where it is not one of the usual ones.
    sheet
        The sheet of a workbook.
    strict
        Change nothing if any row cannot be read.

    """
    from storemon.intake.lake import Lake

    settings = Settings.load(lake=lake, data=path, memory=means.memory)
    with _progress() as progress:
        ingestion = Lake(settings.lake).ingest(
            settings.data,
            columns=_named(column, "--column", 'timestamp_utc="Checked at"'),
            statuses={name: split([words]) for name, words in _named(status, "--status", "active=ok,warning").items()},
            timestamps=timestamps,
            sheet=sheet,
            strict=strict,
            memory=settings.memory,
            progress=progress,
        )
    sys.stdout.writelines(_told(ingestion))
    if not ingestion.readable:
        raise InputError("not one row could be read, so the lake is unchanged; see: storemon rejected")
    return 0


def _named(texts: Texts, option: str, example: str) -> dict[str, str]:
    """Read ``name=value`` texts."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"{option} {text}: write it like {example}")
        if name in found:
            raise InputError(f"{option} names {name} twice; leave one out")
        found[name] = value
    return found


def rejected(
    file: Annotated[str | None, Parameter(show_default=False)] = None,
    /,
    *,
    lake: LakePlace = None,
    count: bool = False,
    clear: bool = False,
) -> None:
    """List the rows that could not be read: file, line, reason and the row as it stood.

    Parameters
    ----------
    file
        Only those of this file, named as in the list.
    count
        Print their number only.
    clear
        Let go of them; a file that is loaded again replaces its own.

    """
    from storemon.engine.question import require_one_of
    from storemon.lake.kept import KeptLake

    lake_of_rows = KeptLake(Settings.load(lake=lake).lake)
    rows = lake_of_rows.rejected()
    if file is not None:
        require_one_of(file, rows["file"].unique().sort().to_list(), "file with rejected rows")
        rows = rows.filter(file=file)
    if clear:
        sys.stdout.write(f"{lake_of_rows.clear_rejected(file):,} rejected rows cleared\n")
    elif count:
        sys.stdout.write(f"{len(rows)}\n")
    else:
        for row in rows.rows(named=True):
            sys.stdout.write(f"{row['file']}:{row['line']}: {row['reason']}: {row['row']}\n")


@contextmanager
def _progress() -> Iterator["Progress | None"]:
    """Draw a bar for each file that is read, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def advance(file: Path, rows: int, expected: int | None) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(f"reading {file}")
            bars.update(tasks[file], completed=rows, total=max(rows, expected) if expected else None)

        yield advance


def _told(ingestion: "Ingestion") -> Iterator[str]:
    for table in ingestion.tables:
        yield (
            f"{table.table:<13} {table.read:>11,} rows read, {table.added:,} added, {table.known:,} already there, "
            f"{table.rejected:,} rejected, {table.seconds:.2f} s  ({table.file})\n"
        )
        for reason, count in table.reasons.items():
            yield f"         {count:,} rejected: {reason}\n"
        for line, row, reason in table.examples:
            yield f"         {table.file}:{line}: {reason}: {row[:200]}\n"
        if table.rejected > len(table.examples):
            yield "         all of them: storemon rejected\n"
    for taken in ingestion.taken:
        yield f"taken: {taken}\n"
    for unused in ingestion.unused:
        yield f"NOT USED: {unused}\n"
    for weakness in ingestion.weaknesses:
        yield f"WEAK: {weakness}\n"
    if ingestion.unmerged:
        yield f"the lake's small files could not be merged: {ingestion.unmerged}\n"
