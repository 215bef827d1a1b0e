"""Rows of an answer as a person reads them in a mail: a few columns, each with its unit, every cell a text."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from storemon.views.answer import Answer, Legend
from storemon.views.forms import rounded

WORST = 5
"""So many of the worst rows are told."""

_UNITS = {"minutes": "minutes", "hours": "hours", "percent": "%", "number": ""}
_MOST_COLUMNS = 6
_LONGEST = 80  # signs of a cell


class Table(NamedTuple):
    """A table of texts. ``right`` says of each column whether it is set to the right, as numbers are."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    right: list[bool]

    def text(self) -> str:
        """Write it with signs of one width."""
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        set_ = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.right, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *(f"  {line}" for line in set_)])


def table_of(title: str, frame: pl.DataFrame, legend: Legend) -> Table:
    """Write a frame; what all columns have in common, a window say, its title tells."""
    windows = {column.window for column in legend.values()}
    shown = frame.with_columns(rounded(frame, _only(legend, frame)))
    headings = [_heading(name, kind, legend, many=len(windows) > 1) for name, kind in shown.schema.items()]
    right = [kind.is_numeric() for kind in shown.dtypes]
    return Table(title, headings, [[_cell(value) for value in row] for row in shown.iter_rows()], right)


def worst_of(answer: Answer, frame: pl.DataFrame) -> pl.DataFrame:
    """Choose the worst of some rows, and the columns to tell of them."""
    ordered = Answer([frame], answer.legend, answer.rows, answer.as_of, answer.worst).worst_first()
    return ordered.head(WORST)


def few_columns(answer: Answer, frame: pl.DataFrame) -> pl.DataFrame:
    """Choose the columns that there is room for: the first ones, and the one that says what is worst."""
    known, worst = list(answer.columns or frame.columns), answer.worst.column if answer.worst else ""
    if len(known) > _MOST_COLUMNS and worst in answer.legend:
        window = answer.legend[worst].window
        known = [name for name in known if name not in answer.legend or answer.legend[name].window == window]
    chosen = known[:_MOST_COLUMNS]
    if worst and worst not in chosen:
        chosen[-1] = worst
    return frame.select(chosen)


def order_of(answer: Answer) -> str:
    """Say how rows are sorted when the worst come first: ``most downtime first``."""
    if answer.worst is None or answer.worst.words:
        return str(answer.worst or "")
    column = answer.legend.get(answer.worst.column)
    return f"{answer.worst.way} {column.measure if column else answer.worst.column} first"


def _only(legend: Legend, frame: pl.DataFrame) -> Legend:
    return {name: column for name, column in legend.items() if name in frame.columns}


def _heading(name: str, kind: pl.DataType, legend: Legend, *, many: bool) -> str:
    if name not in legend:
        return f"{name} (UTC)" if isinstance(kind, pl.Datetime) and kind.time_zone else name
    column = legend[name]
    told = " ".join(filter(None, (column.measure, column.window if many else "", column.side)))
    return f"{told} ({unit})" if (unit := _UNITS[column.unit]) else told


def _cell(value: object) -> str:
    match value:
        case None | "":
            return "-" if value is None else "(none)"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case int():
            return f"{value:,}"
        case float() | Decimal():
            return f"{value:,.2f}"
        case _:
            text = "".join(sign if sign.isprintable() else " " for sign in str(value))
            return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
