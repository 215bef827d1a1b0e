"""Objectives: who has used up more than the target allows."""

import polars as pl
import polars.selectors as cs


def breaching(figures: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of a report, or of stores, whose budget is overspent in any window, the worst burn first.

    They are told with a target. Where one of 100 % leaves nothing to burn, the most overspent come first.
    """
    left = pl.min_horizontal(cs.starts_with("left_"))
    burn_rate = pl.max_horizontal(cs.starts_with("burn_rate_"))
    over = figures.filter(left < pl.duration())
    return over.sort(burn_rate, left, descending=[True, False], nulls_last=True, maintain_order=True)
