"""A part of the facts: what somebody sees who may see some stores only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import duckdb
import polars as pl

from storemon.lake.duck import offer
from storemon.lake.keys import Keys
from storemon.lake.schemas import EVERY_STORE
from storemon.lake.snapshot import Ids, Snapshot

Conditions = tuple[tuple[str, str], ...]
"""Tags that a store must have, with their values; an empty one means to lack the tag."""


@dataclass(frozen=True)
class SeenSnapshot:
    """A snapshot with those stores only that meet conditions: of others nothing is told, not even that they are there.

    Rows that could not be read are of nobody knows which store, so none of them is seen.
    """

    snapshot: Snapshot
    conditions: Conditions

    def __str__(self) -> str:
        return str(self.snapshot)

    @property
    def versions(self) -> Mapping[str, int]:
        """The version of each table."""
        return self.snapshot.versions

    def newest_poll(self) -> datetime | None:
        """Find the instant of the newest poll of all stores: the same now for everybody."""
        return self.snapshot.newest_poll()

    def stores(self) -> pl.DataFrame:
        """Read the roster of the stores that are seen."""
        return self.snapshot.stores().join(_ids(self), on="store_id", how="semi", maintain_order="left")

    def count_polls(self, since: datetime, until: datetime) -> int:
        """Count the polls of all stores, which is what is read."""
        return self.snapshot.count_polls(since, until)

    def hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the rows of the stores that are seen."""
        return self._seen(self.snapshot.hours(within))

    def zones(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the rows of the stores that are seen."""
        return self._seen(self.snapshot.zones(within))

    def special_hours(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the rows of the stores that are seen, and of every store."""
        return self._seen(self.snapshot.special_hours(within))

    def maintenance(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the rows of the stores that are seen, and of every store."""
        return self._seen(self.snapshot.maintenance(within))

    def tags(self, within: Ids | None = None) -> pl.DataFrame:
        """Read the rows of the stores that are seen."""
        return self._seen(self.snapshot.tags(within))

    def rejected(self) -> pl.DataFrame:
        """Read none."""
        return self.snapshot.rejected().clear()

    def runs(self, until: datetime, apart: timedelta, keys: pl.Series) -> pl.DataFrame:
        """Read those of the stores that are seen, whoever asks for others."""
        seen = keys.filter(keys.is_in(self.stores()["store_key"].implode()))
        return self.snapshot.runs(until, apart, seen)

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
        """Make a relation of the polls of the stores that are seen."""
        everybody_s = f"{name}_of_everybody"
        self.snapshot.offer_polls(
            con, everybody_s, since, until, keys=keys, every_poll=every_poll, read_on_to=read_on_to
        )
        offer(con, f"{name}_seen", self.stores().select("store_key"))
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {everybody_s} SEMI JOIN {name}_seen USING (store_key)")

    def _seen(self, rows: pl.DataFrame) -> pl.DataFrame:
        every_store = rows.filter(pl.col("store_id") == EVERY_STORE)
        return pl.concat([rows.join(_ids(self), on="store_id", how="semi", maintain_order="left"), every_store])


@lru_cache(maxsize=16)
def _ids(seen: SeenSnapshot) -> pl.DataFrame:
    """List the ids of the stores that meet the conditions; one that names what is not there is met by none."""
    tags = seen.snapshot.tags()
    known = pl.concat([seen.snapshot.stores()["store_id"], seen.snapshot.hours()["store_id"], tags["store_id"]])
    ids = known.unique().to_frame()
    for tag, value in seen.conditions:
        of_tag = tags.filter(pl.col("tag") == tag)
        met = of_tag.filter(pl.col("value") == value) if value else of_tag
        ids = ids.join(met, on="store_id", how="semi" if value else "anti")
    return ids
