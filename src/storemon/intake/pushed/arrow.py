"""An Arrow IPC stream, as it is or with compressed buffers."""

import struct
from itertools import compress
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from storemon.errors import InputError
from storemon.intake.files.header import joined
from storemon.intake.forms.columns import called, places
from storemon.intake.forms.known import POLLS_FORM
from storemon.intake.pushed.arrow_size import require_room, too_much
from storemon.intake.pushed.bounds import require_clear
from storemon.intake.pushed.careful import NOTHING, Record, judge_records
from storemon.intake.pushed.plain import plain
from storemon.intake.pushed.polls import Pushed
from storemon.intake.texts import as_text

_AMISS = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError, struct.error)
_SECONDS = (-62_135_596_800, 253_402_300_799)  # of the years 1 to 9999
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_IS_TAKEN = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean, pa.types.is_null),
    *(pa.types.is_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_timestamp, pa.types.is_date32),
)


def read_arrow(body: bytes, horizon: int, most: int, most_rows: int | None = None) -> Pushed:
    """Read the record batches of a stream; their rows are counted from 1.

    Raises:
        TooMuchError: it unpacks to more than ``most`` bytes.
        InputError: it is no such stream, has more than ``most_rows``, lacks a column, has too many, or one twice, or
            has one of values that are neither text, numbers, truths nor instants.

    """
    try:
        require_room(body, most, most_rows)
        columns = _columns(body, most)
    except _AMISS as error:
        raise InputError(f"the body is not an Arrow IPC stream, or a damaged one: {error}") from error
    polls = plain(pl.DataFrame(columns), horizon) if _may_be_plain(columns) else None
    return judge_records(_records(columns), horizon) if polls is None else Pushed.all_of(polls)


def _columns(body: bytes, most: int) -> list[pl.Series]:
    with pa.ipc.open_stream(body) as stream:
        names = stream.schema.names
    require_clear(names)
    at = places(POLLS_FORM.columns, names, {})
    if None in at:
        raise InputError(
            f"the body has no column called {called(POLLS_FORM.columns[at.index(None)])}; its columns are: "
            f"{', '.join(names)[:300] or 'none'}"
        )
    # What is not needed is not unpacked.
    wanted = pa.ipc.IpcReadOptions(included_fields=sorted(place for place in at if place is not None))
    with pa.ipc.open_stream(body, options=wanted) as stream:
        table = stream.read_all()
    table.validate()  # it comes from anywhere
    if sum(map(_viewed, table.columns)) > most:
        raise too_much(most)  # to look at each view of the same long text could take hours
    table.validate(full=True)
    order = sorted(range(len(at)), key=lambda column: at[column] or 0)
    by_column = {POLLS_FORM.raw[column]: table.column(nth) for nth, column in enumerate(order)}
    columns = [_series(name, by_column[name]) for name in POLLS_FORM.raw]
    if sum(int(column.str.len_bytes().sum()) for column in columns if column.dtype == pl.String) > most:
        raise too_much(most)  # a long text can stand in a dictionary once for many rows
    return columns


def _viewed(column: Any) -> int:
    """Count the bytes of texts that are views: each is 16 bytes, of which the first 4 are its length."""
    chunks = [getattr(chunk, "dictionary", chunk) for chunk in column.chunks]
    return sum(
        length
        for chunk in chunks
        if pa.types.is_string_view(chunk.type)
        for length in compress(memoryview(chunk.buffers()[1]).cast("i")[::4], chunk.is_valid().to_pylist())
    )


def _series(name: str, column: Any) -> pl.Series:
    if not pa.types.is_dictionary(column.type):
        return _values(name, column)
    parts = [_values(name, chunk.dictionary).gather(pl.Series(pl.from_arrow(chunk.indices))) for chunk in column.chunks]
    return pl.concat(parts) if parts else _values(name, pa.array([], column.type.value_type))


def _values(name: str, column: Any) -> pl.Series:
    if not any(is_type(column.type) for is_type in _IS_TAKEN):
        raise InputError(f"the column {name} is of the type {column.type}; send text, or instants in timestamp_utc")
    if pa.types.is_timestamp(column.type):
        column = _within_years(column)
    return pl.Series(name, pl.from_arrow(column))


def _within_years(column: Any) -> Any:
    """Leave out instants that others would take for wrong ones when they make them finer."""
    scale, whole = _PER_SECOND[column.type.unit], column.cast(pa.int64())
    first, last = (max(-(2**63), min(2**63 - 1, seconds * scale)) for seconds in _SECONDS)
    is_within = pc.and_(pc.greater_equal(whole, first), pc.less_equal(whole, last))
    utc = whole.cast(pa.timestamp(column.type.unit, "UTC"))  # whatever zone it is shown in
    return pc.if_else(is_within, utc, pa.scalar(None, utc.type))


def _may_be_plain(columns: list[pl.Series]) -> bool:
    store_id, status, timestamp = (column.dtype for column in columns)
    is_instant = timestamp == pl.String or isinstance(timestamp, pl.Datetime)
    return store_id == pl.String and status in {pl.String, pl.Boolean} and is_instant


def _records(columns: list[pl.Series]) -> list[Record]:
    texts = [as_text(column).to_list() for column in columns]
    return [
        (line, *(values if None not in values else NOTHING), joined(values), _lacking(values))
        for line, values in enumerate(zip(*texts, strict=True), 1)
    ]


def _lacking(values: tuple[str | None, ...]) -> str | None:
    for column, value in zip(POLLS_FORM.columns, values, strict=True):
        if value is None:
            return (
                f"{column} is null, or not in the years 1 to 9999" if column == "timestamp_utc" else f"{column} is null"
            )
    return None
