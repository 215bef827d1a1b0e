"""The header of a CSV: what kind of file it is, and where the columns are that matter."""

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from storemon.errors import FileError
from storemon.intake.forms import FORMS, STORES_FORM, Form, stores_form
from storemon.intake.stores import not_tags

# The commonest first: of several that are as near it is the one that is named.
_KNOWN_BY_COLUMNS = [form for form in reversed(FORMS) if form is not STORES_FORM]


@dataclass(frozen=True)
class Header:
    """Which form a file has, how many columns, the position of each one the form needs, and how many lines it takes."""

    form: Form
    width: int
    positions: tuple[int, ...]
    lines: int


def read_header(path: Path, form: Form | None = None) -> Header:
    """Find the form's columns in the file's first record; without a ``form``, find the form too.

    The form of a stores.csv, which may have any columns, is made to fit; such a file is known by its name only.

    Raises:
        FileError: the file is missing, a folder, unreadable, binary, without a header, short of a column, has the
            columns of several forms, or a column that cannot be a tag.

    """
    head = head_of(path)
    if b"\0" in head:
        raise FileError(f"{path} is not a CSV: there is binary data in it; save it as text in UTF-8")
    names, lines = _names(io.StringIO(head.decode("utf-8-sig", "replace"), newline=""))
    if not any(names):
        raise FileError(f"{path} is empty; its first line must name the columns")
    if form is STORES_FORM and "store_id" in names:
        form = _form_of_stores(path, names)
    matching: list[Header] = []
    lacking: dict[str, list[str]] = {}
    for candidate in (form,) if form else _KNOWN_BY_COLUMNS:
        found = [
            next((names.index(alias) for alias in aliases if alias in names), None) for aliases in candidate.columns
        ]
        positions = tuple(position for position in found if position is not None)
        if len(positions) == len(found):
            matching.append(Header(candidate, len(names), positions, lines))
        lacking[candidate.file_name] = [
            " or ".join(aliases) for aliases, position in zip(candidate.columns, found, strict=True) if position is None
        ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        could_be = " or ".join(header.form.file_name for header in matching)
        raise FileError(f"{path} has the columns of several files; name it {could_be} to say what it is")
    width = {candidate.file_name: len(candidate.columns) for candidate in FORMS}
    nearest = min(lacking, key=lambda name: (len(lacking[name]) - width[name], len(lacking[name])))
    there = "".join(filter(str.isprintable, ", ".join(names)[:300]))
    of_tags = "" if form or "store_id" not in names else f" (a file of stores' tags is called {STORES_FORM.file_name})"
    raise FileError(
        f"{path} has no column {' and none called '.join(lacking[nearest])}, which a {nearest} must have; "
        f"its columns are: {there}{of_tags}"
    )


def _form_of_stores(path: Path, names: list[str]) -> Form:
    tags = list(names)
    tags.remove("store_id")
    if wrong := not_tags(tags):
        raise FileError(f"{path}: {wrong}")
    return stores_form(tags)


class StrayQuoteError(ValueError):
    """A quoted field is followed by something other than a comma or the record's end."""


class UnclosedQuoteError(ValueError):
    """A text ends inside a quoted field."""


# DuckDB's rules, so that it makes no difference which of the two reads a file: one space may stand before a quoted
# field and any number after it; a quote elsewhere is a character like others.
_OPENING = re.compile(r' ?"')
_QUOTED = re.compile(r' ?"([^"]*+(?:" *+"[^"]*+)*+)" *+(,|\Z)')
_UNCLOSED = re.compile(r' ?"[^"]*+(?:" *+"[^"]*+)*+\Z')
_ESCAPED = re.compile(r'"(.?)', re.DOTALL)


def fields_of(text: str) -> list[str]:
    """Split a record, without the line end behind it, into its fields.

    Raises:
        StrayQuoteError: it is no CSV.
        UnclosedQuoteError: more lines may make it one.

    """
    if '"' not in text:
        return text.split(",")
    fields, at, more = [], 0, True
    while more:
        if quoted := _QUOTED.match(text, at):
            fields.append(_ESCAPED.sub(r"\1", quoted[1]))
            at, more = quoted.end(), quoted[2] == ","
        elif _OPENING.match(text, at):
            raise (UnclosedQuoteError if _UNCLOSED.match(text, at) else StrayQuoteError)(text)
        else:
            comma = text.find(",", at)
            more = comma >= 0
            fields.append(text[at:comma] if more else text[at:])
            at = comma + 1
    return fields


def without_end(lines: str) -> str:
    """Take the line end off."""
    return lines.removesuffix("\n").removesuffix("\r")


def _names(lines: Iterator[str]) -> tuple[list[str], int]:
    """Read the names in the first record, and how many lines it takes."""
    first = text = next(lines, "")
    for count in range(1, 100):
        try:
            return [name.strip() for name in fields_of(without_end(text))], count
        except UnclosedQuoteError:
            text += next(lines, "")
        except StrayQuoteError:
            break
    return [name.strip() for name in without_end(first).split(",")], 1


def open_binary(path: Path) -> IO[bytes]:
    """Open a CSV, plain or gzipped."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def head_of(path: Path) -> bytes:
    """Read the first 64 KiB.

    Raises:
        FileError: the file is missing, a folder or unreadable.

    """
    try:
        with open_binary(path) as file:
            return file.read(1 << 16)
    except FileNotFoundError:
        raise FileError(f"{path} does not exist; check the name (storemon sample DIR writes samples)") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder where a CSV file should be") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}") from error
