"""Frames in place of a lake: the same facts from memory, for notebooks and tests."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import duckdb
import polars as pl

from storemon.intake.forms.known import (
    HOURS_FORM,
    MAINTENANCE_FORM,
    POLLS_FORM,
    SPECIAL_HOURS_FORM,
    STORES_FORM,
    ZONES_FORM,
)
from storemon.intake.given import read_given, read_whole
from storemon.lake.duck import offer
from storemon.lake.gathered import Gathered
from storemon.lake.keys import Keys
from storemon.lake.place import Place
from storemon.lake.polls import DAY_OF_POLL, IDENTITY, NewPolls
from storemon.lake.runs import as_runs, joined, latest
from storemon.lake.schemas import POLLS, REJECTED
from storemon.lake.snapshot import Ids, of_ids
from storemon.lake.tables import Opened

_NOTHING_YET = Opened(POLLS, Place("no lake"), -1)


class Frames:
    """The facts as frames with the CSVs' columns: Polars, Arrow, pandas, or a dict of columns.

    Ids, statuses, zones, reasons and tags are text. Instants are text or timestamps (naive ones are UTC), dates text or
    dates, weekdays whole numbers or text, times of day text or times, null where a special date is closed. Nothing is
    written anywhere.
    """

    def __init__(
        self,
        *,
        polls: Any,
        hours: Any = None,
        zones: Any = None,
        special_hours: Any = None,
        maintenance: Any = None,
        stores: Any = None,
    ) -> None:
        """Check and take the facts; a store without ``hours`` is open round the clock.

        Raises:
            InputError: a frame lacks a column, or a row cannot be read; no row is left out silently.

        """
        _, rows = read_given(polls, "polls", POLLS_FORM)
        new = NewPolls(_NOTHING_YET, Gathered.of([rows], POLLS_FORM.schema, by=DAY_OF_POLL))
        self._polls = pl.concat([pl.DataFrame(schema={name: POLLS.schema[name] for name in IDENTITY}), *new.days()])
        self._stores = new.roster()
        self._hours = read_whole(hours, "hours", HOURS_FORM)
        self._zones = read_whole(zones, "zones", ZONES_FORM)
        self._special_hours = read_whole(special_hours, "special_hours", SPECIAL_HOURS_FORM)
        self._maintenance = read_whole(maintenance, "maintenance", MAINTENANCE_FORM)
        self._tags = read_whole(stores, "stores", STORES_FORM)

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

    def count_polls(self, since: datetime, until: datetime) -> int:
        """Count the polls of the UTC days from one instant to another."""
        return int(self._polls["polled_at"].dt.date().is_between(since.date(), until.date()).sum())

    def hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Give ``store_id, weekday, opens_local, closes_local``."""
        return _of(self._hours, within)

    def zones(self, within: Ids | None = None) -> pl.DataFrame:
        """Give ``store_id, zone``."""
        return _of(self._zones, within)

    def special_hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Give ``store_id, date, opens_local, closes_local``."""
        return _of(self._special_hours, within)

    def maintenance(self, within: Ids | None = None) -> pl.DataFrame:
        """Give ``store_id, starts_at, ends_at, reason``."""
        return _of(self._maintenance, within)

    def tags(self, within: Ids | None = None) -> pl.DataFrame:
        """Give ``store_id, tag, value``."""
        return _of(self._tags, within)

    def rejected(self) -> pl.DataFrame:
        """Give none: a frame with a row that cannot be read is refused."""
        return pl.DataFrame(schema=REJECTED.schema)

    def runs(self, until: datetime, apart: timedelta, keys: pl.Series) -> pl.DataFrame:
        """Make them of the polls."""
        asked_for = self._polls.filter(pl.col("store_key").is_in(keys.implode()), pl.col("polled_at") <= until)
        return latest(joined(as_runs(asked_for), apart))

    def offer_polls(
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        since: datetime,
        until: datetime,
        *,
        keys: Keys | None = None,
        every_poll: bool = True,  # noqa: ARG002 - to leave some out would cost more than to take all
        read_on_to: datetime | None = None,  # noqa: ARG002
    ) -> None:
        """Register the polls of (since, until]."""
        between = (pl.col("polled_at") > since) & (pl.col("polled_at") <= until)
        asked_for = pl.any_horizontal(pl.col("store_key").is_between(*of) for of in keys) if keys else True
        offer(con, name, self._polls.filter(between, asked_for))


def _of(rows: pl.DataFrame, within: Ids | None) -> pl.DataFrame:
    return rows if within is None else rows.filter(of_ids(within))
