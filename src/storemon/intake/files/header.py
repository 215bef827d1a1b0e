"""The header of a file: what kind of table it is, and where the columns are that matter."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storemon.errors import FileError
from storemon.intake.files.opened import head_of
from storemon.intake.forms.columns import called, other_names, places
from storemon.intake.forms.known import FORMS, STORES_FORM, Form, stores_form
from storemon.intake.forms.tags import not_tags

# The commonest first: of several that are as near it is the one that is named.
_KNOWN_BY_COLUMNS = [form for form in reversed(FORMS) if form is not STORES_FORM]
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Header:
    """The first record of a file.

    Attributes:
        form: which form the file has.
        names: its columns.
        positions: the place of each one that the form needs.
        lines: how many lines the header takes.
        delimiter: what stands between two fields of a text.

    """

    form: Form
    names: tuple[str, ...]
    positions: tuple[int, ...]
    lines: int = 0
    delimiter: str = ","

    @property
    def other_names(self) -> dict[str, str]:
        """The columns that were found under another name: that name by the column's own."""
        return other_names(self.found)

    @property
    def found(self) -> dict[str, str]:
        """The columns that the form needs: the name in the file by the column's own."""
        return {column: self.names[at] for column, at in zip(self.form.columns, self.positions, strict=True)}


def read_header(path: Path, form: Form | None, told: Mapping[str, str]) -> Header:
    """Find the form's columns in a text's first record; without a ``form``, find the form too.

    Raises:
        FileError: see `header_of`; or the file is missing, a folder, unreadable, binary or without a header.

    """
    head = head_of(path)
    if "\0" in head:
        raise FileError(f"{path} is not a CSV: there is binary data in it; save it as text in UTF-8")
    read = {delimiter: names_of(io.StringIO(head, newline=""), delimiter) for delimiter in DELIMITERS}
    found: FileError | None = None
    for delimiter, (names, lines) in sorted(read.items(), key=lambda of: -len(of[1][0])):
        try:
            return header_of(path, names, form, told, lines=lines, delimiter=delimiter)
        except FileError as error:
            found = found or error
    raise found or FileError(f"{path} is empty")


def header_of(
    path: Path,
    names: Sequence[str],
    form: Form | None,
    told: Mapping[str, str],
    *,
    lines: int = 0,
    delimiter: str = ",",
) -> Header:
    """Find the form's columns among names; without a ``form``, find the form too.

    The form of a stores.csv, which may have any columns, is made to fit; such a file is known by its name only.

    Raises:
        FileError: the file is short of a column, has the columns of several forms, or a column that cannot be a tag.

    """
    if not any(names):
        raise FileError(f"{path} is empty; its first line must name the columns")
    at_store = places(STORES_FORM.columns, names, told)[0]
    if form is STORES_FORM and at_store is not None:
        tags = [name for at, name in enumerate(names) if at != at_store]
        if wrong := not_tags(tags):
            raise FileError(f"{path}: {wrong}")
        positions = (at_store, *(at for at in range(len(names)) if at != at_store))
        return Header(stores_form(tags), tuple(names), positions, lines, delimiter)
    matching: list[Header] = []
    lacking: dict[Form, list[str]] = {}
    for candidate in (form,) if form else _KNOWN_BY_COLUMNS:
        found = places(candidate.columns, names, told)
        positions = tuple(position for position in found if position is not None)
        if len(positions) == len(found):
            matching.append(Header(candidate, tuple(names), positions, lines, delimiter))
        lacking[candidate] = [called(column) for column, at in zip(candidate.columns, found, strict=True) if at is None]
    if len(matching) == 1:
        return matching[0]
    if matching:
        could_be = " or ".join(header.form.file_name for header in matching)
        raise FileError(f"{path} has the columns of several files; name it {could_be} to say what it is")
    nearest = min(lacking, key=lambda form: (len(lacking[form]) - len(form.columns), len(lacking[form])))
    there = "".join(filter(str.isprintable, ", ".join(names)[:300]))
    of_tags = "" if form or at_store is None else f" (a file of stores' tags is called {STORES_FORM.file_name})"
    first = lacking[nearest][0].split()[0]
    raise FileError(
        f"{path} has no column {' and none called '.join(lacking[nearest])}, which a {nearest.file_name} must have; "
        f'its columns are: {there}{of_tags}; if one is called otherwise, name it: --column {first}="…"'
    )


class StrayQuoteError(ValueError):
    """A quoted field is followed by something other than a delimiter or the record's end."""


class UnclosedQuoteError(ValueError):
    """A text ends inside a quoted field."""


# DuckDB's rules, so that it makes no difference which of the two reads a file: one space may stand before a quoted
# field and any number after it; a quote elsewhere is a character like others.
_OPENING = re.compile(r' ?"')
_QUOTED = {mark: re.compile(rf' ?"([^"]*+(?:" *+"[^"]*+)*+)" *+({re.escape(mark)}|\Z)') for mark in DELIMITERS}
_UNCLOSED = re.compile(r' ?"[^"]*+(?:" *+"[^"]*+)*+\Z')
_ESCAPED = re.compile(r'"(.?)', re.DOTALL)


def fields_of(text: str, delimiter: str = ",") -> list[str]:
    """Split a record, without the line end behind it, into its fields.

    Raises:
        StrayQuoteError: it is no CSV.
        UnclosedQuoteError: more lines may make it one.

    """
    if '"' not in text:
        return text.split(delimiter)
    fields, at, more = [], 0, True
    while more:
        if quoted := _QUOTED[delimiter].match(text, at):
            fields.append(_ESCAPED.sub(r"\1", quoted[1]))
            at, more = quoted.end(), quoted[2] == delimiter
        elif _OPENING.match(text, at):
            raise (UnclosedQuoteError if _UNCLOSED.match(text, at) else StrayQuoteError)(text)
        else:
            end = text.find(delimiter, at)
            more = end >= 0
            fields.append(text[at:end] if more else text[at:])
            at = end + 1
    return fields


def without_end(lines: str) -> str:
    """Take the line end off."""
    return lines.removesuffix("\n").removesuffix("\r")


def joined(values: Sequence[str | None]) -> str:
    """Write values as a row of a CSV."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(values)
    return written.getvalue()


def names_of(lines: Iterator[str], delimiter: str) -> tuple[list[str], int]:
    """Read the names in the first record, and how many lines it takes."""
    first = text = next(lines, "")
    for count in range(1, 100):
        try:
            return [name.strip() for name in fields_of(without_end(text), delimiter)], count
        except UnclosedQuoteError:
            text += next(lines, "")
        except StrayQuoteError:
            break
    return [name.strip() for name in without_end(first).split(delimiter)], 1
