"""Decisive polls: those of a day that tell something their neighbours do not.

Of a run of polls of one store that agree, within one file, only the first and the last are decisive. Who believes a
poll for at least a day can do without the others: every state, under every policy, follows from the decisive ones. That
holds as long as no other file has polls of the same time, and for days before that of the newest poll that counts.
"""

from datetime import timedelta

import polars as pl

DAY = timedelta(days=1)
"""No file spans more; a poll must be believed for as long for the decisive ones to do."""

_PRECISION = timedelta(milliseconds=1)  # a table's log rounds the instants in its statistics down to that
BY_DECISIVE = ["decisive", "store_key", "polled_at", "active"]
"""The order inside a file: so that the decisive ones are read without the rest."""


def with_decisive(day: pl.DataFrame) -> pl.DataFrame:
    """Mark the decisive polls of one day, ``store_key, polled_at, active``, sorted and distinct; they come first."""
    same_store, same_instant, same_status = (
        (pl.col(name) == pl.col(name).shift()).fill_null(False) for name in ("store_key", "polled_at", "active")
    )
    twin = same_store & same_instant  # they are distinct, so the two disagree
    doubtful = twin | twin.shift(-1, fill_value=False)
    agrees = same_store & same_status & ~doubtful & ~doubtful.shift(fill_value=True)
    marked = day.with_columns(decisive=~(agrees & agrees.shift(-1, fill_value=False)))
    return marked.sort(BY_DECISIVE, descending=[True, False, False, False])


def in_turn(files: pl.DataFrame) -> pl.DataFrame:
    """Sort files of polls by time, and add ``in_turn``: no other one has polls of the same time, so ``decisive`` holds.

    Args:
        files: with ``polled_on``, ``min.polled_at`` and ``max.polled_at``, as the table's log tells them.

    """
    is_next_day = pl.col("polled_on") != pl.col("polled_on").shift()
    begins_later = pl.col("min.polled_at") > pl.col("max.polled_at").cum_max().shift() + _PRECISION
    after = (is_next_day | begins_later).fill_null(True)
    return files.sort("polled_on", "min.polled_at").with_columns(in_turn=after & after.shift(-1, fill_value=True))
