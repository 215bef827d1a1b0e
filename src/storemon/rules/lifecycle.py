"""Alerts: what becomes of the stretches in which a rule holds; see "Rules and alerts" in docs/semantics.md.

An alert fires where the rule first holds. It is resolved where the quiet begins in which the rule is clear for the
recovery time, of open time. What nobody knows neither fires nor resolves anything.
"""

import polars as pl

from storemon.rules.values import CLEAR, HOLDS, UNKNOWN

_BEFORE = ("fired_at", "quiet_since", "quiet_us")
NO_ALERTS = pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(_BEFORE, pl.Int64)})
"""The open alerts that there are when nobody has looked yet."""


def alerts_of(stretches: pl.DataFrame, recovery_us: int, before: pl.DataFrame = NO_ALERTS) -> pl.DataFrame:
    """Tell of the alerts of one rule, each with what it has come to.

    Args:
        stretches: ``row`` of the subject, ``starts_at, ends_at, value, open_us``, one after the other in each.
        recovery_us: the rule's recovery time.
        before: the alerts that were open before: ``row, fired_at, quiet_since, quiet_us``, as returned.

    Returns:
        In order of ``row`` and ``fired_at``: ``row, fired_at``; ``resolved_at``, null while it is open;
        of open ones ``quiet_since``, null while the rule holds, and ``quiet_us``, for how much open time it has been
        clear since then; ``stale``, whether nobody knows what is true of it; ``known``, whether it was open before.

    """
    marks = pl.concat([_as_stretches(before), stretches.select("row", *_MARK, place=pl.lit(2, pl.Int8))])
    ordered = marks.sort("row", "place", "starts_at")
    telling = ordered.filter(pl.col("value").is_in([HOLDS, CLEAR]))
    runs = _runs(telling)
    # A quiet that is not long enough is none, if the rule holds again after it; before the first alert none counts.
    is_quiet = pl.col("value") == CLEAR
    is_last = pl.col("row").ne_missing(pl.col("row").shift(-1))
    lasting = runs.filter(~is_quiet | (pl.col("open_us") >= recovery_us) | is_last)
    alerts = _runs(lasting)
    follows = pl.col("row") == pl.col("row").shift(-1)
    alerts = alerts.with_columns(
        quiet_since=pl.when(follows).then(pl.col("starts_at").shift(-1)),
        quiet_us=pl.when(follows).then(pl.col("open_us").shift(-1)),
    ).filter(~is_quiet)
    is_over = (pl.col("quiet_us") >= recovery_us).fill_null(value=False)
    unknown = ordered.group_by("row").agg(stale=pl.col("value").last() == UNKNOWN)
    return alerts.join(unknown, on="row", maintain_order="left").select(
        "row",
        fired_at="starts_at",
        resolved_at=pl.when(is_over).then("quiet_since"),
        quiet_since=pl.when(~is_over).then("quiet_since"),
        quiet_us=pl.when(~is_over).then("quiet_us").fill_null(0),
        stale=pl.col("stale") & ~is_over,
        known=pl.col("place") == 0,
    )


_MARK = ("starts_at", "value", "open_us")


def _as_stretches(before: pl.DataFrame) -> pl.DataFrame:
    """Have the rule hold where an alert was open before, and be clear where it was quiet since."""
    fired = before.select(
        "row", starts_at="fired_at", value=pl.lit(HOLDS, pl.Int8), open_us=pl.lit(0, pl.Int64), place=pl.lit(0, pl.Int8)
    )
    quiet = before.drop_nulls("quiet_since").select(
        "row",
        starts_at="quiet_since",
        value=pl.lit(CLEAR, pl.Int8),
        open_us="quiet_us",
        place=pl.lit(1, pl.Int8),
    )
    return pl.concat([fired, quiet])


def _runs(marks: pl.DataFrame) -> pl.DataFrame:
    """Join what follows each other in a subject and says the same: where it starts, and the open time of all."""
    run = pl.struct("row", "value").rle_id().alias("run")
    return marks.group_by(run, maintain_order=True).agg(
        pl.col("row", "value", "starts_at", "place").first(), pl.col("open_us").sum()
    )
