"""Decisive polls: those of a day that tell something their neighbours do not.

Of a run of polls of one store that agree, within one file, only the first and the last are decisive. Who believes a
poll for at least a day can do without the others: every state, under every policy, follows from the decisive ones. That
holds as long as no other file has polls of the same time, and for days before that of the newest poll that counts.
The table is partitioned by it, so that the decisive ones are read, and counted in the log, without the rest.
"""

from datetime import date, timedelta

import polars as pl

DAY = timedelta(days=1)
"""No file spans more; a poll must be believed for as long for the decisive ones to do."""

PRECISION = timedelta(milliseconds=1)
"""A table's log rounds the instants in its statistics down to that."""


def with_decisive(day: pl.DataFrame) -> pl.DataFrame:
    """Mark the decisive polls of one day, ``store_key, polled_at, active``, sorted and distinct."""
    same_store, same_instant, same_status = (
        (pl.col(name) == pl.col(name).shift()).fill_null(False) for name in ("store_key", "polled_at", "active")
    )
    twin = same_store & same_instant  # they are distinct, so the two disagree
    doubtful = twin | twin.shift(-1, fill_value=False)
    agrees = same_store & same_status & ~doubtful & ~doubtful.shift(fill_value=True)
    return day.with_columns(decisive=~(agrees & agrees.shift(-1, fill_value=False)))


def needed(cut_off: date | None) -> pl.Expr:
    """Pick the files without which a state could not be told, of files with ``told_by_decisive``.

    On the day at whose middle one stops to read, the ``cut_off``, the last poll that counts may not be a decisive one.
    """
    return pl.col("decisive") | ~pl.col("told_by_decisive") | pl.col("polled_on").eq_missing(cut_off)


def told_by_decisive(files: pl.DataFrame) -> pl.Series:
    """Tell of each file of polls whether the decisive ones of its day do.

    They do if no two files have polls of the same stores and time. Polls that are not decisive lie, in a file of their
    own, within the stores and the time of the decisive ones they came with.

    Args:
        files: with ``polled_on``, ``decisive``, and ``min.`` and ``max.`` of ``store_key`` and ``polled_at``, as the
            table's log tells them.

    """
    decisive = files.filter("decisive").with_row_index("file")
    overlapping = decisive.join(decisive, on="polled_on", suffix=".other").filter(
        pl.col("file") < pl.col("file.other"),
        pl.col("min.store_key") <= pl.col("max.store_key.other"),
        pl.col("max.store_key") >= pl.col("min.store_key.other"),
        pl.col("min.polled_at") <= pl.col("max.polled_at.other") + PRECISION,
        pl.col("max.polled_at") + PRECISION >= pl.col("min.polled_at.other"),
    )
    return ~files["polled_on"].is_in(overlapping["polled_on"].implode())
