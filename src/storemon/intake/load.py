"""One file in, accepted and rejected rows out; every row of the file is in one of the two.

A clean CSV, the usual case, is read by DuckDB in one parallel pass. At the first thing that is amiss it is read again
with care, record by record, so that each bad row has its line, its text and its reason, and costs nobody else.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import duckdb
import polars as pl

from storemon.intake.files.header import Header, header_of, read_header
from storemon.intake.files.opened import as_plain, head_of, kind_of
from storemon.intake.files.records import records
from storemon.intake.files.tables import Rows, rows_of
from storemon.intake.forms.fields import unit_of
from storemon.intake.forms.known import POLLS_FORM, Form
from storemon.intake.judge import CLOCK_SLACK, compact, judged, judging
from storemon.intake.reading import AS_USUAL, Reading
from storemon.lake.gathered import Gathered
from storemon.lake.polls import DAY_OF_POLL
from storemon.lake.schemas import REJECTED

Progress = Callable[[int, int | None], None]
"""Called with the rows read so far, and about how many there will be (None where that can't be told)."""

_BATCH = 100_000
_FIRST = 1_000
_REJECTED = pl.Schema({name: REJECTED.schema[name] for name in ("line", "row", "reason")})


class _Course(NamedTuple):
    """How the rows of a file are judged, and who is told how far that has come."""

    told: Reading
    horizon: datetime
    progress: Progress | None
    expected: int | None = None

    def report(self, read: int) -> None:
        if self.progress:
            self.progress(read, self.expected)


@dataclass
class Loaded:
    """One file, read.

    ``accepted`` has the columns of the form's fields, with categorical ``store_id``, polls by their UTC day.
    ``rejected`` has ``line`` (from 1, the header's), ``row`` and ``reason``, and ``reasons`` counts them. Together they
    are ``read`` rows. Of the polls and the rejected rows no more are in memory than was asked for.
    """

    header: Header
    path: Path
    read: int
    accepted: Gathered
    rejected: Gathered
    reasons: Counter[str]
    unit: int | None = None
    """The unit of Unix time in which its instants are, by its length in microseconds; None where they are not."""
    rejected_ids: set[str] = field(default_factory=set)
    """The stores with a rejected row, where there is a row for each store."""
    name: str | None = None
    """What it is called instead of its path."""
    is_workbook: bool = False
    sheet: str | None = None
    """The sheet that was asked for."""

    @property
    def called(self) -> str:
        """What the file is called where its rejected rows are kept: each sheet has its own."""
        name = self.name or str(self.path)
        return f"{name} [{self.sheet}]" if self.is_workbook and self.sheet else name

    @property
    def form(self) -> Form:
        """What the file was read as."""
        return self.header.form


def load(
    path: Path,
    *,
    now: datetime,
    limit: int | None = None,
    form: Form | None = None,
    told: Reading = AS_USUAL,
    progress: Progress | None = None,
) -> Loaded:
    """Read one file of any kind.

    Args:
        path: the file.
        now: the wall clock; a poll more than a day ahead of it is rejected.
        limit: how many bytes of polls, and of rejected rows, to hold in memory; all where it is None.
        form: what the file must be; by default its columns tell.
        told: how it is written where that is not as usual.
        progress: told now and then how far the reading has come.

    Raises:
        FileError: the file is missing, a folder, unreadable, no table, without a header or short of a column.

    """
    kind, course = kind_of(path), _Course(told, now + CLOCK_SLACK, progress)
    if kind == "text":
        header = read_header(path, form, told.columns)
        with as_plain(path) as plain:
            return _load_csv(path, plain, header, limit, course._replace(expected=_estimate_rows(path)))
    with as_plain(path) as plain:
        rows = rows_of(plain, path, kind, told.sheet)
        header = header_of(path, rows.names, form, told.columns)
        loaded = _nothing_of(path, header, limit)
        loaded.is_workbook, loaded.sheet = kind == "workbook", told.sheet
        _read_with_care(loaded, _raw(rows, header), course)
    return loaded


def _load_csv(path: Path, plain: Path, header: Header, limit: int | None, course: _Course) -> Loaded:
    loaded = _nothing_of(path, header, limit)
    loaded.unit = _unit_of(_records(plain, header, _FIRST), header.form)
    try:
        _read_clean(loaded, plain, course)
    except _AmissError:
        loaded = _nothing_of(path, header, limit)
        _read_with_care(loaded, _records(plain, header), course)
    return loaded


def header_in(path: Path, told: Reading) -> Header:
    """Find out what a file is by its columns.

    Raises:
        FileError: it is no table, or not one of those that are known.

    """
    if (kind := kind_of(path)) == "text":
        return read_header(path, None, told.columns)
    with as_plain(path) as plain:
        return header_of(path, rows_of(plain, path, kind, told.sheet).names, None, told.columns)


def _nothing_of(path: Path, header: Header, limit: int | None) -> Loaded:
    form, is_polls = header.form, header.form is POLLS_FORM
    accepted = Gathered(form.schema, limit if is_polls else None, by=DAY_OF_POLL if is_polls else None)
    return Loaded(header, path, 0, accepted, Gathered(_REJECTED, limit), Counter())


class _AmissError(Exception):
    """The file, or a row in it, needs to be read with care."""


def _read_clean(loaded: Loaded, path: Path, course: _Course) -> None:
    form, header = loaded.form, loaded.header
    columns = {f"column{n}": "VARCHAR" for n in range(len(header.names))}
    renamed = ", ".join(f"column{at} AS {name}" for at, name in zip(header.positions, form.raw, strict=True))
    source = f"""(SELECT {renamed} FROM read_csv($path, columns = {columns}, auto_detect = false, header = true,
        delim = '{header.delimiter}', quote = '"', escape = '"'))"""
    # DuckDB takes a path for a pattern: each character that is special there becomes a set of its own.
    pattern = re.sub(r"([*?\[])", r"[\1]", str(path))
    try:
        for batch in judged(
            judging(form, source), {**course.told.params(loaded.unit), "path": pattern}, course.horizon
        ):
            if batch["verdict"].null_count() < len(batch):
                raise _AmissError
            loaded.accepted.add(compact(batch, form))
            loaded.read += len(batch)
            course.report(loaded.read)
    except (duckdb.Error, OSError) as error:  # an OSError past the first batch
        raise _AmissError from error
    if form.contradiction and loaded.accepted.read().select(form.contradiction[0].any()).item():
        raise _AmissError


def _estimate_rows(path: Path) -> int | None:
    if path.suffix.lower() in {".gz", ".zip"}:
        return None
    head = head_of(path)
    return path.stat().st_size * head.count("\n") // len(head.encode())


def _read_with_care(loaded: Loaded, frames: Iterator[pl.DataFrame], course: _Course) -> None:
    """Judge frames of ``line``, the raw texts, ``row`` and ``damage``."""
    form = loaded.form
    first = next(frames, None)
    frames = iter(()) if first is None else chain([first], frames)
    loaded.unit = None if first is None else _unit_of([first.head(_FIRST)], form)
    # Rows that contradict each other may stand anywhere in a file, so those (small) files are judged in one piece.
    if form.contradiction and first is not None:
        frames = iter([pl.concat(frames)])
    for frame in frames:
        params = course.told.params(loaded.unit)
        query = judging(form, "records", "line", "row", "damage")
        rows = pl.concat(judged(query, params, course.horizon, records=frame)).sort("line")  # a look-up mixes them
        rows = _without_contradictions(rows.with_columns(verdict=pl.coalesce("damage", "verdict")), form)
        rejected = rows.filter(pl.col("verdict").is_not_null())
        loaded.accepted.add(compact(rows.filter(pl.col("verdict").is_null()), form))
        loaded.rejected.add(rejected.select("line", "row", reason="verdict"))
        loaded.reasons.update(dict(rejected["verdict"].value_counts().rows()))
        if form is not POLLS_FORM:
            loaded.rejected_ids.update(rejected["store_id"].drop_nulls())
        loaded.read += len(frame)
        course.report(loaded.read)


def _records(path: Path, header: Header, count: int | None = None) -> Iterator[pl.DataFrame]:
    schema = pl.Schema({"line": pl.Int64} | dict.fromkeys((*header.form.raw, "row", "damage"), pl.String))
    remaining = islice(records(path, header), count)
    while batch := list(islice(remaining, _BATCH)):
        yield pl.DataFrame(batch, schema=schema, orient="row")


def _raw(rows: Rows, header: Header) -> Iterator[pl.DataFrame]:
    names = {str(at): name for at, name in zip(header.positions, header.form.raw, strict=True)}
    for frame in rows.frames:
        yield frame.select("line", *(pl.col(at).alias(name) for at, name in names.items()), "row", "damage")


def _unit_of(frames: Iterator[pl.DataFrame] | list[pl.DataFrame], form: Form) -> int | None:
    return unit_of(text for frame in frames for name in form.instants for text in frame[name])


def _without_contradictions(rows: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Give a verdict to each row that could be read but contradicts others that can."""
    if not form.contradiction:
        return rows
    condition, reason = form.contradiction
    contradicting = rows.filter(pl.col("verdict").is_null()).filter(condition)["line"]
    verdict = pl.when(pl.col("line").is_in(contradicting.implode())).then(pl.lit(reason)).otherwise("verdict")
    return rows.with_columns(verdict=verdict)
