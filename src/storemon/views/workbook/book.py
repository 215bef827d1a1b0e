"""The workbook itself: its sheets, how they look on a screen and in print, and what fits into them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import polars as pl

from storemon.errors import InputError
from storemon.views.answer import About, Legend
from storemon.views.workbook import cells
from storemon.views.workbook.meanings import heading, is_signed, sections

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 1_048_576 - 1
"""The most rows that a sheet of a workbook has below its header."""
_SHEET_COLUMNS, _CELL = 16_384, 32_767  # and the most columns, and characters of a cell
_WIDEST = 44  # characters

_BOLD: dict[str, Any] = {"bold": True}
_HEADER = _BOLD | {"text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#F1EFEA"}
_TITLE, _SECTION = _BOLD | {"font_size": 15}, _BOLD | {"font_size": 12, "bottom": 1}
_WRAPPED = {"text_wrap": True, "valign": "top"}
_SHADES = (
    {"type": "3_color_scale"}
    | dict.fromkeys(("min_type", "mid_type", "max_type"), "num")
    | {"min_value": 0.5, "mid_value": 0.95, "max_value": 1}
    | {"min_color": "#DD8A62", "mid_color": "#F7E0CF", "max_color": "#FFFFFF"}
)
"""The same shade is the same availability in every workbook, and the darker the worse in print too."""


def workbook(frames: Iterable[pl.DataFrame], legend: Legend, about: About) -> bytes:
    """Write rows into a workbook: the same bytes for the same rows. They are written as they come, beside the memory.

    Lengths of time are numbers, shown as hours, minutes and seconds; those that may be below zero are in the hours or
    minutes that their headings say. Percentages are shares. Instants are in UTC, or local, as their headings say. Dates
    before March 1900 are text, and so is all text.

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
        headings = _write_rows(book, book.add_worksheet("storemon"), frames, legend)
        _write_about(book, book.add_worksheet("About"), sections(headings, legend, about))
    return buffer.getvalue()


def _write_rows(book: Any, sheet: "Worksheet", frames: Iterable[pl.DataFrame], legend: Legend) -> dict[str, str]:
    """Write all rows below their headings; give the headings by the names of their columns."""
    count, headings, columns, widths = 0, dict[str, str](), list[cells.Shown](), list[int]()
    formats: list[Format] = []
    for frame in frames:
        if not columns:
            headings = {name: heading(name, kind, legend) for name, kind in frame.schema.items()}
            _require(len(headings), _SHEET_COLUMNS, "columns")
            columns = [cells.shown(name, kind, legend.get(name)) for name, kind in frame.schema.items()]
            formats = [book.add_format({"num_format": column.format}) for column in columns]
            widths = [max(column.width, *map(len, headings[column.name].split())) for column in columns]
            _write_header(sheet, book.add_format(_HEADER), [*headings.values()], widths)
        _require(count + len(frame), SHEET_ROWS, "rows")
        for row, values in enumerate(cells.rows(frame, columns), count + 1):
            for place, value in enumerate(values):
                if value is not None:
                    _write(sheet, row, place, value, formats[place])
        widths = [max(width, _longest(frame[column.name])) for width, column in zip(widths, columns, strict=True)]
        count += len(frame)
    for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.set_column(place, place, width + 1)
        told = legend.get(column.name)
        if told is not None and told.measure == "availability" and not is_signed(told) and count:
            sheet.conditional_format(1, place, count, place, _SHADES)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, count, max(len(columns) - 1, 0))
    sheet.repeat_rows(0)
    _set_page(sheet)
    return headings


def _write(sheet: "Worksheet", row: int, column: int, value: str | float, shown: "Format") -> None:
    if isinstance(value, str):
        _require(len(value), _CELL, "characters in a text")
        sheet.write_string(row, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    else:
        sheet.write_number(row, column, value, shown)


def _longest(values: pl.Series) -> int:
    longest = values.str.len_chars().max() if values.dtype == pl.String else None
    return min(longest + 2, _WIDEST) if isinstance(longest, int) else 0


def _write_header(sheet: "Worksheet", shown: "Format", headings: Sequence[str], widths: Sequence[int]) -> None:
    lines = max((ceil(1.3 * len(each) / width) for each, width in zip(headings, widths, strict=True)), default=1)
    sheet.set_row(0, 15 * lines + 6)
    for place, each in enumerate(headings):
        sheet.write_string(0, place, each[:_CELL], shown)


def _write_about(book: Any, sheet: "Worksheet", told: Mapping[str, Mapping[str, str]]) -> None:
    """Say what the file is of, and what each column means."""
    section, wrapped = book.add_format(_SECTION), book.add_format(_WRAPPED)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, "About this file", book.add_format(_TITLE))
    row = 2
    for title, lines in told.items():
        for label, words, shown in ((title, "", section), *((*line, wrapped) for line in lines.items())):
            sheet.write_string(row, 0, label[:_CELL], shown)
            sheet.write_string(row, 1, words[:_CELL], shown)
            row += 1
        row += 1
    _set_page(sheet)


def _set_page(sheet: "Worksheet") -> None:
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _require(count: int, most: int, what: str) -> None:
    if count > most:
        raise InputError(f"there are {count:,} {what} or more, and a sheet has {most:,} at the most; choose csv")
