"""Tags: what stores.csv says of each store, by which answers are filtered and grouped."""

from collections.abc import Mapping, Sequence

import polars as pl

from storemon.engine.question import require_one_of
from storemon.errors import InputError


def parse_where(conditions: Sequence[str]) -> dict[str, str]:
    """Read conditions like ``region=West``; ``region=`` means the stores without a region.

    Raises:
        InputError: one is not written like that, or a tag is named twice.

    """
    found: dict[str, str] = {}
    for condition in conditions:
        tag, equals, value = (part.strip() for part in condition.partition("="))
        if not (equals and tag):
            raise InputError(f"{condition!r} is not a condition; write it like region=West")
        if tag in found:
            raise InputError(f"{tag} cannot be both {found[tag]!r} and {value!r}; keep one condition for each tag")
        found[tag] = value
    return found


def with_tags(stores: pl.DataFrame, tags: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Put each store's tags beside its ``store_id``, a column for each name, empty where the store lacks it.

    Args:
        stores: with a ``store_id``; the rows keep their order.
        tags: ``store_id, tag, value``.
        names: the tags.

    Raises:
        InputError: there is no such tag, or one is named twice; the text gives the nearest names.

    """
    known = tags["tag"].unique().sort().to_list()
    for name in names:
        require_one_of(name, known, "tag")
        if names.count(name) > 1:
            raise InputError(f"the tag {name!r} is named twice")
        values = tags.filter(pl.col("tag") == name).select("store_id", pl.col("value").alias(name))
        stores = stores.join(values, on="store_id", how="left", maintain_order="left")
    return stores.with_columns(pl.col(names).fill_null(""))


def matching(stores: pl.DataFrame, tags: pl.DataFrame, where: Mapping[str, str]) -> pl.DataFrame:
    """Keep the stores that have every tag of ``where``, in their order; an empty value means to lack it.

    Raises:
        InputError: there is no such tag, or no store has such a value; the text gives the nearest names.

    """
    for tag, value in where.items():
        beside = with_tags(stores.select("store_id"), tags, [tag])
        if value:
            require_one_of(value, tags.filter(pl.col("tag") == tag)["value"].unique().sort().to_list(), tag)
        stores = stores.filter(beside[tag] == value)
    return stores
