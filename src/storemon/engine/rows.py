"""The rows of an answer: stores, or groups of them, and the columns that say which is which."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from storemon.engine.facts import Facts
from storemon.engine.tags import with_tags
from storemon.errors import InputError


@dataclass(frozen=True)
class Rows:
    """The rows of an answer.

    Attributes:
        places: ``store_key, row``: in which row, counted from zero, a store is told of.
        names: the columns that name the rows, in their order.

    """

    places: pl.DataFrame
    names: tuple[pl.Series, ...]

    def named(self, rows: pl.Series) -> list[pl.Series]:
        """Repeat the columns that name the rows, for an answer that tells of them in this order."""
        return [name.gather(rows) for name in self.names]


def rows_of(facts: Facts, group_by: Sequence[str] | None) -> Rows:
    """Make a row for each store, named by ``store_id``; or for each group of stores that have the same tags.

    A group is named by its tags, which order the rows, and by ``stores``, how many it has. No tags at all make one
    group of all stores.

    Raises:
        InputError: there is no such tag, or one is named twice; the text gives the nearest names.

    """
    stores = facts.stores.select("store_key", "store_id")
    if group_by is None:
        return Rows(stores.with_row_index("row").select("store_key", "row"), (stores["store_id"],))
    values = with_tags(stores.select("store_id"), facts.snapshot.tags(), group_by)
    # A tag may have any name: here they go by their places.
    keys = dict(zip(map(str, range(len(group_by))), group_by, strict=True))
    tagged = stores.select("store_key", pl.lit(0).alias("all"), *(values[tag].alias(key) for key, tag in keys.items()))
    groups = tagged.group_by("all", *keys).agg(pl.len().alias("stores")).sort("all", *keys).with_row_index("row")
    names = (groups[key].alias(tag) for key, tag in keys.items())
    return Rows(tagged.join(groups, on=["all", *keys]).select("store_key", "row"), (*names, groups["stores"]))


def side_by_side(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Put columns into a frame.

    Raises:
        InputError: two have one name.

    """
    names = [column.name for column in columns]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two columns are called {twice[0]!r}; give the window or the tag another name")
    return pl.DataFrame(columns)
