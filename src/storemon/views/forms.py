"""The forms of rows as bytes: rounded for people (CSV, Excel), exact for programs (JSON, NDJSON, Parquet, Arrow)."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import polars as pl
import polars.selectors as cs

from storemon.views.answer import About, Legend
from storemon.views.workbook.book import workbook

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["csv", "json", "ndjson", "parquet", "arrow", "xlsx"]
FORMS: tuple[Form, ...] = get_args(Form)
Document = Literal["pdf"]
"""Pages that are read, of a report: no form of its rows."""
WITH_DOCUMENT: tuple[Form | Document, ...] = (*FORMS, *get_args(Document))
MEDIA_TYPES: Mapping[Form | Document, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
"""What each form is called over HTTP and in mails."""

NOTHING = About()
_HUNDREDTH_US = {"minutes": 600_000, "hours": 36_000_000}


def pieces(frames: Iterable[pl.DataFrame], form: Form, legend: Legend, about: About = NOTHING) -> Iterator[bytes]:
    """Write rows in a form, one frame after the other as they come. There is at least one frame.

    Lengths of time are ``Duration("us")``. CSV is that of `to_csv`. JSON is an array of objects, NDJSON an object in
    each line: lengths of time in whole microseconds, percentages and rates as numbers, instants as text. Parquet, and
    Arrow's IPC stream, keep lengths of time exact, and percentages and rates as decimals. A workbook is that
    of `storemon.views.workbook.book.workbook`: it says what it is ``about``.

    Raises:
        InputError: there are more rows than a sheet has, or what writes workbooks is not installed.

    """
    return _WRITERS[form](frames, legend, about)


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


def to_json(frame: pl.DataFrame) -> bytes:
    """Write an array of objects."""
    return _as_numbers(frame).write_json().encode()


def _rounded(name: str, hundredth_us: int) -> pl.Expr:
    hundredths = (pl.col(name).to_physical() + hundredth_us // 2) // hundredth_us  # rounds down below zero as well
    return (hundredths.cast(pl.Decimal(38, 2)) / 100).alias(name)


def _instants() -> list[pl.Expr]:
    return [
        cs.datetime(time_zone="UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        cs.datetime(time_zone=None).dt.strftime("%Y-%m-%dT%H:%M:%S"),
    ]


def _as_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    numbers = frame.with_columns(cs.duration().to_physical(), cs.decimal().cast(pl.Float64))
    return numbers.with_columns(_instants())


def _csv(frames: Iterable[pl.DataFrame], legend: Legend, _: About) -> Iterator[bytes]:
    for place, frame in enumerate(frames):
        yield to_csv(frame, legend, header=not place)


def _json(frames: Iterable[pl.DataFrame], _: Legend, __: About) -> Iterator[bytes]:
    count = 0
    for place, frame in enumerate(frames):
        rows = to_json(frame)[1:-1]  # without the brackets of its own
        yield (b"," * bool(count and rows) if place else b"[") + rows
        count += len(frame)
    yield b"]"


def _ndjson(frames: Iterable[pl.DataFrame], _: Legend, __: About) -> Iterator[bytes]:
    for frame in frames:
        yield _as_numbers(frame).write_ndjson().encode()


class _Sink(io.RawIOBase):
    """What an Arrow writer writes to: a file of which the beginning is taken away again and again."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        held = bytes(data)  # type: ignore[call-overload]
        self._held.append(held)
        self._written += len(held)
        return len(held)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken, self._held = b"".join(self._held), []
        return taken


class _Writer(Protocol):
    def write_table(self, table: "pa.Table") -> None: ...
    def close(self) -> None: ...


def _by_arrow(
    frames: Iterable[pl.DataFrame], opened: Callable[[io.RawIOBase, "pa.Schema"], _Writer]
) -> Iterator[bytes]:
    tables = (frame.to_arrow(compat_level=pl.CompatLevel.oldest()) for frame in frames)
    first = next(tables)
    sink = _Sink()
    writer = opened(sink, first.schema)
    for table in chain([first], tables):
        writer.write_table(table)
        yield sink.take()
    writer.close()
    yield sink.take()


def _parquet(frames: Iterable[pl.DataFrame], _: Legend, __: About) -> Iterator[bytes]:
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - the other forms do without Arrow

    return _by_arrow(frames, ParquetWriter)


def _arrow(frames: Iterable[pl.DataFrame], _: Legend, __: About) -> Iterator[bytes]:
    from pyarrow.ipc import new_stream  # noqa: PLC0415 - as above

    return _by_arrow(frames, new_stream)


def _xlsx(frames: Iterable[pl.DataFrame], legend: Legend, about: About) -> Iterator[bytes]:
    yield workbook(frames, legend, about)


_WRITERS: dict[Form, Callable[[Iterable[pl.DataFrame], Legend, About], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "parquet": _parquet,
    "arrow": _arrow,
    "xlsx": _xlsx,
}
