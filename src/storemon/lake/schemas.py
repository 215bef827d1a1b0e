"""The tables of a lake: their names, and their columns with types and units."""

from dataclasses import dataclass

import polars as pl

FORMAT = 1
"""The number of the lake's format: one more with each change that an older storemon would read wrongly."""
EVERY_STORE = "*"
"""The store id of rows that are about every store, in special hours and maintenance."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table's name, its columns with types, those it is partitioned by, and those whose range in a file is of use."""

    name: str
    schema: pl.Schema
    partition_by: tuple[str, ...] = ()
    ranged: tuple[str, ...] = ()


POLLS = Table(
    "polls",
    pl.Schema(
        {
            "store_key": pl.Int32(),  # from 0, in the order in which stores became known
            "store_id": pl.String(),  # in the roster only, null elsewhere
            "polled_at": pl.Datetime("us", "UTC"),
            "active": pl.Boolean(),
            "decisive": pl.Boolean(),  # tells something that its neighbours do not; null in the roster
            "polled_on": pl.Date(),  # the UTC day of polled_at, null in the roster
        }
    ),
    partition_by=("polled_on", "decisive"),
    ranged=("store_key", "polled_at"),
)
HOURS = Table(
    "hours",
    pl.Schema(
        {
            "store_id": pl.String(),
            "weekday": pl.Int8(),  # 0 is Monday
            "opens_local": pl.Int32(),  # seconds after local midnight, 0 to 86,400, as written
            "closes_local": pl.Int32(),
        }
    ),
)
ZONES = Table("zones", pl.Schema({"store_id": pl.String(), "zone": pl.String()}))
SPECIAL_HOURS = Table(
    "special_hours",
    pl.Schema(
        {
            "store_id": pl.String(),  # * is every store
            "date": pl.Date(),  # of the store's own calendar
            "opens_local": pl.Int32(),  # as in the hours; null, like closes_local, where it is closed that day
            "closes_local": pl.Int32(),
        }
    ),
)
MAINTENANCE = Table(
    "maintenance",
    pl.Schema(
        {
            "store_id": pl.String(),  # * is every store
            "starts_at": pl.Datetime("us", "UTC"),
            "ends_at": pl.Datetime("us", "UTC"),  # after starts_at
            "reason": pl.String(),  # may be empty
        }
    ),
)
TAGS = Table(
    "tags",
    pl.Schema(
        {
            "store_id": pl.String(),
            "tag": pl.String(),
            "value": pl.String(),  # never empty: a store without the tag has no row
        }
    ),
)
REJECTED = Table(
    "rejected",
    pl.Schema(
        {
            "file": pl.String(),
            "line": pl.Int64(),  # from 1, the header's line
            "row": pl.String(),  # as it stood in the file
            "reason": pl.String(),
            "rejected_at": pl.Datetime("us", "UTC"),
        }
    ),
)
LATEST_RUNS = Table(
    "latest_runs",
    pl.Schema(
        {
            "store_key": pl.Int32(),
            "starts_at": pl.Datetime("us", "UTC"),
            "ends_at": pl.Datetime("us", "UTC"),
            "active": pl.Boolean(),
            "polls_version": pl.Int64(),  # of the polls that the runs were made of
            "made_of": pl.String(),  # a hash of the names of their files
        }
    ),
    ranged=("store_key",),
)
FACTS = (TAGS, MAINTENANCE, SPECIAL_HOURS, ZONES, HOURS, POLLS)
"""The tables that a file is loaded into, in the order in which they are committed."""
