"""The ``storemon`` command. What is heavy is imported by the command that needs it."""

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from storemon.errors import InputError, StoremonError
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.lake.ingest import Ingestion, Progress

app = App(
    name="storemon",
    help="While each place was supposed to be open, was it up? Exact uptime within opening hours, in bulk.",
    version_flags=["--version"],
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # main says that it was interrupted
)

LakeFolder = Annotated[Path | None, Parameter(name="--lake", help="Folder of the lake (default: parquet).")]
CarryLimit = Annotated[str | None, Parameter(help="How long a poll is believed, like 7d or 36h (default: 7d).")]
Stores = Annotated[int, Parameter(validator=Number(lte=10_000_000))]
Days = Annotated[int, Parameter(validator=Number(lte=36_525))]
AsOf = Annotated[str | None, Parameter(help="The report's now, in ISO 8601 (default: the newest poll).")]


def main() -> None:
    """Run the command line; exits with 0, or 2 when nothing could be done, saying why on standard error."""
    _ready_streams()
    try:
        code = app(exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:
        code = 2  # cyclopts has said why
    except StoremonError as error:
        sys.stderr.write(f"storemon: {error}\n")
        code = 2
    except BrokenPipeError:
        code = _silenced(0)  # whoever read our output has seen enough
    except OSError as error:  # the disk that standard output goes to is full, say
        sys.stderr.write(f"storemon: {error}\n")
        code = _silenced(2)
    except KeyboardInterrupt:
        sys.stderr.write("storemon: interrupted\n")
        code = 130
    sys.exit(code)


@app.command
def sample(folder: Path, /, *, stores: Stores = 3678, days: Days = 60, seed: int = 1) -> None:
    """Write three realistic CSVs into FOLDER.

    Parameters
    ----------
    folder
        Where to write store_status.csv, menu_hours.csv and timezones.csv.
    stores
        Stores that are polled.
    days
        Days of polls, the last one being 2024-10-14.
    seed
        The same seed gives the same bytes.

    """
    from storemon.lake.sample import write_sample

    started = time.perf_counter()
    try:
        counts = write_sample(folder, stores=stores, days=days, seed=seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{folder}: the sample cannot be written: {error.strerror}") from error
    sys.stdout.write(
        f"{folder}: {counts.polls:,} polls, {counts.hours:,} hours, {counts.zones:,} time zones "
        f"in {time.perf_counter() - started:.1f} s\n"
    )


@app.command
def ingest(path: Path | None = None, /, *, lake: LakeFolder = None, strict: bool = False) -> int:
    """Load a folder's CSVs, or one CSV, into the lake.

    Parameters
    ----------
    path
        A folder with store_status.csv, menu_hours.csv and timezones.csv, or one such file; each may end in .gz
        (default: data).
    strict
        Change nothing if any row cannot be read.

    """
    from storemon.lake.lake import Lake

    settings = Settings.load(lake=lake, data=path)
    with _progress() as progress:
        ingestion = Lake(settings.lake).ingest(settings.data, strict=strict, progress=progress)
    sys.stdout.writelines(_told(ingestion))
    if not ingestion.readable:
        raise InputError("not one row could be read, so the lake is unchanged; see: storemon rejected")
    return 0


@app.command
def rejected(*, lake: LakeFolder = None, count: bool = False) -> None:
    """List the rows that could not be read: file, line, reason and the row as it stood.

    Parameters
    ----------
    count
        Print their number only.

    """
    from storemon.lake.lake import Lake

    rows = Lake(Settings.load(lake=lake).lake).rejected()
    if count:
        sys.stdout.write(f"{len(rows)}\n")
        return
    for row in rows.rows(named=True):
        sys.stdout.write(f"{row['file']}:{row['line']}: {row['reason']}: {row['row']}\n")


@app.command
def report(
    *,
    lake: LakeFolder = None,
    out: Path | None = None,
    as_of: AsOf = None,
    carry_limit: CarryLimit = None,
    wide: bool = False,
) -> None:
    """Compute uptime and downtime of each store in the last hour, day and week.

    Parameters
    ----------
    out
        File to write, as .csv, or as .parquet or .json with exact figures (default: CSV to standard output).
    wide
        Add the unknown time of each window.

    """
    from storemon.engine.instants import parse_instant
    from storemon.engine.question import resolve_as_of
    from storemon.engine.report import report as compute
    from storemon.lake.lake import Lake
    from storemon.service.export import report_csv, write_report

    settings = Settings.load(lake=lake, carry_limit=carry_limit)
    if out is not None and out.is_dir():
        raise InputError(f"--out {out} is a folder; name the file to write, like {out / 'report.csv'}")
    started = time.perf_counter()
    snapshot = Lake(settings.lake).snapshot()
    now = resolve_as_of(snapshot, None if as_of is None else parse_instant(as_of))
    frame = compute(snapshot, as_of=now, carry_limit=settings.carry_limit)
    if frame.is_empty():
        sys.stderr.write(f"storemon: no store was polled at or before {now}; the report has no rows\n")
    if out is None:
        sys.stdout.buffer.write(report_csv(frame, wide=wide))
        return
    write_report(frame, out, wide=wide)
    sys.stdout.write(f"{out}: {len(frame):,} stores as of {now} in {time.perf_counter() - started:.2f} s\n")


@app.command
def sql() -> None:
    """Print the one SQL statement that computes a report's figures."""
    from storemon.engine.pipeline import FIGURES, STATES, statement

    sys.stdout.write(statement((*STATES["carry"], *FIGURES)) + "\n")


@app.command
def serve(
    *,
    lake: LakeFolder = None,
    data: Annotated[Path | None, Parameter(help="Folder that ingestions must lie in (default: data).")] = None,
    reports: Annotated[Path | None, Parameter(help="Folder of the reports (default: reports).")] = None,
    host: Annotated[str | None, Parameter(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on (default: 8000).")] = None,
    workers: Annotated[int | None, Parameter(help="Processes that answer and run jobs (default: 1).")] = None,
) -> None:
    """Serve reports over HTTP: trigger one, poll it, download it. Ctrl-C stops."""
    from storemon.service.app import serve as run

    run(Settings.load(lake=lake, data=data, reports=reports, host=host, port=port, workers=workers))


def _ready_streams() -> None:
    """Let no text that cannot be encoded, and no standard output that is closed, end a command."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - it is open as long as this process runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silenced(code: int) -> int:
    """Keep Python from writing what is left to a standard output that takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


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
