"""A report frame in, a file out: rounded CSV for people, exact Parquet and JSON for programs."""

import io
import os
from pathlib import Path
from uuid import uuid4

import polars as pl
import polars.selectors as cs

from storemon.errors import FileError

SECONDS_A_UNIT = {"hour": 60, "day": 3600, "week": 3600}  # an hour's figures are in minutes, the others in hours


def report_csv(frame: pl.DataFrame, *, wide: bool = False) -> bytes:
    r"""``frame`` as CSV in UTF-8 with ``\n`` line ends: figures in minutes or hours, two decimals, rounded half up.

    ``frame`` has ``store_id`` and columns of ``Duration("us")`` whose names end in ``_hour``, ``_day`` or ``_week``.
    ``wide`` keeps the ``unknown_*`` columns.
    """
    figures = [_rounded(name) for name in frame.columns if name != "store_id"]
    chosen = _chosen(frame.with_columns(figures), wide=wide)
    return chosen.write_csv(quote_style="necessary", line_terminator="\n").encode()


def write_report(frame: pl.DataFrame, path: Path, *, wide: bool = False) -> None:
    """Write ``frame`` to ``path`` in one step: whoever opens it sees all of it, or what was there before.

    A ``path`` that ends in ``.parquet`` gets the exact durations, one in ``.json`` an array of objects with integers of
    microseconds, any other the CSV of `report_csv`. ``wide`` keeps the ``unknown_*`` columns. A link is followed.

    Raises:
        FileError: the file cannot be written; nothing is left behind.

    """
    content = _encoded(frame, path.suffix.lower(), wide=wide)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a device or a pipe, /dev/null say: a rename would put a file in its place
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise FileError(f"{path}: the report cannot be written: {error.strerror}") from error


def remove_parts(path: Path) -> None:
    """Remove what a killed process left of its attempts to write ``path``."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)


def _encoded(frame: pl.DataFrame, suffix: str, *, wide: bool) -> bytes:
    chosen = _chosen(frame, wide=wide)
    if suffix == ".json":
        return chosen.with_columns(cs.duration().to_physical()).write_json().encode()
    if suffix == ".parquet":
        chosen.write_parquet(buffer := io.BytesIO())
        return buffer.getvalue()
    return report_csv(frame, wide=wide)


def _chosen(frame: pl.DataFrame, *, wide: bool) -> pl.DataFrame:
    return frame if wide else frame.select(~cs.starts_with("unknown_"))


def _rounded(name: str) -> pl.Expr:
    hundredth_us = SECONDS_A_UNIT[name.rsplit("_", 1)[1]] * 10_000
    hundredths = (pl.col(name).to_physical() + hundredth_us // 2) // hundredth_us  # no figure is ever negative
    return (hundredths.cast(pl.Decimal(38, 2)) / 100).alias(name)


def _replace(path: Path, content: bytes) -> None:
    # Each writer has a name of its own: two that make the same report must not write into each other's file.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    with part.open("xb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
