"""The rows of an answer: stores, or groups of them, and the columns that say which is which."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from storemon.engine.tags import with_tags
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot


@dataclass(frozen=True)
class Rows:
    """The rows of an answer.

    Attributes:
        stores: as `chosen_stores` gives them, and the ``row``, counted from zero, in which a store is told of.
        names: the columns that name the rows, in their order.

    """

    stores: pl.DataFrame
    names: tuple[pl.Series, ...]

    def named(self, rows: pl.Series) -> list[pl.Series]:
        """Repeat the columns that name the rows, for an answer that tells of them in this order."""
        return [name.gather(rows) for name in self.names]


def rows_of(snapshot: Snapshot, stores: pl.DataFrame, group_by: Sequence[str] | None) -> Rows:
    """Make a row for each store, named by ``store_id``; or for each group of stores that have the same tags.

    A group is named by its tags, which order the rows, and by ``stores``, how many it has. No tags at all make one
    group of all stores.

    Raises:
        InputError: there is no such tag, or one is named twice; the text gives the nearest names.

    """
    if group_by is None:
        return Rows(stores.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)), (stores["store_id"],))
    values = with_tags(stores.select("store_id"), snapshot.tags(), group_by)
    # A tag may have any name: here they go by their places.
    keys = dict(zip(map(str, range(len(group_by))), group_by, strict=True))
    tagged = stores.with_columns(pl.lit(0).alias("all"), *(values[tag].alias(key) for key, tag in keys.items()))
    groups = tagged.group_by("all", *keys).agg(pl.len().alias("stores")).sort("all", *keys).with_row_index("row")
    names = (groups[key].alias(tag) for key, tag in keys.items())
    placed = tagged.join(groups, on=["all", *keys], maintain_order="left").select(*stores.columns, "row")
    return Rows(placed, (*names, groups["stores"]))


def side_by_side(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Put columns into a frame.

    Raises:
        InputError: two have one name.

    """
    names = [column.name for column in columns]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two columns are called {twice[0]!r}; give the window or the tag another name")
    return pl.DataFrame(columns)
