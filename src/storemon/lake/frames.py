"""Frames in place of a lake: the same facts from memory, for notebooks and tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from storemon.errors import InputError
from storemon.lake.forms import HOURS_FORM, POLLS_FORM, ZONES_FORM, Form
from storemon.lake.judge import compact, judged, judging, no_rows
from storemon.lake.polls import new_polls
from storemon.lake.tables import POLLS, REJECTED, Opened

_NOTHING_YET = Opened(POLLS, Path(), -1, None)
_ANY_INSTANT = datetime.max.replace(tzinfo=UTC)


class Frames:
    """Polls, hours and zones as frames with the CSVs' columns: Polars, Arrow, pandas, or a dict of columns.

    Ids, statuses and zones are text. Instants are text or timestamps (naive ones are UTC), weekdays whole numbers or
    text, times of day text or times. Nothing is written anywhere.
    """

    def __init__(self, *, polls: Any, hours: Any = None, zones: Any = None) -> None:
        """Check and take the facts; a store without ``hours`` is open round the clock.

        Raises:
            InputError: a frame lacks a column, or a row cannot be read; no row is left out silently.

        """
        new = new_polls(_NOTHING_YET, _typed(polls, "polls", POLLS_FORM))
        self._stores = new.roster
        columns = ["store_key", "polled_at", "active"]
        self._polls = pl.concat(
            [pl.DataFrame(schema={c: POLLS.schema[c] for c in columns}), *(d[columns] for d in new.days)]
        )
        self._hours = _typed(hours, "hours", HOURS_FORM).cast({"store_id": pl.String})
        self._zones = _typed(zones, "zones", ZONES_FORM).cast({"store_id": pl.String}).unique()
        twice = self._zones.filter(pl.col("store_id").is_duplicated())["store_id"].sort()
        if len(twice):
            raise InputError(f"zones: the store {twice[0]!r} has two time zones; keep one")

    def __str__(self) -> str:
        return "the frame of polls"

    @property
    def versions(self) -> Mapping[str, int]:
        """Empty: frames have no versions."""
        return {}

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll, None without polls."""
        newest: datetime | None = self._polls["polled_at"].max()  # type: ignore[assignment]
        return newest

    def stores(self) -> pl.DataFrame:
        """Give ``store_key, store_id, polled_at, active`` of each store's first poll."""
        return self._stores

    def hours(self) -> pl.DataFrame:
        """Give ``store_id, weekday, opens_local, closes_local``."""
        return self._hours

    def zones(self) -> pl.DataFrame:
        """Give ``store_id, zone``."""
        return self._zones

    def rejected(self) -> pl.DataFrame:
        """Give no rows: a row that cannot be read has raised an error."""
        return pl.DataFrame(schema=REJECTED.schema)

    def offer_polls(self, con: duckdb.DuckDBPyConnection, name: str, since: datetime, until: datetime) -> None:
        """Register the polls of (since, until]."""
        between = (pl.col("polled_at") > since) & (pl.col("polled_at") <= until)
        con.register(name, self._polls.filter(between).to_arrow())


def _typed(given: Any, what: str, form: Form) -> pl.DataFrame:
    """Read a frame as the text that a CSV would have, so that one set of rules holds for both."""
    if given is None:
        return no_rows(form)
    try:
        frame = given if isinstance(given, pl.DataFrame) else pl.DataFrame(given)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{what}: a {type(given).__name__} cannot be read as a frame: {error}") from error
    texts = []
    for aliases in form.columns:
        name = next((alias for alias in aliases if alias in frame.columns), None)
        if name is None:
            raise InputError(
                f"{what}: there is no column {' or '.join(aliases)}; there are: {', '.join(frame.columns)}"
            )
        texts.append(_text(frame[name], what).alias(aliases[0]))
    raw = pl.DataFrame(texts).with_row_index("row")
    parts = [no_rows(form)]
    for part in judged(judging(form, "given", "row"), {}, _ANY_INSTANT, given=raw):
        if bad := part.drop_nulls("reason").select("row", "reason").head(1).rows():
            raise InputError(
                f"{what}: row {bad[0][0]} cannot be read: {bad[0][1]}; its text is {raw.row(bad[0][0])[1:]}"
            )
        parts.append(compact(part, form))
    return pl.concat(parts)


def _text(column: pl.Series, what: str) -> pl.Series:
    """Write values as a CSV would have them."""
    if isinstance(column.dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if column.dtype.time_zone else column
        return utc.dt.strftime("%Y-%m-%d %H:%M:%S%.6f UTC")
    if column.dtype == pl.Time:
        return column.dt.strftime("%H:%M:%S")
    if column.dtype.is_float() and len(column):
        raise InputError(
            f"{what}: the column {column.name} holds floats, which lose the last digits; give text instead"
        )
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{what}: the column {column.name} holds no text: {error}; give text instead") from error
