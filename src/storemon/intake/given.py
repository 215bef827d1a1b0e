"""Frames given in place of files: read as the text that a CSV would have, so that one set of rules holds for both."""

from datetime import UTC, datetime
from typing import Any, NoReturn

import polars as pl

from storemon.errors import InputError
from storemon.intake.forms.columns import called, places
from storemon.intake.forms.fields import unit_of
from storemon.intake.forms.known import STORES_FORM, Form, stores_form
from storemon.intake.forms.tags import not_tags
from storemon.intake.judge import compact, judged, judging, no_rows
from storemon.intake.reading import AS_USUAL
from storemon.intake.texts import as_text
from storemon.intake.whole import as_kept

_ANY_INSTANT = datetime.max.replace(tzinfo=UTC)


def read_whole(given: Any, what: str, form: Form) -> pl.DataFrame:
    """Read a frame into what the table of the form would keep.

    Raises:
        InputError: see `read_given`.

    """
    form, rows = read_given(given, what, form)
    return as_kept(form, rows)


def read_given(given: Any, what: str, form: Form) -> tuple[Form, pl.DataFrame]:
    """Read a frame into the form's fields; the form of the stores is made to fit it. None is a frame without rows.

    Raises:
        InputError: it is no frame, lacks a column, or a row cannot be read; ``what`` is its name in the text.

    """
    if given is None:
        return form, no_rows(form)
    try:
        frame = given if isinstance(given, pl.DataFrame) else pl.DataFrame(given)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{what}: a {type(given).__name__} cannot be read as a frame: {error}") from error
    if form is STORES_FORM:
        frame, form = _with_tags(frame, what)
    at = places(form.columns, frame.columns, {})
    if None in at:
        raise InputError(
            f"{what}: there is no column {called(form.columns[at.index(None)])}; there are: {', '.join(frame.columns)}"
        )
    taken = zip(form.raw, (frame.to_series(place) for place in at if place is not None), strict=True)
    return form, _typed(pl.DataFrame([_text(column, what).alias(raw) for raw, column in taken]), what, form)


def _with_tags(frame: pl.DataFrame, what: str) -> tuple[pl.DataFrame, Form]:
    """Make the form of the stores by the frame's columns, with their names trimmed."""
    names = [name.strip() for name in frame.columns]
    tags = [name for at, name in enumerate(names) if name != "store_id" or "store_id" in names[:at]]
    if wrong := not_tags(tags):
        raise InputError(f"{what}: {wrong}")
    return frame.rename(dict(zip(frame.columns, names, strict=True))), stores_form(tags)


def _typed(raw: pl.DataFrame, what: str, form: Form) -> pl.DataFrame:
    def refuse(row: int, reason: str) -> NoReturn:
        raise InputError(f"{what}: row {row} cannot be read: {reason}; its text is {raw.row(row)}")

    params = AS_USUAL.params(unit_of(text for name in form.instants for text in raw[name]))
    query = judging(form, "given", "row")
    parts = [*judged(query, params, _ANY_INSTANT, given=raw.with_row_index("row"))]
    if not parts:
        return no_rows(form)
    judged_rows = pl.concat(parts).sort("row")  # a look-up mixes them
    for row, reason in judged_rows.drop_nulls("verdict").select("row", "verdict").head(1).rows():
        refuse(row, reason)
    rows = compact(judged_rows, form)
    if form.contradiction:
        condition, reason = form.contradiction
        for row in rows.select(condition.arg_true()).to_series().head(1):
            refuse(row, reason)
    return rows


def _text(column: pl.Series, what: str) -> pl.Series:
    """Write values as a CSV would have them."""
    if column.dtype.is_float() and len(column.fill_nan(None).drop_nulls()):
        raise InputError(
            f"{what}: the column {column.name} holds floats, which lose the last digits; give text instead"
        )
    try:
        return as_text(column.fill_nan(None) if column.dtype.is_float() else column)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{what}: the column {column.name} holds no text: {error}; give text instead") from error
