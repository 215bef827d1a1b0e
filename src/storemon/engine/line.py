"""One line of all stores: what is in order on it is so by store and instant, after a sort of single numbers."""

from dataclasses import dataclass
from typing import Self

import polars as pl


@dataclass(frozen=True)
class Line:
    """The lines of all stores, each after the one before."""

    first_key: int
    first_at: int
    length: int
    dtype: type[pl.Int64 | pl.Int128]

    @classmethod
    def through(cls, *points: pl.DataFrame) -> Self:
        """Draw the line through points: ``store_key, instant``."""
        ends = pl.concat([each.select("store_key", "instant") for each in points]).select(
            pl.all().min().fill_null(0).name.prefix("first_"), pl.all().max().fill_null(0).name.prefix("last_")
        )
        (first_key, first_at, last_key, last_at) = ends.row(0)
        length = last_at - first_at + 1
        fits = (last_key - first_key + 1) * length < 1 << 63
        return cls(first_key, first_at, length, pl.Int64 if fits else pl.Int128)

    def place(self, name: str, key: str = "store_key") -> pl.Expr:
        """Place an instant of a store, or of what else has a ``key``, on the line, as ``at``."""
        stores_before = (pl.col(key) - self.first_key).cast(self.dtype)
        return (stores_before * self.length + (pl.col(name) - self.first_at)).alias("at")
