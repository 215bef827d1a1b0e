"""Windows that roll: service time, uptime and downtime in the last so many hours, as functions of the instant.

Each is a line that bends where a slope changes, and once more where that leaves the window. So its bends, and its value
and slope at each, tell it everywhere, to the microsecond.
"""

from collections.abc import Mapping

import polars as pl

from storemon.engine.line import Line
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
        ``row, instant``; ``service_now`` and so on: by how much the slope changes; for each window by its name
        ``service_NAME`` and so on: by how much less it changes there, as it did so before; and ``service_NAME_jump``
        and so on: by how much the value does.

    """
    late, early = [], []
    for name, length in {NOW: 0, **windows}.items():
        moved = steps.select(
            "row",
            "starts_at",
            (pl.col("instant") + length).alias("instant"),
            *(pl.col(slope).alias(f"{slope}_{name}") for slope in SLOPES),
        ).filter(pl.col("instant") < until)
        late.append(moved.filter(pl.col("instant") >= pl.col("starts_at")).drop("starts_at"))
        early.append(_at_start(moved.filter(pl.col("instant") < pl.col("starts_at")), name, windows))
    at_start = added_up(pl.concat(early, how="diagonal"))
    return pl.concat([at_start, *late], how="diagonal").with_columns(pl.exclude("row", "instant").fill_null(0))


def _at_start(moved: pl.DataFrame, name: str, windows: Mapping[str, int]) -> pl.DataFrame:
    """Let what was before the start count there at once: the slope, and what it has come to until then."""
    past = {slope: pl.col(f"{slope}_{name}") * (pl.col("starts_at") - pl.col("instant")) for slope in SLOPES}
    jumps = [
        (past[slope] * (1 if name == NOW else -1)).alias(f"{slope}_{window}_jump")
        for window in windows
        for slope in SLOPES
        if name in (NOW, window)
    ]
    here = moved.select("row", *(f"{slope}_{name}" for slope in SLOPES), *jumps, instant="starts_at")
    return added_up(here)


def added_up(bends: pl.DataFrame) -> pl.DataFrame:
    """Add up the bends of one subject at one instant."""
    return bends.group_by("row", "instant").agg(pl.exclude("row", "instant").sum())


def rolled(bends: pl.DataFrame, windows: Mapping[str, int], until: int) -> pl.DataFrame:
    """Tell of subjects what lies in the windows that end at an instant, as lines from each bend to the next.

    Args:
        bends: as `bends` gives them.
        windows: as for them.
        until: as for them.

    Returns:
        In order: ``row, starts_at, ends_at``; ``service_now`` and so on, the slopes as they are meanwhile; and for each
        window by its name ``service_NAME`` and so on, at the start, and ``service_NAME_slope`` and so on.

    """
    is_first = pl.col("row").ne_missing(pl.col("row").shift())
    line = Line.through(bends.select("instant", store_key="row"))
    placed = bends.with_columns(line.place("instant", "row")).sort("at").drop("at")
    ordered = placed.with_columns(subject=pl.col("row").rle_id())
    steps = [f"{slope}_{name}" for name in (NOW, *windows) for slope in SLOPES]
    counts = ordered.with_columns(_along(pl.col(column), is_first).alias(column) for column in steps)
    slopes = counts.with_columns(
        (pl.col(f"{slope}_{NOW}") - pl.col(f"{slope}_{name}")).alias(f"{slope}_{name}_slope")
        for name in windows
        for slope in SLOPES
    )
    passed = pl.when(is_first).then(0).otherwise(pl.col("instant") - pl.col("instant").shift())
    columns = [f"{slope}_{name}" for name in windows for slope in SLOPES]
    rises = slopes.with_columns(
        (pl.col(f"{column}_jump") + pl.col(f"{column}_slope").shift().fill_null(0) * passed).alias(column)
        for column in columns
    )
    values = rises.with_columns(_along(pl.col(column), is_first).alias(column) for column in columns)
    ends_at = pl.when(pl.col("row") == pl.col("row").shift(-1)).then(pl.col("instant").shift(-1)).otherwise(until)
    told = values.select(
        "row",
        pl.col("instant").alias("starts_at"),
        ends_at.alias("ends_at"),
        *steps[: len(SLOPES)],
        *(f"{column}_slope" for column in columns),
        *columns,
    )
    return told.filter(pl.col("starts_at") < pl.col("ends_at"))


def _along(step: pl.Expr, is_first: pl.Expr) -> pl.Expr:
    """Add up along each ``subject``, by its number.

    Over all of them it may go round in 64 bits; the difference comes back.
    """
    total = step.cum_sum()
    return total - (total - step).filter(is_first).gather("subject")
