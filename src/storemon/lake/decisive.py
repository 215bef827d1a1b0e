"""Decisive polls: those of a day that tell something their neighbours do not.

Of a run of polls of one store that agree, within one file, only the first and the last are decisive. Who believes a
poll for at least a day can do without the others: every state, under every policy, follows from the decisive ones. That
holds as long as no other file has polls of the same time, and for days before that of the newest poll that counts.
"""

from datetime import timedelta

import polars as pl

DAY = timedelta(days=1)
"""No file spans more; a poll must be believed for as long for the decisive ones to do."""

PRECISION = timedelta(milliseconds=1)
"""A table's log rounds the instants in its statistics down to that."""


def with_decisive(day: pl.DataFrame) -> pl.DataFrame:
    """Mark the decisive polls of one day, ``store_key, polled_at, active``, sorted and distinct; they come first."""
    same_store, same_instant, same_status = (
        (pl.col(name) == pl.col(name).shift()).fill_null(False) for name in ("store_key", "polled_at", "active")
    )
    twin = same_store & same_instant  # they are distinct, so the two disagree
    doubtful = twin | twin.shift(-1, fill_value=False)
    agrees = same_store & same_status & ~doubtful & ~doubtful.shift(fill_value=True)
    marked = day.with_columns(decisive=~(agrees & agrees.shift(-1, fill_value=False)))
    return pl.concat([marked.filter("decisive"), marked.filter(~pl.col("decisive"))])


def in_turn(files: pl.DataFrame) -> pl.DataFrame:
    """Add ``in_turn`` to files of polls: no other one has polls of the same stores and time, so ``decisive`` holds.

    Args:
        files: with ``polled_on``, and ``min.`` and ``max.`` of ``store_key`` and ``polled_at``, as the log tells them.

    """
    numbered = files.with_row_index("file")
    pairs = numbered.join(numbered, on="polled_on", suffix=".other").filter(
        pl.col("file") != pl.col("file.other"),
        pl.col("min.store_key") <= pl.col("max.store_key.other"),
        pl.col("max.store_key") >= pl.col("min.store_key.other"),
        pl.col("min.polled_at") <= pl.col("max.polled_at.other") + PRECISION,
        pl.col("max.polled_at") + PRECISION >= pl.col("min.polled_at.other"),
    )
    return numbered.with_columns(in_turn=~pl.col("file").is_in(pairs["file"].implode())).drop("file")
