"""How much an Arrow IPC stream unpacks to, found out before anything of it is unpacked.

Each compressed buffer begins with the length that it unpacks to, and the reader refuses one that has another. Where the
buffers lie stands in a batch's head, a FlatBuffers table, which the reader has proved to be a sound one:
https://arrow.apache.org/docs/format/Columnar.html#compression
"""

from collections.abc import Iterator
from struct import unpack_from

import pyarrow as pa

from storemon.errors import InputError
from storemon.intake.pushed.bounds import too_many

_HEADER, _DATA, _LENGTH, _BUFFERS, _COMPRESSION = 2, 1, 0, 2, 3
"""The places of fields in their tables: of a message, a dictionary's batch, and a record batch."""
_ROW_BYTES = 8
"""What a row counts for at the least: those of nulls have no bytes at all."""


class TooMuchError(InputError):
    """A body unpacks to more than it may."""


def require_room(body: bytes, most: int, most_rows: int | None = None) -> None:
    """Refuse a stream that unpacks to more than ``most`` bytes, or has more than ``most_rows``.

    Raises:
        TooMuchError: it does unpack to more.
        InputError: it has more rows.
        ArrowException, struct.error: it is no stream, or a damaged one.

    """
    size = polls = 0
    for message in pa.ipc.MessageReader.open_stream(body):
        if message.type in {"record batch", "dictionary"}:
            rows, buffers = _batch(message)
            polls += rows if message.type == "record batch" else 0
            size += max(rows * _ROW_BYTES, sum(buffers))
        if size > most:
            raise too_much(most)
        if most_rows is not None and polls > most_rows:
            raise too_many(most_rows)


def too_much(most: int) -> TooMuchError:
    """Say that a body unpacks to too much."""
    return TooMuchError(f"the body unpacks to more than {most / 1e6:,.0f} MB; send less at once")


def _batch(message: pa.ipc.Message) -> tuple[int, Iterator[int]]:
    """Give the rows of a batch, and the bytes of each of its buffers once it is unpacked."""
    head = message.metadata.to_pybytes()
    batch = _follow(head, _field(head, _follow(head, 0), _HEADER))
    if message.type == "dictionary":
        batch = _follow(head, _field(head, batch, _DATA))
    length, buffers = _field(head, batch, _LENGTH), _field(head, batch, _BUFFERS)
    rows = unpack_from("<q", head, length)[0] if length else 0
    is_packed = bool(_field(head, batch, _COMPRESSION))
    return rows, _sizes(head, buffers, message.body.to_pybytes() if is_packed else None)


def _sizes(head: bytes, field: int, packed: bytes | None) -> Iterator[int]:
    if not field:
        return
    first = _follow(head, field)
    for nth in range(unpack_from("<I", head, first)[0]):
        offset, size = unpack_from("<qq", head, first + 4 + 16 * nth)
        unpacked = unpack_from("<q", packed, offset)[0] if packed and size else -1
        yield size if unpacked < 0 else unpacked  # which is -1 where it is not packed


def _follow(head: bytes, at: int) -> int:
    return at + int(unpack_from("<I", head, at)[0])


def _field(head: bytes, table: int, place: int) -> int:
    """Find where the field of a table is, 0 where it is not there."""
    fields = table - unpack_from("<i", head, table)[0]
    at = 4 + 2 * place
    offset = unpack_from("<H", head, fields + at)[0] if at < unpack_from("<H", head, fields)[0] else 0
    return table + offset if offset else 0
