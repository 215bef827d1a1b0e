"""Rows as a workbook for people: a sheet of real durations, percentages and dates, and one that says what they mean."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from storemon.errors import InputError
from storemon.views.answer import About, Column, Legend
from storemon.views.meanings import heading, is_signed, meaning

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576 - 1
"""The most rows that a sheet of a workbook has below its header."""
_SHEET_COLUMNS, _CELL = 16_384, 32_767  # and the most columns, and characters of a cell

_DAY_US = 86_400_000_000
_UNIT_US = {"minutes": 60_000_000, "hours": 3_600_000_000}
_EPOCH_DAY = 25_569  # the day 1970-01-01, as a sheet counts
_FIRST_DAY = 61  # of March 1900: the sheet's calendar has a day before it that never was
_NARROWEST, _WIDEST = 9, 44
_SHADES = {
    "type": "3_color_scale",
    "min_type": "num",
    "mid_type": "num",
    "max_type": "num",
    "min_value": 0.5,
    "mid_value": 0.95,
    "max_value": 1,
    "min_color": "#DD8A62",
    "mid_color": "#F7E0CF",
    "max_color": "#FFFFFF",
}
"""The same shade is the same availability in every workbook, and the darker the worse in print too."""
_SHADED = "Availability is shaded: white is 100 %, the darker the worse, the same in every workbook of storemon."


@dataclass(frozen=True)
class _Shown:
    """How a column is shown: its values as the sheet has them, its number format, and its least width."""

    name: str
    value: pl.Expr
    format: str = "General"
    width: int = _NARROWEST
    text: pl.Expr | None = None
    """What is written where the value is a date before a sheet's calendar begins."""


class _Formats(NamedTuple):
    header: "Format"
    title: "Format"
    section: "Format"
    label: "Format"
    wrapped: "Format"


def workbook(frames: Iterable[pl.DataFrame], legend: Legend, about: About) -> bytes:
    """Write rows into a workbook: the same bytes for the same rows.

    Lengths of time are numbers of days, shown as hours, minutes and seconds; those that may be below zero, which a sheet
    can't show so, are in the hours or minutes that their headings say. Percentages are shares. Instants are in UTC, or
    local, as their headings say. The rows are written as they come, beside the memory.

    Raises:
        InputError: there is more than a sheet holds, or what writes workbooks is not installed.

    """
    try:
        from xlsxwriter.workbook import Workbook  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise InputError("to write workbooks, install: pip install 'storemon[excel]'") from error
    buffer = io.BytesIO()
    with Workbook(buffer, {"constant_memory": True}) as book:
        book.set_properties({"title": "storemon", "created": about.as_of.replace(tzinfo=None)})
        sheet, formats = book.add_worksheet("storemon"), _formats(book)
        columns = _write_rows(book, sheet, formats, frames, legend)
        _write_about(book.add_worksheet("About"), formats, columns, legend, about)
    return buffer.getvalue()


def _formats(book: "Workbook") -> _Formats:
    top = {"valign": "top"}
    header = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#F1EFEA"}
    return _Formats(
        book.add_format(header),
        book.add_format({"bold": True, "font_size": 15}),
        book.add_format({"bold": True, "font_size": 12, "bottom": 1}),
        book.add_format(top | {"text_wrap": True}),
        book.add_format(top | {"text_wrap": True}),
    )


def _write_rows(
    book: "Workbook", sheet: "Worksheet", formats: _Formats, frames: Iterable[pl.DataFrame], legend: Legend
) -> dict[str, str]:
    """Write all rows below their headings; give the headings by the names of their columns."""
    count, headings, shown, widths = 0, dict[str, str](), list[_Shown](), list[int]()
    of_columns: list[Format] = []
    for frame in frames:
        if not shown:
            headings = {name: heading(name, kind, legend) for name, kind in frame.schema.items()}
            _require(len(headings), _SHEET_COLUMNS, "columns")
            shown = [_shown(name, kind, legend.get(name)) for name, kind in frame.schema.items()]
            of_columns = [book.add_format({"num_format": column.format}) for column in shown]
            widths = [max(column.width, *map(len, headings[column.name].split())) for column in shown]
            _write_header(sheet, formats.header, [*headings.values()], widths)
        _require(count + len(frame), SHEET_ROWS, "rows")
        for place, row in enumerate(_values(frame, shown), count + 1):
            for column, value in enumerate(row):
                if value is not None:
                    _write(sheet, place, column, value, of_columns[column])
        widths = [max(width, _longest(frame[column.name])) for width, column in zip(widths, shown, strict=True)]
        count += len(frame)
    _finish(sheet, shown, legend, widths, count)
    return headings


def _shown(name: str, kind: pl.DataType, column: Column | None) -> _Shown:
    value = pl.col(name)
    if isinstance(kind, pl.Duration):
        if column is not None and is_signed(column):
            return _Shown(name, value.to_physical() / _UNIT_US[column.unit], "#,##0.00", 11)
        return _Shown(name, value.to_physical() / _DAY_US, "[h]:mm:ss", 12)
    if column is not None and column.unit == "percent":
        if is_signed(column):
            return _Shown(name, value.cast(pl.Float64), "+0.00;-0.00;0.00", 11)
        return _Shown(name, (value * 100).cast(pl.Int64) / 10_000, "0.00%", 11)
    if isinstance(kind, pl.Decimal):
        return _Shown(name, value.cast(pl.Float64), "#,##0.00", 10)
    if isinstance(kind, pl.Datetime):
        days = value.dt.timestamp("us") / _DAY_US + _EPOCH_DAY
        text = value.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("%.6fZ" if kind.time_zone else ""))
        return _Shown(name, days, "yyyy-mm-dd hh:mm:ss", 19, text)
    if kind == pl.Date:
        return _Shown(name, value.to_physical() + _EPOCH_DAY, "yyyy-mm-dd", 11, value.cast(pl.String))
    return _Shown(name, value, "#,##0" if kind.is_integer() else "General")


def _values(frame: pl.DataFrame, shown: Sequence[_Shown]) -> Iterator[tuple[Any, ...]]:
    """Give the rows as the sheet has them."""
    values = frame.select(column.value.alias(column.name) for column in shown)
    lists = [each.to_list() for each in values.get_columns()]
    for place, column in enumerate(shown):
        if column.text is not None and values.select((pl.col(column.name) < _FIRST_DAY).any()).item():
            texts = frame.select(column.text).to_series()
            lists[place] = [
                text if day is not None and day < _FIRST_DAY else day
                for day, text in zip(lists[place], texts, strict=True)
            ]
    return zip(*lists, strict=True)


def _write(sheet: "Worksheet", row: int, column: int, value: str | float, shown: "Format") -> None:
    if isinstance(value, str):
        _require(len(value), _CELL, "characters in a text")
        sheet.write_string(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    else:
        sheet.write_number(row, column, value, shown)


def _longest(values: pl.Series) -> int:
    if values.dtype != pl.String or values.is_empty():
        return 0
    longest = values.str.len_chars().max()
    return min(longest + 2, _WIDEST) if isinstance(longest, int) else 0


def _write_header(sheet: "Worksheet", shown: "Format", headings: Sequence[str], widths: Sequence[int]) -> None:
    lines = max((ceil(1.3 * len(each) / width) for each, width in zip(headings, widths, strict=True)), default=1)
    sheet.set_row(0, 15 * lines + 6)
    for place, each in enumerate(headings):
        sheet.write_string(0, place, each, shown)


def _finish(sheet: "Worksheet", shown: Sequence[_Shown], legend: Legend, widths: Sequence[int], count: int) -> None:
    """Freeze, filter, shade and set what is printed."""
    for place, (column, width) in enumerate(zip(shown, widths, strict=True)):
        sheet.set_column(place, place, width + 1)
        told = legend.get(column.name)
        if told is not None and told.measure == "availability" and not is_signed(told) and count:
            sheet.conditional_format(1, place, count, place, _SHADES)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, count, max(len(shown) - 1, 0))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _write_about(sheet: "Worksheet", formats: _Formats, headings: dict[str, str], legend: Legend, about: About) -> None:
    """Say what the file is of, and what each column means."""
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, "About this file", formats.title)
    meanings = {shown: meaning(name, legend) for name, shown in headings.items()}
    sections = {
        "What it is of": about.facts,
        "What the columns mean": meanings,
        "How the figures are made": _notes(legend),
    }
    row = 2
    for title, lines in sections.items():
        if not lines:
            continue
        sheet.write_string(row, 0, title, formats.section)
        sheet.write_string(row, 1, "", formats.section)
        for row, (label, words) in enumerate(lines.items(), row + 1):
            sheet.write_string(row, 0, label[:_CELL], formats.label)
            sheet.write_string(row, 1, words[:_CELL], formats.wrapped)
        row += 2


def _notes(legend: Legend) -> dict[str, str]:
    measures = {column.measure for column in legend.values()}
    if not measures:
        return {}
    shaded = {"Colours": _SHADED} if "availability" in measures else {}
    return {
        "Opening hours": "Only time in which a store is open by its hours counts, by its own clocks.",
        "Sums": "Uptime + downtime + unknown is the service time, to the microsecond.",
        "Lengths of time": "They are numbers, shown as hours:minutes:seconds, so that they can be added up. Those that may "
        "be below zero are in the unit that their heading names.",
        "Percentages": "They are rounded down, so that an outage never shows as 100 %. A group's are of its stores' sums, "
        "never a mean of percentages. They are empty where nothing is known.",
    } | shaded


def _require(count: int, most: int, what: str) -> None:
    if count > most:
        raise InputError(
            f"there are {count:,} {what} or more, and a sheet has {most:,} at the most; choose csv or parquet"
        )
