"""The records as rows of text, a line of JSON each: so that those of one kind of database can be put into another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, insert, select

from storemon.errors import FileError
from storemon.records.database import at_one_moment
from storemon.records.jobs import complete_reports, pinned_versions
from storemon.records.tables import METADATA

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
        for table in METADATA.sorted_tables:
            file = lines[table.name] = stack.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
            rows[table.name] = 0
            for row in connection.execute(select(table)).mappings():
                file.write(msgspec.json.encode(dict(row)) + b"\n")
                rows[table.name] += 1
        return Recorded(lines, rows, complete_reports(connection), pinned_versions(connection))


def insert_lines(connection: Connection, name: str, pieces: Iterable[bytes]) -> None:
    """Insert the rows of a table. Of an older format, they lack the columns that came since: these are as by default.

    Raises:
        FileError: a row cannot be read, or has columns that are not known.
        SQLAlchemyError: it cannot be written.

    """
    table = METADATA.tables[name]
    rows = _rows(name, pieces)
    while batch := list(islice(rows, _AT_ONCE)):
        connection.execute(insert(table), batch)


def any_recorded(connection: Connection) -> str | None:
    """Name a table that has rows, None if none has.

    Raises:
        SQLAlchemyError: the records cannot be read.

    """
    found = (table.name for table in METADATA.sorted_tables if connection.execute(select(table).limit(1)).first())
    return next(found, None)


def _rows(name: str, pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    known = METADATA.tables[name].columns.keys()
    for line in _lines(pieces):
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise FileError(f"a row of the table {name!r} in this backup cannot be read: {error}") from error
        if odd := row.keys() - known:
            raise FileError(f"the table {name!r} in this backup has a column {min(odd)!r}; take a newer storemon")
        yield row


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest
