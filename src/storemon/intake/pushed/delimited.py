"""CSV with a header, in any of the delimiters that files may have."""

import io
from collections.abc import Iterator

import polars as pl

from storemon.errors import InputError
from storemon.intake.files.header import DELIMITERS, Header, names_of
from storemon.intake.files.records import Lines, records_in
from storemon.intake.forms.columns import called, places
from storemon.intake.forms.known import POLLS_FORM
from storemon.intake.pushed.bounds import require_clear
from storemon.intake.pushed.careful import Record, judge_records
from storemon.intake.pushed.plain import plain
from storemon.intake.pushed.polls import Pushed


def read_csv(body: bytes, horizon: int) -> Pushed:
    """Read records under a header.

    Raises:
        InputError: there is no header, or one that lacks a column, has too many, or one twice.

    """
    text = body.decode()
    header = _header(text)
    raw = _plain_records(text, header)
    polls = None if raw is None else plain(raw, horizon)
    return judge_records(_records(text, header), horizon) if polls is None else Pushed.all_of(polls)


def _header(text: str) -> Header:
    if "\0" in text:
        raise InputError("the body is not a CSV: there is binary data in it; send text in UTF-8")
    read = {delimiter: names_of(io.StringIO(text, newline=""), delimiter) for delimiter in DELIMITERS}
    delimiter, (names, lines) = max(read.items(), key=lambda of: len(of[1][0]))
    require_clear(names)
    found = places(POLLS_FORM.columns, names, {})
    positions = tuple(at for at in found if at is not None)
    if len(positions) < len(found):
        lacking = " and none called ".join(
            called(column) for column, at in zip(POLLS_FORM.columns, found, strict=True) if at is None
        )
        there = "".join(filter(str.isprintable, ", ".join(names)[:300])) or "none"
        raise InputError(
            f"the body has no column called {lacking}; its first line must be a header, like "
            f"{','.join(POLLS_FORM.columns)}; its columns are: {there}"
        )
    return Header(POLLS_FORM, tuple(names), positions, lines, delimiter)


def _plain_records(text: str, header: Header) -> pl.DataFrame | None:
    """Split lines without a quote, if all of them have as many fields as the header."""
    plain_text = text.replace("\r\n", "\n")
    if '"' in text or "\r" in plain_text:
        return None
    lines = pl.Series("line", [line for line in plain_text.split("\n")[header.lines :] if line], pl.String)
    width = len(header.names)
    if (lines.str.count_matches(header.delimiter, literal=True) != width - 1).any():
        return None
    fields = lines.str.split_exact(header.delimiter, width - 1).struct
    return pl.DataFrame(
        [fields.field(f"field_{at}").alias(name) for name, at in zip(POLLS_FORM.raw, header.positions, strict=True)]
    )


def _records(text: str, header: Header) -> Iterator[Record]:
    return records_in(Lines(io.StringIO(text, newline="")), header)
