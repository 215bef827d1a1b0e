"""Windows that roll: service time, uptime and downtime in the last so many hours, as functions of the instant.

Each is a line that bends where a slope changes, and once more where that leaves the window. So its bends, and its value
and slope at each, tell it everywhere, to the microsecond.
"""

from collections.abc import Mapping

import polars as pl

from storemon.engine.timeline import SLOPES

NOW = "now"
"""The name of the window of no length: its slopes are how many stores are open, up and down."""


def bends(steps: pl.DataFrame, windows: Mapping[str, int], until: int) -> pl.DataFrame:
    """Tell where what lies in the windows that end at an instant bends, and how. Those of more stores add up.

    Args:
        steps: ``row`` of the subject, a store or a group of them; ``starts_at``; ``instant, service, uptime,
            downtime``: the steps of slopes of stores, as `storemon.engine.timeline.timeline` gives them, from the
            longest window before the first ``starts_at`` on. Before ``starts_at`` nobody knows of the store; from
            there on its past counts as well.
        windows: the length of each, in microseconds, by a name of its own.
        until: nothing from here on is told.

    Returns:
        ``row, instant``, and for each window, `NOW` among them, by its name ``service_NAME`` and so on: by how much the
        slope changes; and ``service_NAME_jump`` and so on: by how much the value does.

    """
    events = [_events(steps, NOW, 0, 1)]
    for name, length in windows.items():
        events += [_events(steps, name, 0, 1), _events(steps, name, length, -1)]
    return added_up(pl.concat([each.filter(pl.col("instant") < until) for each in events], how="diagonal"))


def added_up(bends: pl.DataFrame) -> pl.DataFrame:
    """Add up the bends of one subject at one instant."""
    return bends.group_by("row", "instant").agg(pl.exclude("row", "instant").sum())


def rolled(bends: pl.DataFrame, windows: Mapping[str, int], until: int) -> pl.DataFrame:
    """Tell of subjects what lies in the windows that end at an instant, as lines from each bend to the next.

    Args:
        bends: as `bends` gives them, added up.
        windows: as for them.
        until: as for them.

    Returns:
        In order: ``row, starts_at, ends_at``; ``service_now`` and so on, the slopes as they are meanwhile; and for each
        window by its name ``service_NAME`` and so on, at the start, and ``service_NAME_slope`` and so on.

    """
    counts, columns = ([f"{slope}_{name}" for name in names for slope in SLOPES] for names in ((NOW,), windows))
    ordered = bends.sort("row", "instant")
    is_first = pl.col("row").ne_missing(pl.col("row").shift())
    slopes = ordered.with_columns(_along(pl.col(column), is_first).alias(column) for column in (*counts, *columns))
    passed = pl.when(is_first).then(0).otherwise(pl.col("instant") - pl.col("instant").shift())
    rises = (pl.col(f"{column}_jump") + pl.col(column).shift().fill_null(0) * passed for column in columns)
    ends_at = pl.when(pl.col("row") == pl.col("row").shift(-1)).then(pl.col("instant").shift(-1)).otherwise(until)
    told = slopes.select(
        "row",
        pl.col("instant").alias("starts_at"),
        ends_at.alias("ends_at"),
        *counts,
        *(pl.col(column).alias(f"{column}_slope") for column in columns),
        *(rise.alias(column) for column, rise in zip(columns, rises, strict=True)),
    )
    return told.with_columns(_along(pl.col(column), is_first).alias(column) for column in columns)


def _events(steps: pl.DataFrame, name: str, later: int, sign: int) -> pl.DataFrame:
    """Tell where steps enter the window, or leave it: what has done so before the start counts there at once."""
    at = pl.col("instant") + later
    return steps.select(
        "row",
        pl.max_horizontal(at, "starts_at").alias("instant"),
        *((pl.col(slope) * sign).alias(f"{slope}_{name}") for slope in SLOPES),
        *(
            (pl.col(slope) * sign * (pl.col("starts_at") - at).clip(lower_bound=0)).alias(f"{slope}_{name}_jump")
            for slope in SLOPES
        ),
    )


def _along(step: pl.Expr, is_first: pl.Expr) -> pl.Expr:
    """Add up along each subject. Over all of them it may go round in 64 bits; the difference comes back."""
    total = step.cum_sum()
    return total - pl.when(is_first).then(total - step).forward_fill()
