"""Keys of stores, in ranges: in which the polls of some stores are to be found."""

from collections.abc import Sequence

import polars as pl

Keys = Sequence[tuple[int, int]]
"""The first and the last ``store_key`` of one range, or several."""

_MOST_RANGES = 8


def key_ranges(keys: pl.Series) -> tuple[Keys, bool]:
    """Cover distinct keys with a few ranges, and say whether these have no other keys in them.

    Stores that became known together have keys in the order of their ids: then a range of ids has few ranges of keys.
    """
    keys = keys.sort()
    gaps = pl.DataFrame({"ends": keys.head(-1), "starts": keys.tail(-1)}).filter(pl.col("starts") - pl.col("ends") > 1)
    widest = gaps.top_k(_MOST_RANGES - 1, by=pl.col("starts") - pl.col("ends")).sort("ends")
    firsts, lasts = [*keys.head(1), *widest["starts"]], [*widest["ends"], *keys.tail(1)]
    return list(zip(firsts, lasts, strict=True)), len(widest) == len(gaps)
