"""What a report reads: the facts at one moment, from a lake at fixed versions or from frames in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import duckdb
import polars as pl

from storemon.lake.decisive import in_turn
from storemon.lake.place import Place
from storemon.lake.polls import read_roster
from storemon.lake.schemas import HOURS, MAINTENANCE, POLLS, REJECTED, SPECIAL_HOURS, TAGS, ZONES, Table
from storemon.lake.tables import Opened


class Snapshot(Protocol):
    """Facts that no longer change, in the shapes that the engine reads."""

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each table, empty where the facts came as frames."""

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll, None without polls."""

    def stores(self) -> pl.DataFrame:
        """Read ``store_key, store_id, polled_at, active`` of each store's first poll ever."""

    def hours(self) -> pl.DataFrame:
        """Read ``store_id, weekday, opens_local, closes_local``, in seconds after local midnight, as written."""

    def zones(self) -> pl.DataFrame:
        """Read ``store_id, zone``."""

    def special_hours(self) -> pl.DataFrame:
        """Read ``store_id, date, opens_local, closes_local``: as in the hours, both null where closed that day.

        The store ``*`` is every store.
        """

    def maintenance(self) -> pl.DataFrame:
        """Read ``store_id, starts_at, ends_at, reason``, the instants in UTC; the store ``*`` is every store."""

    def tags(self) -> pl.DataFrame:
        """Read ``store_id, tag, value``; a store without a tag has no row of it, so no value is empty."""

    def rejected(self) -> pl.DataFrame:
        """Read the rows that could not be read: ``file, line, row, reason, rejected_at``, oldest first."""

    def offer_polls(
        self, con: duckdb.DuckDBPyConnection, name: str, since: datetime, until: datetime, *, every_poll: bool = True
    ) -> None:
        """Make a relation ``name`` of ``store_key, polled_at, active`` with at least the polls of (since, until].

        Unless ``every_poll`` is asked for, those may be left out that tell nothing where each is believed for a day.
        """


@dataclass(frozen=True)
class LakeSnapshot:
    """A lake at fixed versions."""

    place: Place
    opened: Mapping[str, Opened]
    """Every table by its name."""

    def __str__(self) -> str:
        return f"the lake in {self.place}"

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each table: with them, ``Lake.snapshot`` gives the same facts again."""
        return {name: opened.version for name, opened in self.opened.items()}

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll in the files of the newest day, None without polls."""
        polls = self.opened[POLLS.name]
        days = polls.files
        newest = days.filter(pl.col("polled_on") == pl.col("polled_on").max())["path"].to_list()
        if not newest:
            return None
        with polls.reading():
            polled_at = polls.scan(newest).select("polled_at").collect()["polled_at"]
        found: datetime = polled_at.max()  # type: ignore[assignment]
        return found

    def stores(self) -> pl.DataFrame:
        """Read the roster."""
        return read_roster(self.opened[POLLS.name])

    def hours(self) -> pl.DataFrame:
        """Read the whole table."""
        return self._read(HOURS)

    def zones(self) -> pl.DataFrame:
        """Read the whole table."""
        return self._read(ZONES)

    def special_hours(self) -> pl.DataFrame:
        """Read the whole table."""
        return self._read(SPECIAL_HOURS)

    def maintenance(self) -> pl.DataFrame:
        """Read the whole table."""
        return self._read(MAINTENANCE)

    def tags(self) -> pl.DataFrame:
        """Read the whole table."""
        return self._read(TAGS)

    def rejected(self) -> pl.DataFrame:
        """Read the whole table, oldest first."""
        return self._read(REJECTED).sort("rejected_at", "file", "line")

    def _read(self, table: Table) -> pl.DataFrame:
        return self.opened[table.name].read()

    def offer_polls(
        self, con: duckdb.DuckDBPyConnection, name: str, since: datetime, until: datetime, *, every_poll: bool = True
    ) -> None:
        """Make a view of the Parquet files of the days in question; register their rows if in object storage."""
        polls = self.opened[POLLS.name]
        files = in_turn(polls.files.filter(pl.col("polled_on").is_between(since.date(), until.date())))
        in_short = pl.col("in_turn") & (pl.col("polled_on") < until.date())
        in_part = files.filter(in_short & (not every_poll))["path"].to_list()
        whole = files.filter(~in_short | every_poll)["path"].to_list()
        if polls.place.folder is None:
            # DuckDB cannot read there. Of what can, Polars takes the least time and half of the CPU time of Arrow.
            rows = pl.concat([polls.scan(whole), polls.scan(in_part).filter("decisive")])
            between = pl.col("polled_at").is_between(since, until, closed="right")
            with polls.reading():
                con.register(name, rows.filter(between).select(_NO_POLLS.columns).collect().to_arrow())
            return
        scans = [_scan(whole)] * bool(whole) + [f"{_scan(in_part)} WHERE decisive"] * bool(in_part)
        if scans:
            con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {' UNION ALL '.join(scans)}")
        else:
            con.register(name, _NO_POLLS.to_arrow())


def _scan(paths: Sequence[str]) -> str:
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return f"SELECT store_key, polled_at, active FROM read_parquet([{quoted}], hive_partitioning = false)"


_NO_POLLS = pl.DataFrame(schema={"store_key": pl.Int32, "polled_at": pl.Datetime("us", "UTC"), "active": pl.Boolean})
