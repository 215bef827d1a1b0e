"""One table written in every kind of file."""

import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import polars as pl

Row = Sequence[str]


def _delimited(mark: str) -> Callable[[Path, Row, Sequence[Row]], Path]:
    def write(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
        path = stem.with_suffix(".csv")
        path.write_text("".join(f"{mark.join(row)}\n" for row in (header, *rows)))
        return path

    return write


def _csv_bytes(header: Row, rows: Sequence[Row], encoding: str = "utf-8") -> bytes:
    return "".join(f"{','.join(row)}\r\n" for row in (header, *rows)).encode(encoding)


def _utf_16(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".csv")
    path.write_bytes(_csv_bytes(header, rows, "utf-16"))
    return path


def _utf_16_without_mark(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".csv")
    path.write_bytes(_csv_bytes(header, rows, "utf-16-be"))
    return path


def _gzipped(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".csv.gz")
    path.write_bytes(gzip.compress(_csv_bytes(header, rows)))
    return path


def _zipped(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("__MACOSX/._export.csv", b"\0\1")
        archive.writestr("folder/export.csv", _csv_bytes(header, rows, "utf-16"))
    return path


def _parquet(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".parquet")
    pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row").write_parquet(path)
    return path


def _zipped_parquet(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    inner = _parquet(stem, header, rows)
    path = stem.with_suffix(".parquet.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, inner.name)
    inner.unlink()
    return path


def _ndjson(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".ndjson")
    path.write_text("".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows))
    return path


def _workbook(stem: Path, header: Row, rows: Sequence[Row]) -> Path:
    path = stem.with_suffix(".xlsx")
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (header, *rows):
        book.active.append(row)
    book.save(path)
    return path


KINDS: dict[str, Callable[[Path, Row, Sequence[Row]], Path]] = {
    "comma": _delimited(","),
    "semicolon": _delimited(";"),
    "tab": _delimited("\t"),
    "bar": _delimited("|"),
    "utf-16": _utf_16,
    "utf-16 without a mark": _utf_16_without_mark,
    "gzip": _gzipped,
    "zip": _zipped,
    "parquet": _parquet,
    "zipped parquet": _zipped_parquet,
    "ndjson": _ndjson,
    "workbook": _workbook,
}
"""Each writes a header and rows into a file beside a stem, and gives its path."""
