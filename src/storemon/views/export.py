"""An answer's rows in, a file out: rounded CSV for people, exact Parquet and JSON for programs."""

import io
import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar
from uuid import uuid4

import polars as pl
import polars.selectors as cs

from storemon.errors import FileError, InputError
from storemon.views.answer import Legend

Form = Literal["csv", "json", "parquet"]

T = TypeVar("T")

_HUNDREDTH_US = {"minutes": 600_000, "hours": 36_000_000}


def form_of(path: Path) -> Form:
    """Tell by its ending in which form a file is written: one without an ending, or a device, as CSV.

    Raises:
        InputError: it is a folder, or the ending is another one.

    """
    if path.is_dir():
        raise InputError(f"--out {path} is a folder; name the file to write, like {path / 'report.csv'}")
    match path.suffix.lower():
        case ".json":
            return "json"
        case ".parquet":
            return "parquet"
        case "" | ".csv":
            return "csv"
    if path.exists() and not path.is_file():
        return "csv"
    raise InputError(f"--out {path}: there is no form {path.suffix!r}; let it end in .csv, .json or .parquet")


def export(frames: Iterable[pl.DataFrame], form: Form, legend: Legend, file: BinaryIO) -> int:
    """Write rows in a form, one frame after the other as they come, and count them. There is at least one frame.

    Lengths of time are ``Duration("us")``. CSV is that of `to_csv`. JSON is an array of objects: lengths of time in
    whole microseconds, percentages and rates as numbers, instants as text. Parquet keeps lengths of time exact, and
    percentages and rates as decimals.
    """
    if form == "parquet":
        return _export_parquet(frames, file)
    count = 0
    for place, frame in enumerate(frames):
        if form == "csv":
            file.write(to_csv(frame, legend, header=not place))
        else:
            rows = _to_json(frame)[1:-1]  # without the brackets of its own
            file.write((b"," * bool(count and rows) if place else b"[") + rows)
        count += len(frame)
    if form == "json":
        file.write(b"]")
    return count


def encoded(frame: pl.DataFrame, form: Form, legend: Legend) -> bytes:
    """Write one frame as `export` does."""
    export([frame], form, legend, buffer := io.BytesIO())
    return buffer.getvalue()


def to_csv(frame: pl.DataFrame, legend: Legend, *, header: bool = True) -> bytes:
    r"""``frame`` as CSV in UTF-8 with ``\n`` line ends.

    Lengths of time are in the minutes or hours that ``legend`` says, with two decimals, rounded half up; instants in
    ISO 8601, in UTC with a ``Z``, or local without; what is null is empty.
    """
    printed = frame.with_columns(rounded(frame, legend)).with_columns(_instants())
    return printed.write_csv(include_header=header, quote_style="necessary", line_terminator="\n").encode()


def rounded(frame: pl.DataFrame, legend: Legend) -> list[pl.Expr]:
    """Turn each length of time into a decimal of two places, in the unit that ``legend`` says, rounded half up."""
    lengths = frame.select(cs.duration()).columns
    return [_rounded(name, _HUNDREDTH_US[legend[name].unit]) for name in lengths]


def write(path: Path, content: bytes, *, what: str = "report") -> None:
    """Write what is there already, as `save` does."""
    save(path, lambda file: file.write(content), what=what)


def save(path: Path, fill: Callable[[BinaryIO], T], *, what: str = "report") -> T:
    """Let ``fill`` write to ``path``: whoever opens it sees all of it, or what was there before. A link is followed.

    ``what`` it is, an error tells.

    Raises:
        FileError: the file cannot be written; nothing is left behind.

    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:  # a device or a pipe, /dev/null say: a rename would put a file in its place
                return fill(file)
        return _replace(path.resolve(), fill)
    except OSError as error:
        raise FileError(f"{path}: the {what} cannot be written: {error.strerror}") from error


def remove_parts(path: Path) -> None:
    """Remove what a killed process left of its attempts to write ``path``."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)


def _rounded(name: str, hundredth_us: int) -> pl.Expr:
    hundredths = (pl.col(name).to_physical() + hundredth_us // 2) // hundredth_us  # rounds down below zero as well
    return (hundredths.cast(pl.Decimal(38, 2)) / 100).alias(name)


def _instants() -> list[pl.Expr]:
    return [
        cs.datetime(time_zone="UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        cs.datetime(time_zone=None).dt.strftime("%Y-%m-%dT%H:%M:%S"),
    ]


def _export_parquet(frames: Iterable[pl.DataFrame], file: BinaryIO) -> int:
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - the other forms do without Arrow

    tables = (frame.to_arrow(compat_level=pl.CompatLevel.oldest()) for frame in frames)
    first = next(tables)
    count = 0
    with ParquetWriter(file, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            count += len(table)
    return count


def _to_json(frame: pl.DataFrame) -> bytes:
    numbers = frame.with_columns(cs.duration().to_physical(), cs.decimal().cast(pl.Float64))
    return numbers.with_columns(_instants()).write_json().encode()


def _replace(path: Path, fill: Callable[[BinaryIO], T]) -> T:
    # Each writer has a name of its own: two that make the same report must not write into each other's file.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    with part.open("xb") as file:
        try:
            filled = fill(file)
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    _sync(path.parent)
    return filled


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
