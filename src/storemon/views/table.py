"""An answer on a terminal: a table as wide as the terminal, and no longer than asked for."""

from datetime import datetime

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from storemon.views.answer import Answer, Legend
from storemon.views.forms import rounded

_UNITS = {"minutes": ("minutes",), "hours": ("hours",), "percent": ("%",), "number": ()}
_WIDEST = 40
"""Cells wider than this are folded."""


def draw_answer(console: Console, answer: Answer, *, top: int, in_order: bool = False) -> None:
    """Draw the first ``top`` rows, the worst first unless they are wanted ``in_order``; say how much more there is."""
    frame = answer.frame if in_order else answer.worst_first()
    shown = frame.head(top).select(answer.columns or frame.columns)
    key = None if answer.worst is None else answer.worst.column
    hidden = draw_table(console, shown, answer.legend, key=key) if len(shown) else 0
    draw_note(console, _note(answer, len(shown), in_order=in_order))
    if more := len(frame) - len(shown):
        draw_note(console, f"… {more:,} more: --top 0 or --out FILE")
    if hidden:
        draw_note(console, f"… {hidden:,} more columns: a wider terminal or --out FILE")


def draw_table(
    console: Console, frame: pl.DataFrame, legend: Legend, *, key: str | None = None, whole: bool = False
) -> int:
    """Draw a frame; tell how many of its columns found no room: some of the last, but not the ``key``.

    A ``whole`` one has all its columns, folded where they are too wide.

    Headings tell the measure, the window and the unit, one under the other; a window that all share stands above them.
    """
    shown = frame.with_columns(rounded(frame, legend))
    windows = {column.window for column in legend.values()}
    headings = {name: _heading(name, kind, legend, windows) for name, kind in shown.schema.items()}
    cells = {name: [_cell(value) for value in shown[name]] for name in shown.columns}
    widths = {name: _width([*headings[name], *cells[name]]) for name in shown.columns}
    fitting = list(widths) if whole else _fitting(widths, key, console.width)
    tallest = max(len(headings[name]) for name in fitting)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    table.title = Text(title, style="bold") if (title := "".join(windows)) and len(windows) == 1 else None
    for name in fitting:
        justify: JustifyMethod = "right" if shown.schema[name].is_numeric() else "left"
        above = tallest - len(headings[name])
        heading = Text("\n" * above + "\n".join(headings[name]))
        table.add_column(heading, justify=justify, max_width=widths[name], overflow="fold")
    for row in zip(*(cells[name] for name in fitting), strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    return len(widths) - len(fitting)


def draw_note(console: Console, note: str) -> None:
    """Draw a line that speaks of what was drawn."""
    console.print(Text(note, style="dim"), soft_wrap=True)


def printable(text: str) -> str:
    """Escape what a terminal would obey instead of showing it."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _note(answer: Answer, count: int, *, in_order: bool) -> str:
    total = len(answer.frame)
    counted = "no" if not total else f"{total:,}" if count == total else f"{count:,} of {total:,}"
    order = "" if in_order or answer.worst is None else f", {answer.worst}"
    return printable(f"{counted} {answer.rows} as of {answer.as_of:%Y-%m-%d %H:%M:%S} UTC{order if total > 1 else ''}")


def _heading(name: str, kind: pl.DataType, legend: Legend, windows: set[str]) -> list[str]:
    if name in legend:
        column = legend[name]
        window = column.window if len(windows) > 1 else ""
        return [printable(line) for line in (column.measure, window, column.side, *_UNITS[column.unit]) if line]
    return [printable(name), *(["UTC"] if isinstance(kind, pl.Datetime) and kind.time_zone else [])]


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case _:
            return printable(str(value))


def _width(lines: list[str]) -> int:
    return min(max(map(cell_len, lines)), _WIDEST)


def _fitting(widths: dict[str, int], key: str | None, width: int) -> list[str]:
    """Choose as many columns as fit beside each other, two spaces apart: the first and the key in any case."""
    first, *others = widths
    chosen = {first, *([key] if key else [])}
    for name in others:
        if sum(2 + widths[each] for each in chosen | {name}) - 2 > width and len(chosen) > 1:
            break
        chosen.add(name)
    return [name for name in widths if name in chosen]
