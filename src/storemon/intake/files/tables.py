"""Tables that are no CSV: Parquet, JSON line by line, a sheet of a workbook; their values as the text of a CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from storemon.errors import FileError
from storemon.intake.files.header import joined
from storemon.intake.files.opened import Kind, open_binary, reading
from storemon.intake.texts import as_text, text_of

BATCH = 100_000
_FIRST_LINES = 1_000


@dataclass(frozen=True)
class Rows:
    """The rows of a table.

    Attributes:
        names: its columns.
        frames: a column of text for each, named by its place from 0; and ``line``, the number of the line or row it
            stood in, ``row``, all of it as text, and ``damage``, why it is none.

    """

    names: tuple[str, ...]
    frames: Iterator[pl.DataFrame]


def rows_of(path: Path, called: Path, kind: Kind, sheet: str | None) -> Rows:
    """Open a table that is no CSV.

    Args:
        path: the file, as it can be read.
        called: the file's name for whoever is told of it.
        kind: what it is.
        sheet: the name of the sheet of a workbook; it need not be told where there is one only.

    Raises:
        FileError: the file is no such table; or, when the rows are read, they cannot be read to the end.

    """
    return {"lines": _lines, "parquet": _parquet, "workbook": _sheet}[kind](path, called, sheet)


def _parquet(path: Path, called: Path, _sheet: str | None) -> Rows:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{called} is not a Parquet file, or a damaged one: {error}") from error

    def frames() -> Iterator[pl.DataFrame]:
        line = 1
        try:
            for batch in file.iter_batches(BATCH):
                texts = [as_text(column) for column in pl.DataFrame(batch).get_columns()]
                named = pl.DataFrame([text.alias(str(place)) for place, text in enumerate(texts)])
                lines = pl.int_range(line, line + len(named), dtype=pl.Int64).alias("line")
                damage = pl.lit(None, pl.String).alias("damage")
                yield named.with_columns(
                    lines, pl.concat_str(map(_quoted, named.columns), separator=",").alias("row"), damage
                )
                line += len(named)
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
            raise FileError(f"{called} cannot be read past row {line - 1}: {error}") from error

    return Rows(tuple(file.schema_arrow.names), frames())


def _quoted(name: str) -> pl.Expr:
    text = pl.col(name).fill_null("")
    quoted = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(text.str.contains(r'[",\r\n]')).then(quoted).otherwise(text)


def _lines(path: Path, called: Path, _sheet: str | None) -> Rows:
    """Read a JSON object in each line; the columns are the members of the first thousand of them."""
    with reading(called), open_binary(path) as file:
        first = [_object(line) for line in islice(file, _FIRST_LINES)]
    names = tuple(dict.fromkeys(name for found in first if isinstance(found, dict) for name in found))

    def rows() -> Iterator[tuple[int, Sequence[str | None], str, str | None]]:
        with reading(called), open_binary(path) as file:
            for number, line in enumerate(file, 1):
                found = _object(line)
                if found is None:
                    continue
                row = line.decode("utf-8", "replace").strip()
                if isinstance(found, str):
                    yield number, (None,) * len(names), row, found
                    continue
                nested = next((name for name, value in found.items() if isinstance(value, dict | list)), None)
                damage = None if nested is None else f"{nested} is neither text nor a number"
                yield number, [None if nested else text_of(found.get(name)) for name in names], row, damage

    return Rows(names, _framed(rows(), len(names)))


def _object(line: bytes) -> dict[str, Any] | str | None:
    """Read a line: the object, or what is wrong with it, or None where it is blank."""
    if not (text := line.removeprefix(b"\xef\xbb\xbf").strip()):
        return None
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not JSON: {error}"
    return found if isinstance(found, dict) else "not a JSON object"


def _sheet(path: Path, called: Path, sheet: str | None) -> Rows:
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError:
        raise FileError(f"{called}: workbooks need one library more: pip install 'storemon[excel]'") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # it raises whatever the damage leads to
        raise FileError(f"{called} is not a workbook, or a damaged one: {error}") from error
    names = book.sheetnames
    if sheet is None and len(names) > 1:
        raise FileError(f"{called} has several sheets; name one: --sheet {names[0]!r} (there are: {', '.join(names)})")
    if sheet is not None and sheet not in names:
        raise FileError(f"{called} has no sheet {sheet!r}; there are: {', '.join(names)}")
    written = _written(called, book[names[0] if sheet is None else sheet])
    _, header = next(written, (0, []))
    while header and header[-1] is None:
        header.pop()
    columns = tuple((text or "").strip() for text in header)

    def rows() -> Iterator[tuple[int, Sequence[str | None], str, str | None]]:
        for number, texts in written:
            whole = [*texts, *(None,) * (len(columns) - len(texts))]
            beyond = any(whole[len(columns) :])
            damage = f"{len(whole)} fields where the header has {len(columns)}" if beyond else None
            yield number, [None if damage else text for text in whole[: len(columns)]], joined(texts), damage

    return Rows(columns, _framed(rows(), len(columns)))


def _written(called: Path, sheet: Any) -> Iterator[tuple[int, list[str | None]]]:
    """Yield the rows of a sheet in which anything is written, each with its number."""
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            texts = [text_of(value) for value in values]
            if any(text is not None for text in texts):
                yield number, texts
    except Exception as error:  # see above
        raise FileError(f"{called} cannot be read to its end: {error}") from error


def _framed(rows: Iterator[tuple[int, Sequence[str | None], str, str | None]], width: int) -> Iterator[pl.DataFrame]:
    places = [str(place) for place in range(width)]
    schema = pl.Schema({"line": pl.Int64} | dict.fromkeys((*places, "row", "damage"), pl.String))
    while batch := [(line, *texts, row, damage) for line, texts, row, damage in islice(rows, BATCH)]:
        yield pl.DataFrame(batch, schema=schema, orient="row")
