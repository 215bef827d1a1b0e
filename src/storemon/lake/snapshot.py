"""What a report reads: the facts at one moment, from a lake at fixed versions or from frames in their place."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Protocol

import duckdb
import polars as pl

from storemon.lake.decisive import DAY, needed, told_by_decisive
from storemon.lake.duck import offer
from storemon.lake.keys import Keys
from storemon.lake.place import Place
from storemon.lake.polls import read_roster
from storemon.lake.runs import find_runs, latest_runs
from storemon.lake.schemas import (
    EVERY_STORE,
    FACTS,
    HOURS,
    MAINTENANCE,
    POLLS,
    REJECTED,
    SPECIAL_HOURS,
    TAGS,
    ZONES,
    Table,
)
from storemon.lake.tables import Opened, Tables

Ids = tuple[str, str]
"""The first and the last of a range of store ids. Rows of the store ``*``, which is every store, are in any range."""


class Snapshot(Hashable, Protocol):
    """Facts that no longer change, in the shapes that the engine reads."""

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each table, empty where the facts came as frames."""

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll, None without polls."""

    def stores(self) -> pl.DataFrame:
        """Read ``store_key, store_id, polled_at, active`` of each store's first poll ever."""

    def count_polls(self, since: datetime, until: datetime) -> int:
        """Count the polls of the UTC days from one instant to another, leaving out what tells nothing."""

    def hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read ``store_id, weekday, opens_local, closes_local``, in seconds after local midnight, as written."""

    def zones(self, within: Ids | None = None) -> pl.DataFrame:
        """Read ``store_id, zone``."""

    def special_hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read ``store_id, date, opens_local, closes_local``: as in the hours, both null where closed that day.

        The store ``*`` is every store.
        """

    def maintenance(self, within: Ids | None = None) -> pl.DataFrame:
        """Read ``store_id, starts_at, ends_at, reason``, the instants in UTC; the store ``*`` is every store."""

    def tags(self, within: Ids | None = None) -> pl.DataFrame:
        """Read ``store_id, tag, value``; a store without a tag has no row of it, so no value is empty."""

    def rejected(self) -> pl.DataFrame:
        """Read the rows that could not be read: ``file, line, row, reason, rejected_at``, oldest first."""

    def runs(self, until: datetime, apart: timedelta, keys: pl.Series) -> pl.DataFrame:
        """Read the latest runs of some stores, of polls up to an instant: ``store_key, starts_at, ends_at, active``.

        They are in order, and reach back to the last that says otherwise than the newest of the store; see
        `storemon.lake.runs`. The polls of one are no further ``apart``, a day at the most.
        """

    def offer_polls(
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        since: datetime,
        until: datetime,
        *,
        keys: Keys | None = None,
        every_poll: bool = True,
        read_on_to: datetime | None = None,
    ) -> None:
        """Make a relation ``name`` of ``store_key, polled_at, active`` with at least the polls of (since, until].

        It has those of stores with such ``keys`` only. Unless ``every_poll`` is asked for, those may be left out that
        tell nothing where each is believed for a day, and where polls are read up to an instant, by default ``until``.
        """


@dataclass(frozen=True, eq=False)
class LakeSnapshot:
    """A lake at fixed versions."""

    place: Place
    opened: Mapping[str, Opened]
    """Every table of facts by its name."""

    def __str__(self) -> str:
        return f"the lake in {self.place}"

    def __reduce__(self) -> "tuple[Callable[..., LakeSnapshot], tuple[Place, tuple[tuple[str, int], ...]]]":
        """Pickle the place and the versions only; who gets them opens the lake, once for all of the same."""
        return _opened_again, (self.place, tuple(self.versions.items()))

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each table: with them, ``Lake.snapshot`` gives the same facts again."""
        return {name: opened.version for name, opened in self.opened.items()}

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll, None without polls."""
        return self._newest_poll

    @cached_property
    def _newest_poll(self) -> datetime | None:
        polls = self.opened[POLLS.name]
        days = polls.files.filter("decisive")  # as the newest one is
        newest = days.filter(pl.col("polled_on") == pl.col("polled_on").max())["path"].to_list()
        if not newest:
            return None
        with polls.reading():
            polled_at = polls.scan(newest).select("polled_at").collect()["polled_at"]
        found: datetime = polled_at.max()  # type: ignore[assignment]
        return found

    def stores(self) -> pl.DataFrame:
        """Read the roster, once."""
        return self._stores

    @cached_property
    def _stores(self) -> pl.DataFrame:
        return read_roster(self.opened[POLLS.name])

    def count_polls(self, since: datetime, until: datetime) -> int:
        """Add up what the log tells of the files of decisive polls."""
        return int(self._all_files.filter(_days(since, until), "decisive")["rows"].sum())

    def hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the table."""
        return self._read(HOURS, within)

    def zones(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the table."""
        return self._read(ZONES, within)

    def special_hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the table."""
        return self._read(SPECIAL_HOURS, within)

    def maintenance(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the table."""
        return self._read(MAINTENANCE, within)

    def tags(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the table."""
        return self._read(TAGS, within)

    def rejected(self) -> pl.DataFrame:
        """Read the whole table, oldest first."""
        return self._read(REJECTED).sort("rejected_at", "file", "line")

    def runs(self, until: datetime, apart: timedelta, keys: pl.Series) -> pl.DataFrame:
        """Take those that are kept, and find others in the polls: of stores that were polled later, or more often."""
        polls = self.opened[POLLS.name]
        if apart < DAY:
            return find_runs(polls, until=until, apart=apart, keys=keys)
        runs = self._latest_runs.filter(pl.col("store_key").is_in(keys.implode()))
        later = runs.filter(pl.col("ends_at") > until)["store_key"].unique()
        if later.is_empty():
            return runs
        found = find_runs(polls, until=until, keys=later)
        stay = runs.filter(~pl.col("store_key").is_in(later.implode()))
        return pl.concat([stay, found]).sort("store_key", "starts_at")

    @cached_property
    def _latest_runs(self) -> pl.DataFrame:
        return latest_runs(Tables(self.place.text), self.opened[POLLS.name])

    def _read(self, table: Table, within: Ids | None = None) -> pl.DataFrame:
        return self.opened[table.name].read(of_ids(within) if within else None)

    def offer_polls(
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        since: datetime,
        until: datetime,
        *,
        keys: Keys | None = None,
        every_poll: bool = True,
        read_on_to: datetime | None = None,
    ) -> None:
        """Make a view of the Parquet files of the days in question; register their rows if in object storage."""
        wanted = pl.lit(every_poll)
        if not every_poll:
            newest, last = self.newest_poll(), read_on_to or until
            wanted = needed(last.date() if newest is None or last < newest else None)
        # A day of many polls is in files of a range of stores each.
        of_stores = [
            (pl.col("min.store_key") <= last) & (pl.col("max.store_key") >= first) for first, last in keys or ()
        ]
        files = self._all_files.filter(_days(since, until) & wanted, pl.any_horizontal(of_stores or [pl.lit(True)]))
        polls = self.opened[POLLS.name]
        if polls.place.folder is None:
            offer(con, name, _fetched(polls, files, since, until, keys))
            return
        if files.is_empty():
            offer(con, name, _NO_POLLS)
            return
        quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in files["path"])
        rows = f"SELECT store_key, polled_at, active FROM read_parquet([{quoted}], hive_partitioning = false)"
        where = " OR ".join(f"store_key BETWEEN {first} AND {last}" for first, last in keys or ())
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {rows}{where and f' WHERE {where}'}")

    @cached_property
    def _all_files(self) -> pl.DataFrame:
        files = self.opened[POLLS.name].files.drop_nulls("polled_on")
        return files.with_columns(told_by_decisive=told_by_decisive(files))


def _fetched(polls: Opened, files: pl.DataFrame, since: datetime, until: datetime, keys: Keys | None) -> pl.DataFrame:
    """Read polls from object storage, where DuckDB cannot.

    Of what can, Polars takes the least time, and half of the CPU time of Arrow.
    """
    asked_for = pl.any_horizontal(pl.col("store_key").is_between(*of) for of in keys) if keys else True
    between = pl.col("polled_at").is_between(since, until, closed="right")
    rows = polls.scan(files["path"].to_list()).filter(between, asked_for).select(_NO_POLLS.columns)
    with polls.reading():
        return rows.collect()


@lru_cache(maxsize=1)
def _opened_again(place: Place, versions: tuple[tuple[str, int], ...]) -> LakeSnapshot:
    tables = {table.name: table for table in (*FACTS, REJECTED)}
    return LakeSnapshot(place, {name: Opened(tables[name], place, version) for name, version in versions})


def _days(since: datetime, until: datetime) -> pl.Expr:
    """Pick the files of polls of the UTC days from one instant to another."""
    return pl.col("polled_on").is_between(since.date(), until.date())


def of_ids(within: Ids) -> pl.Expr:
    """Pick the rows of a range of stores, and those of every store."""
    return pl.col("store_id").is_between(pl.lit(within[0]), pl.lit(within[1])) | (pl.col("store_id") == EVERY_STORE)


_NO_POLLS = pl.DataFrame(schema={"store_key": pl.Int32, "polled_at": pl.Datetime("us", "UTC"), "active": pl.Boolean})
