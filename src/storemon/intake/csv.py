"""One CSV in, accepted and rejected rows out; every row of the file is in one of the two.

A clean file, the usual case, is read by DuckDB in one parallel pass. At the first thing that is amiss the file is read
again with care, record by record, so that each bad row has its line, its text and its reason, and costs nobody else.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import duckdb
import polars as pl

from storemon.intake.forms import POLLS_FORM, Form
from storemon.intake.header import Header, head_of, read_header
from storemon.intake.judge import compact, judged, judging
from storemon.intake.records import records
from storemon.lake.gathered import Gathered
from storemon.lake.polls import DAY_OF_POLL
from storemon.lake.schemas import REJECTED

Progress = Callable[[int, int | None], None]
"""Called with the rows read so far, and about how many there will be (None where that can't be told)."""

_BATCH = 100_000
_CLOCK_SLACK = timedelta(days=1)
_REJECTED = pl.Schema({name: REJECTED.schema[name] for name in ("line", "row", "reason")})


@dataclass
class Loaded:
    """One file, read.

    ``accepted`` has the columns of the form's fields, with categorical ``store_id``, polls by their UTC day.
    ``rejected`` has ``line`` (from 1, the header's), ``row`` and ``reason``, and ``reasons`` counts them. Together they
    are ``read`` rows. Of the polls and the rejected rows no more are in memory than was asked for.
    """

    form: Form
    path: Path
    read: int
    accepted: Gathered
    rejected: Gathered
    reasons: Counter[str]


def load(
    path: Path, *, now: datetime, limit: int | None = None, form: Form | None = None, progress: Progress | None = None
) -> Loaded:
    """Read one CSV, plain or gzipped.

    Args:
        path: the file.
        now: the wall clock; a poll more than a day ahead of it is rejected.
        limit: how many bytes of polls, and of rejected rows, to hold in memory; all where it is None.
        form: what the file must be; by default its columns tell.
        progress: told now and then how far the reading has come.

    Raises:
        FileError: the file is missing, a folder, unreadable, binary, without a header or short of a column.

    """
    header = read_header(path, form)
    horizon = now + _CLOCK_SLACK
    loaded = _nothing_of(path, header.form, limit)
    try:
        _read_clean(loaded, header, horizon, progress)
    except _AmissError:
        loaded = _nothing_of(path, header.form, limit)
        _read_with_care(loaded, header, horizon, progress)
    return loaded


def _nothing_of(path: Path, form: Form, limit: int | None) -> Loaded:
    is_polls = form is POLLS_FORM
    accepted = Gathered(form.schema, limit if is_polls else None, by=DAY_OF_POLL if is_polls else None)
    return Loaded(form, path, 0, accepted, Gathered(_REJECTED, limit), Counter())


class _AmissError(Exception):
    """The file, or a row in it, needs to be read with care."""


def _read_clean(loaded: Loaded, header: Header, horizon: datetime, progress: Progress | None) -> None:
    form, path = loaded.form, loaded.path
    columns = {f"column{n}": "VARCHAR" for n in range(header.width)}
    renamed = ", ".join(f"column{at} AS {name}" for at, name in zip(header.positions, form.raw, strict=True))
    source = f"""(SELECT {renamed} FROM read_csv($path, columns = {columns}, auto_detect = false, header = true,
        delim = ',', quote = '"', escape = '"'))"""
    expected = _estimate_rows(path)
    # DuckDB takes a path for a pattern: each character that is special there becomes a set of its own.
    pattern = re.sub(r"([*?\[])", r"[\1]", str(path))
    try:
        for batch in judged(judging(form, source), {"path": pattern}, horizon):
            if batch["verdict"].null_count() < len(batch):
                raise _AmissError
            loaded.accepted.add(compact(batch, form))
            loaded.read += len(batch)
            if progress:
                progress(loaded.read, expected)
    except (duckdb.Error, OSError) as error:  # an OSError past the first batch
        raise _AmissError from error
    if form.contradiction and loaded.accepted.read().select(form.contradiction[0].any()).item():
        raise _AmissError


def _estimate_rows(path: Path) -> int | None:
    if path.suffix == ".gz":
        return None
    head = head_of(path)
    return path.stat().st_size * head.count(b"\n") // len(head)


def _read_with_care(loaded: Loaded, header: Header, horizon: datetime, progress: Progress | None) -> None:
    form, path = loaded.form, loaded.path
    expected = _estimate_rows(path)
    text = (*form.raw, "row", "damage")
    schema = pl.Schema({"line": pl.Int64} | dict.fromkeys(text, pl.String))
    remaining = records(path, header)
    # Rows that contradict each other may stand anywhere in a file, so those (small) files are judged in one piece.
    while batch := list(islice(remaining, None if form.contradiction else _BATCH)):
        frame = pl.DataFrame(batch, schema=schema, orient="row")
        rows = pl.concat(judged(judging(form, "records", "line", "row", "damage"), {}, horizon, records=frame))
        rows = _without_contradictions(rows.with_columns(verdict=pl.coalesce("damage", "verdict")), form)
        rejected = rows.filter(pl.col("verdict").is_not_null()).select("line", "row", reason="verdict")
        loaded.accepted.add(compact(rows.filter(pl.col("verdict").is_null()), form))
        loaded.rejected.add(rejected)
        loaded.reasons.update(dict(rejected["reason"].value_counts().rows()))
        loaded.read += len(batch)
        if progress:
            progress(loaded.read, expected)


def _without_contradictions(rows: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Give a verdict to each row that could be read but contradicts others that can."""
    if not form.contradiction:
        return rows
    condition, reason = form.contradiction
    contradicting = rows.filter(pl.col("verdict").is_null()).filter(condition)["line"]
    verdict = pl.when(pl.col("line").is_in(contradicting.implode())).then(pl.lit(reason)).otherwise("verdict")
    return rows.with_columns(verdict=verdict)
