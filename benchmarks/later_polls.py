"""Hour after hour of polls that come after the sample's: one of each store."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import polars as pl

from storemon.sample import NEWEST_AT


def later_hours(folder: Path, store_ids: pl.Series) -> Iterator[Path]:
    """Write a CSV for each hour after the sample's end, when it is asked for; its instants are spread evenly."""
    spread = pl.int_range(1, pl.len() + 1) * 3_600_000_000 // pl.len()
    for hour in count():
        polled_at = NEWEST_AT + timedelta(hours=hour) + pl.duration(microseconds=spread)
        polls = (
            store_ids.alias("store_id")
            .to_frame()
            .select(
                "store_id",
                pl.when(pl.int_range(pl.len()) % 3 == hour % 3)
                .then(pl.lit("inactive"))
                .otherwise(pl.lit("active"))
                .alias("status"),
                polled_at.dt.strftime("%Y-%m-%d %H:%M:%S%.6f UTC").alias("timestamp_utc"),
            )
        )
        file = folder / f"hour-{hour}.csv"
        polls.write_csv(file)
        yield file
