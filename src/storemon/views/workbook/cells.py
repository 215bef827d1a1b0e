"""The values of a sheet: real lengths of time, percentages and dates, as numbers with a format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from storemon.views.answer import Column
from storemon.views.workbook.meanings import is_signed

_DAY_US = 86_400_000_000
_UNIT_US = {"minutes": 60_000_000, "hours": 3_600_000_000}
_EPOCH_DAY = 25_569  # the day 1970-01-01, as a sheet counts
_FIRST_DAY = 61  # the first of March 1900: the sheet's calendar has a day before it that never was


@dataclass(frozen=True)
class Shown:
    """How a column is shown.

    Attributes:
        name: the column's.
        value: what the sheet has of it.
        format: how the sheet shows numbers.
        width: its least width, in characters.
        text: what is written where the value is a date before a sheet's calendar.

    """

    name: str
    value: pl.Expr
    format: str = "General"
    width: int = 9
    text: pl.Expr | None = None


def shown(name: str, kind: pl.DataType, told: Column | None) -> Shown:
    """Choose how a column is shown; ``told`` is what the legend says of it.

    A sheet can't show lengths of time below zero: those that may be so are in the hours or minutes of their legend.
    """
    if told is not None:
        return _figure(name, kind, told)
    value = pl.col(name)
    if isinstance(kind, pl.Datetime):
        days = value.dt.timestamp("us") / _DAY_US + _EPOCH_DAY
        text = value.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("%.6fZ" if kind.time_zone else ""))
        return Shown(name, days, "yyyy-mm-dd hh:mm:ss", 19, text)
    if kind == pl.Date:
        return Shown(name, value.to_physical() + _EPOCH_DAY, "yyyy-mm-dd", 11, value.cast(pl.String))
    if kind.is_decimal():
        return Shown(name, value.cast(pl.Float64), "#,##0.00")
    return Shown(name, value, "#,##0" if kind.is_integer() else "General")


def _figure(name: str, kind: pl.DataType, told: Column) -> Shown:
    value, signed = pl.col(name), is_signed(told)
    if isinstance(kind, pl.Duration):
        if signed:
            return Shown(name, value.to_physical() / _UNIT_US[told.unit], "#,##0.00", 11)
        return Shown(name, value.to_physical() / _DAY_US, "[h]:mm:ss", 12)
    if told.unit == "percent" and not signed:
        return Shown(name, (value * 100).cast(pl.Int64) / 10_000, "0.00%", 11)
    plus = "+0.00;-0.00;0.00" if told.unit == "percent" else "#,##0.00"
    return Shown(name, value.cast(pl.Float64), plus, 11) if kind.is_decimal() else Shown(name, value, "#,##0")


def rows(frame: pl.DataFrame, columns: Sequence[Shown]) -> Iterator[tuple[Any, ...]]:
    """Give the rows as the sheet has them: texts, numbers, truths, or None."""
    values = frame.select(column.value.alias(column.name) for column in columns)
    lists = [each.to_list() for each in values.get_columns()]
    for place, column in enumerate(columns):
        if column.text is not None and values.select((pl.col(column.name) < _FIRST_DAY).any()).item():
            texts = frame.select(column.text).to_series()
            lists[place] = [
                text if day is not None and day < _FIRST_DAY else day
                for day, text in zip(lists[place], texts, strict=True)
            ]
    return zip(*lists, strict=True)
