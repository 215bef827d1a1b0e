"""The timeline of each store: where it opens and closes, and where its state changes, as steps of three slopes.

The *slopes* are how fast service time, uptime and downtime grow at an instant: 1 where the store is open, and in the
state, else 0. They add up over stores: those of a group say how many are open, up and down.
"""

import polars as pl

from storemon.engine.line import Line

SLOPES = ("service", "uptime", "downtime")
_COUNTS = ("open", "active", "inactive")


def states(changes: pl.DataFrame) -> pl.DataFrame:
    """Tell of each store which state it is in, and since when: ``store_key, starts_at, active``, in order.

    Args:
        changes: ``store_key, instant, was, becomes``, in any order: active, or null for unknown.

    Returns:
        Each state goes on to the next one's start; each differs from the one before. It begins with the first change.

    """
    counts = _counted(_turns(changes))
    state = (
        pl.when(pl.col("inactive") > 0).then(pl.lit(value=False)).when(pl.col("active") > 0).then(pl.lit(value=True))
    )
    told = counts.select("store_key", starts_at="instant", active=state)
    is_first = pl.col("store_key").ne_missing(pl.col("store_key").shift())
    return told.filter(is_first | pl.col("active").ne_missing(pl.col("active").shift()))


def timeline(changes: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Tell by how much the slopes of each store change, and when: ``store_key, instant, service, uptime, downtime``.

    Args:
        changes: as for `states`.
        intervals: ``store_key, opens_at, closes_at``: the open intervals of the time that is looked at.

    Returns:
        In order; no two of a store at one instant, and none without a change.

    """
    counts = _counted(
        pl.concat(
            [
                _turns(changes),
                intervals.select("store_key", instant="opens_at", open=pl.lit(1, pl.Int64)),
                intervals.select("store_key", instant="closes_at", open=pl.lit(-1, pl.Int64)),
            ],
            how="diagonal",
        ).with_columns(pl.col(_COUNTS).fill_null(0))
    )
    is_first = pl.col("store_key").ne_missing(pl.col("store_key").shift())
    slopes = counts.select(
        "store_key",
        "instant",
        service="open",
        uptime=pl.col("open") * pl.col("active"),
        downtime=pl.col("open") * pl.col("inactive"),
    )
    steps = slopes.with_columns(pl.col(SLOPES) - pl.when(is_first).then(0).otherwise(pl.col(SLOPES).shift()))
    return steps.filter(pl.any_horizontal(pl.col(SLOPES) != 0))


def _turns(changes: pl.DataFrame) -> pl.DataFrame:
    """Tell how each change adds to how often the store is active and inactive, which is once or never."""

    def turn(state: bool) -> pl.Expr:  # noqa: FBT001
        return pl.col("becomes").eq_missing(state).cast(pl.Int64) - pl.col("was").eq_missing(state).cast(pl.Int64)

    turns = changes.select("store_key", "instant", active=turn(True), inactive=turn(False))
    return turns.with_columns(open=pl.lit(0, pl.Int64))


def _counted(marks: pl.DataFrame) -> pl.DataFrame:
    """Add up the counts along the line of each store; of several marks at one instant the last tells what is true."""
    in_order = marks.with_columns(Line.through(marks).place("instant")).sort("at")
    is_first = pl.col("store_key").ne_missing(pl.col("store_key").shift())
    running = [pl.col(name).cum_sum() for name in _COUNTS]
    before = [
        pl.when(is_first).then(total - pl.col(name)).forward_fill()
        for name, total in zip(_COUNTS, running, strict=True)
    ]
    counts = ((total - base).alias(name) for name, total, base in zip(_COUNTS, running, before, strict=True))
    told = in_order.select("store_key", "instant", "at", *counts)
    return told.filter(pl.col("at").ne_missing(pl.col("at").shift(-1))).drop("at")
