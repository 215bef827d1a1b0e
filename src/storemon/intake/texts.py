"""Typed values as the text that a CSV would have, so that one set of rules holds for all."""

from datetime import datetime, time, timedelta

import polars as pl


def as_text(column: pl.Series) -> pl.Series:
    """Write a column of values, instants in UTC.

    Raises:
        PolarsError: it has lists or the like.

    """
    if isinstance(column.dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if column.dtype.time_zone else column
        return utc.dt.cast_time_unit("us").dt.strftime("%Y-%m-%d %H:%M:%S%.6f UTC")
    if column.dtype == pl.Time:
        return column.dt.strftime("%H:%M:%S")
    if column.dtype.is_float():  # Python writes 257000000000000.0 as such, Polars as a power of ten
        return pl.Series(column.name, [None if value is None else repr(value) for value in column], pl.String)
    if column.dtype == pl.Binary:  # what some write for text in Parquet
        return column.cast(pl.String, strict=False)
    return column.cast(pl.String)


def text_of(value: object) -> str | None:
    """Write one value; a length of time is what a workbook has for the end of a day."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, time):
        return value.strftime("%H:%M:%S")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value)
