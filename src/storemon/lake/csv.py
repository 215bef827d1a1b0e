"""One CSV in, accepted and rejected rows out; every row of the file is in one of the two.

A clean file, the usual case, is read by DuckDB in one parallel pass. At the first thing that is amiss the file is read
again with care, record by record, so that each bad row has its line, its text and its reason, and costs nobody else.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import duckdb
import polars as pl

from storemon.lake.forms import Form
from storemon.lake.header import Header, head_of, read_header
from storemon.lake.judge import compact, judged, judging, no_rows
from storemon.lake.records import records

Progress = Callable[[int, int | None], None]
"""Called with the rows read so far, and about how many there will be (None where that can't be told)."""

_BATCH = 100_000
_CLOCK_SLACK = timedelta(days=1)
_NO_REJECTS = pl.DataFrame(schema={"line": pl.Int64, "row": pl.String, "reason": pl.String})


@dataclass(frozen=True)
class Loaded:
    """One file, read.

    ``accepted`` has the columns of the form's fields; a poll's instants are UTC, and store ids may be categorical.
    ``rejected`` has ``line`` (from 1, the header's), ``row`` and ``reason``. Together they are ``read`` rows.
    """

    form: Form
    path: Path
    read: int
    accepted: pl.DataFrame
    rejected: pl.DataFrame


def load(path: Path, *, now: datetime, form: Form | None = None, progress: Progress | None = None) -> Loaded:
    """Read one CSV, plain or gzipped.

    Args:
        path: the file.
        now: the wall clock; a poll more than a day ahead of it is rejected.
        form: what the file must be; by default its columns tell.
        progress: told now and then how far the reading has come.

    Raises:
        FileError: the file is missing, a folder, unreadable, binary, without a header or short of a column.

    """
    header = read_header(path, form)
    horizon = now + _CLOCK_SLACK
    try:
        accepted = _read_clean(path, header, horizon, progress)
    except _AmissError:
        return _read_with_care(path, header, horizon, progress)
    return Loaded(header.form, path, len(accepted), accepted, _NO_REJECTS)


class _AmissError(Exception):
    """The file, or a row in it, needs to be read with care."""


def _read_clean(path: Path, header: Header, horizon: datetime, progress: Progress | None) -> pl.DataFrame:
    columns = {f"column{n}": "VARCHAR" for n in range(header.width)}
    renamed = ", ".join(f"column{at} AS {name}" for at, name in zip(header.positions, header.form.raw, strict=True))
    source = f"""(SELECT {renamed} FROM read_csv($path, columns = {columns}, auto_detect = false, header = true,
        delim = ',', quote = '"', escape = '"'))"""
    expected = _estimate_rows(path)
    batches = [no_rows(header.form)]
    rows = 0
    # DuckDB takes a path for a pattern: each character that is special there becomes a set of its own.
    pattern = re.sub(r"([*?\[])", r"[\1]", str(path))
    try:
        for batch in judged(judging(header.form, source), {"path": pattern}, horizon):
            if batch["verdict"].null_count() < len(batch):
                raise _AmissError
            batches.append(compact(batch, header.form))
            rows += len(batch)
            if progress:
                progress(rows, expected)
    except (duckdb.Error, OSError) as error:  # an OSError past the first batch
        raise _AmissError from error
    accepted = pl.concat(batches)
    if header.form.contradiction and accepted.select(header.form.contradiction[0].any()).item():
        raise _AmissError
    return accepted


def _estimate_rows(path: Path) -> int | None:
    if path.suffix == ".gz":
        return None
    head = head_of(path)
    return path.stat().st_size * head.count(b"\n") // len(head)


def _read_with_care(path: Path, header: Header, horizon: datetime, progress: Progress | None) -> Loaded:
    form, expected = header.form, _estimate_rows(path)
    accepted, rejected, read = [no_rows(form)], [_NO_REJECTS], 0
    text = (*form.raw, "row", "damage")
    schema = pl.Schema({"line": pl.Int64} | dict.fromkeys(text, pl.String))
    remaining = records(path, header)
    # Rows that contradict each other may stand anywhere in a file, so those (small) files are judged in one piece.
    while batch := list(islice(remaining, None if form.contradiction else _BATCH)):
        frame = pl.DataFrame(batch, schema=schema, orient="row")
        rows = pl.concat(judged(judging(form, "records", "line", "row", "damage"), {}, horizon, records=frame))
        rows = _without_contradictions(rows.with_columns(verdict=pl.coalesce("damage", "verdict")), form)
        accepted.append(compact(rows.filter(pl.col("verdict").is_null()), form))
        rejected.append(rows.filter(pl.col("verdict").is_not_null()).select("line", "row", reason="verdict"))
        read += len(batch)
        if progress:
            progress(read, expected)
    return Loaded(form, path, read, pl.concat(accepted), pl.concat(rejected))


def _without_contradictions(rows: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Give a verdict to each row that could be read but contradicts others that can."""
    if not form.contradiction:
        return rows
    condition, reason = form.contradiction
    contradicting = rows.filter(pl.col("verdict").is_null()).filter(condition)["line"]
    verdict = pl.when(pl.col("line").is_in(contradicting.implode())).then(pl.lit(reason)).otherwise("verdict")
    return rows.with_columns(verdict=verdict)
