"""The records as rows of text, a line of JSON each: so that those of one kind of database can be put into another.

Leases are left out: who may do something now, nobody may after a restore.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, LargeBinary, insert, select

from storemon.errors import FileError
from storemon.records.database import at_one_moment
from storemon.records.jobs import complete_reports, pinned_versions
from storemon.records.tables import INBOX, LEASES, METADATA

KEPT = {table.name: table for table in METADATA.sorted_tables if table is not LEASES}
"""The tables whose rows are in a backup, by their names."""

_IN_MEMORY = 1 << 24
_AT_ONCE = 1000  # rows that are inserted


class Recorded(NamedTuple):
    """The records at one moment."""

    lines: Mapping[str, IO[bytes]]
    """The rows of each table, in a temporary file."""
    rows: Mapping[str, int]
    """How many rows each table has."""
    reports: Sequence[str]
    """The ids of the reports that are complete."""
    versions: Sequence[Mapping[str, int]]
    """Of the lake's tables, those that reports name."""


def recorded(records: Engine, stack: ExitStack) -> Recorded:
    """Read all records at one moment; their lines are there as long as the stack is.

    Raises:
        SQLAlchemyError: they cannot be read.

    """
    lines: dict[str, IO[bytes]] = {}
    rows: dict[str, int] = {}
    with at_one_moment(records) as connection:
        for table in KEPT.values():
            file = lines[table.name] = stack.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
            rows[table.name] = 0
            for row in connection.execute(select(table).order_by(*table.primary_key)).mappings():
                file.write(msgspec.json.encode(dict(row)) + b"\n")
                rows[table.name] += 1
        return Recorded(lines, rows, complete_reports(connection), pinned_versions(connection))


def insert_lines(connection: Connection, name: str, pieces: Iterable[bytes]) -> None:
    """Insert the rows of a table. Of an older format, they lack the columns that came since: these are as by default.

    Raises:
        FileError: a row cannot be read, or has columns that are not known.
        SQLAlchemyError: it cannot be written.

    """
    table = KEPT[name]
    rows = _rows(name, pieces)
    while batch := list(islice(rows, _AT_ONCE)):
        connection.execute(insert(table), batch)


def any_recorded(connection: Connection) -> str | None:
    """Name a table that has rows, None if none has.

    Raises:
        SQLAlchemyError: the records cannot be read.

    """
    found = (table.name for table in KEPT.values() if connection.execute(select(table).limit(1)).first())
    return next(found, None)


def _rows(name: str, pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    table = KEPT[name]
    known = table.columns.keys()
    packed = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    for line in _lines(pieces):
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise FileError(f"a row of the table {name!r} in this backup cannot be read: {error}") from error
        if odd := row.keys() - known:
            raise FileError(f"the table {name!r} in this backup has a column {min(odd)!r}; take a newer storemon")
        for column in packed:
            row[column] = row[column] and _unpacked(name, row[column])
        if table is INBOX:
            row.pop("id", None)  # the database gives the next ones itself, and must not give one of these again
        yield row


def _unpacked(name: str, text: Any) -> bytes:
    try:
        return msgspec.convert(text, bytes)
    except msgspec.MsgspecError as error:
        raise FileError(f"a row of the table {name!r} in this backup cannot be read: {error}") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest
