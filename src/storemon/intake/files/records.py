"""The records of a CSV one by one, with care: each with its line and its text, the damaged ones with what is wrong.

A record is a line, or several where a quoted field goes on over line ends. A quote that is never closed damages its own
line only, not the rest of the file.
"""

import io
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from storemon.errors import FileError
from storemon.intake.files.header import Header, StrayQuoteError, UnclosedQuoteError, fields_of, without_end
from storemon.intake.files.opened import BROKEN, open_binary

_LONGEST_RECORD = 100  # lines that a quoted field may go on for; past that its quote counts as never closed

_BLANK = frozenset(("\n", "\r\n", "\r"))

Record = tuple[int, *tuple[str | None, ...]]
"""The number of its first line (from 1), the text of each column the form needs, the row as it stood, the damage."""


def records(path: Path, header: Header) -> Iterator[Record]:
    """Yield every record after the header; lines without a character are none.

    Raises:
        FileError: the file can't be read to its end.

    """
    with open_binary(path) as file:
        lines = Lines(io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=""))
        try:
            yield from records_in(lines, header)
        except BROKEN as error:
            raise FileError(f"{path} cannot be read past line {lines.number}: {error}") from error


def records_in(lines: "Lines", header: Header) -> Iterator[Record]:
    """Yield every record after the header of a text that stands at its beginning."""
    nothing, width = (None,) * len(header.positions), len(header.names)
    for _ in range(header.lines):
        lines.take()
    while (line := lines.take()) is not None:
        number = lines.number
        if line in _BLANK:
            continue
        fields, row, damage = _fields(line, lines, header.delimiter)
        if not (row.isascii() or _is_utf8(row)):
            row, damage = row.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), "not UTF-8"
        if damage is None and (len(fields) < width or any(fields[width:])):
            damage = f"{len(fields)} fields where the header has {width}"
        yield number, *(nothing if damage else (fields[at] for at in header.positions)), row, damage


class Lines:
    """The lines of a text with their ends, with a look ahead."""

    def __init__(self, text: Iterator[str]) -> None:
        self.text = text
        self.ahead: deque[str] = deque()
        self.number = 0

    def take(self) -> str | None:
        """Give the next line, None past the last one."""
        line = self.ahead.popleft() if self.ahead else next(self.text, None)
        self.number += line is not None
        return line

    def peek(self, count: int) -> list[str]:
        """Give the next lines, and leave them where they are."""
        self.ahead.extend(islice(self.text, max(0, count - len(self.ahead))))
        return list(islice(self.ahead, count))


def _fields(line: str, lines: Lines, delimiter: str) -> tuple[list[str], str, str | None]:
    """Split a record into its fields, taking the lines it goes on over; give its whole text and what is damaged."""
    row = without_end(line)
    try:
        return fields_of(row, delimiter), row, None
    except StrayQuoteError:
        return [], row, "a quote is closed in the middle of a field"
    except UnclosedQuoteError:
        whole = line
    for count, following in enumerate(lines.peek(_LONGEST_RECORD), 1):
        whole += following
        if '"' not in following:
            continue
        try:
            fields = fields_of(without_end(whole), delimiter)
        except UnclosedQuoteError:
            continue
        except StrayQuoteError:
            break
        for _ in range(count):
            lines.take()
        return fields, without_end(whole), None
    return [], row, "a quote is opened and never closed"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
