"""What a lake holds, read from its Parquet files without the product, and whether that is sound."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

KEYS = ["store_key", "polled_at", "active"]


class Contents(NamedTuple):
    """The rows of each table: which store by its id, and no row twice."""

    polls: frozenset[tuple[str, datetime, bool]]
    hours: frozenset[tuple[str, int, int, int]]
    zones: frozenset[tuple[str, str]]
    rejected: frozenset[tuple[str, int, str, str]]
    special_hours: frozenset[tuple[str, date, int | None, int | None]]
    maintenance: frozenset[tuple[str, datetime, datetime, str]]
    tags: frozenset[tuple[str, str, str]]


def contents(lake: Path) -> Contents:
    """Read a lake; fail where a row is doubled, a poll in the wrong place, or a store not told from another."""
    polls = pl.concat([poll_file(path) for path in files(lake, "polls") if day_of(path)] or [no_polls()])
    assert not polls.is_duplicated().any(), "a poll is doubled"
    named = polls.join(roster(lake, polls), on="store_key", how="left", validate="m:1")
    assert not named["store_id"].null_count(), "a poll is nobody's"
    return Contents(
        frozenset(named.select("store_id", "polled_at", "active").rows()),
        whole(lake, "hours", "store_id", "weekday", "opens_local", "closes_local"),
        whole(lake, "zones", "store_id", "zone"),
        whole(lake, "rejected", "file", "line", "row", "reason"),
        whole(lake, "special_hours", "store_id", "date", "opens_local", "closes_local"),
        whole(lake, "maintenance", "store_id", "starts_at", "ends_at", "reason"),
        whole(lake, "tags", "store_id", "tag", "value"),
    )


def files(lake: Path, table: str) -> list[Path]:
    """List the table's files, none where it is not there yet."""
    try:
        added = pl.DataFrame(DeltaTable(lake / table).get_add_actions())
    except TableNotFoundError:
        return []
    return [lake / table / path for path in added["path"]]


def version(lake: Path, table: str) -> int:
    try:
        return DeltaTable(lake / table).version()
    except TableNotFoundError:
        return -1


def day_of(path: Path) -> date | None:
    """Read the UTC day of a file of polls from its folder; the roster has none."""
    name, _, day = path.parents[1].name.partition("=")
    assert name == "polled_on"
    assert path.parent.name.startswith(
        "decisive=__HIVE" if day.startswith("__HIVE") else ("decisive=true", "decisive=false")
    )
    return None if day.startswith("__HIVE") else date.fromisoformat(day)


def poll_file(path: Path) -> pl.DataFrame:
    polls = pl.read_parquet(path, hive_partitioning=False)
    assert polls["polled_at"].dt.date().unique().to_list() == [day_of(path)], "a poll is in the folder of another day"
    order = polls.select("store_key", "polled_at")
    assert order.equals(order.sort(pl.all())), "a file is in order of store and instant"
    assert polls["store_id"].null_count() == len(polls)
    return polls.select(KEYS)


def no_polls() -> pl.DataFrame:
    return pl.DataFrame(schema={"store_key": pl.Int32, "polled_at": pl.Datetime("us", "UTC"), "active": pl.Boolean})


def roster(lake: Path, polls: pl.DataFrame) -> pl.DataFrame:
    """Read which key is which store, and check that its first poll is known to be the first."""
    parts = [pl.read_parquet(path, hive_partitioning=False) for path in files(lake, "polls") if not day_of(path)]
    if not parts:
        assert polls.is_empty()
        return pl.DataFrame(schema={"store_key": pl.Int32, "store_id": pl.String})
    rows = pl.concat(parts).select("store_id", *KEYS)
    # Inactive first, where two polls at one instant disagree.
    first = rows.sort(KEYS).unique("store_key", keep="first").select(KEYS)
    assert first.sort("store_key").equals(polls.sort(KEYS).unique("store_key", keep="first").sort("store_key"))
    stores = rows.select("store_key", "store_id").unique()
    assert stores["store_key"].sort().to_list() == list(range(len(stores))), "a key is two stores', or nobody's"
    assert stores["store_id"].is_unique().all(), "a store has two keys"
    return stores


def whole(lake: Path, table: str, *columns: str) -> frozenset[Any]:
    parts = [pl.read_parquet(path).select(columns) for path in files(lake, table)]
    rows = [row for part in parts for row in part.rows()]
    assert len(rows) == len(set(rows)), f"a row of {table} is doubled"
    return frozenset(rows)
