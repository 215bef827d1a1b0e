"""Arrow streams that unpack to much more than they are: refused before they do."""

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import InputError
from storemon.intake.pushed.arrow_size import require_room
from storemon.intake.pushed.reading import read_polls
from tests.examples import examples
from tests.intake.pushed.bodies import NOW, SECOND, polls

MANY = 20_000
LONG = "x" * 100_000
PACKINGS = (None, "lz4", "zstd")


def stream(store_id: Any, packing: str | None = None, **others: Any) -> bytes:
    count = len(store_id)
    columns = {"store_id": store_id, "status": ["active"] * count, "timestamp_utc": [SECOND] * count} | others
    table = pa.table(columns)
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=packing)) as writer:
        writer.write_table(table, max_chunksize=7_000)
    return file.getvalue()


def coded(*texts: str, count: int = MANY, kind: Any = None) -> Any:
    places = pa.array([n % len(texts) for n in range(count)], pa.int8())
    return pa.DictionaryArray.from_arrays(places, pa.array(texts, kind))


def views(*texts: str, count: int = MANY) -> Any:
    """Make a column in which a text stands once, however many rows have it."""
    column = pl.Series(texts).gather([n % len(texts) for n in range(count)])
    return column.to_arrow(compat_level=pl.CompatLevel.newest())


def read(body: bytes, most: int = 10_000_000) -> list[tuple[str, Any, bool]]:
    return polls(read_polls(body, "arrow", now=NOW, most=most))


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(
    "column",
    [
        lambda: pa.array([LONG] * 200),
        lambda: pa.array([LONG] * 200, pa.large_string()),
        lambda: coded(LONG),
        lambda: coded("a", LONG, kind=pa.string_view()),
        lambda: coded(*[f"{n}{LONG}" for n in range(120)], count=120),
        lambda: views(LONG, "a"),
        lambda: pa.nulls(10_000_000),
    ],
    ids=["text", "large text", "coded", "coded views", "dictionary", "views", "nulls"],
)
def test_much_in_little_is_refused(packing: str | None, column: Callable[[], Any]) -> None:
    store_id = column()
    others = {} if len(store_id) <= MANY else dict.fromkeys(("status", "timestamp_utc"), store_id)
    body = stream(store_id, packing, **others)
    assert len(body) < 10_000_000 or packing is None
    with pytest.raises(InputError, match="the body unpacks to more than 10 MB; send less at once"):
        read(body)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("column", [pa.array(["a", "b"] * 10_000), coded("a", "b"), views("a", "b")])
def test_what_is_just_as_large_as_may_be_is_read(packing: str | None, column: Any) -> None:
    body = stream(column, packing)
    expected = [("a", SECOND, True), ("b", SECOND, True)] * 10_000
    assert read(body, most=1_000_000) == expected
    with pytest.raises(InputError, match="unpacks to more than"):
        read(body, most=150_000)  # of 20,000 rows with 8 bytes at the least


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_size_is_that_of_the_buffers(packing: str | None) -> None:
    plain = stream(pa.array(["abcdefgh"] * 1_000))
    buffers = 1_000 * (4 + 8 + 4 + 6 + 8) + 2 * 4
    body = stream(pa.array(["abcdefgh"] * 1_000), packing)
    require_room(body, buffers)
    with pytest.raises(InputError):
        require_room(body, buffers - 1)
    assert (len(body) < len(plain)) is bool(packing)


@pytest.mark.parametrize("packing", PACKINGS)
@given(damage=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4), cut=st.integers(0, 3_000))
@settings(max_examples=examples(100))
def test_damage_is_told(packing: str | None, damage: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(stream(coded("a", "b", count=20, kind=pa.string_view()), packing))
    for place, byte in damage:
        body[place % len(body)] = byte
    with suppress(InputError):  # and nothing else
        read(bytes(body[:cut] if cut % 5 == 0 else body), most=100_000)
