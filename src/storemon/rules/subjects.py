"""The subjects of a rule: each store that it asks about, or groups of them."""

from dataclasses import dataclass

import polars as pl

from storemon.engine.rows import rows_of
from storemon.engine.tags import matching
from storemon.lake.snapshot import Snapshot
from storemon.rules.rule import Rule

ALL_STORES = "all stores"
"""The subject of a rule that asks about all stores together."""


@dataclass(frozen=True)
class Subjects:
    """The subjects of a rule.

    Attributes:
        stores: those that the rule asks about, as `storemon.engine.chosen.chosen_stores` gives them, each with the
            ``row`` of the subject that it belongs to.
        names: ``row, subject``: the id of a store, or the tags of a group, like ``region=West, city=Rome``.

    """

    stores: pl.DataFrame
    names: pl.DataFrame


def subjects_of(snapshot: Snapshot, stores: pl.DataFrame, rule: Rule) -> Subjects:
    """Find the subjects of a rule, of stores as `storemon.engine.chosen.chosen_stores` gives them.

    Raises:
        InputError: the rule names a tag, or the value of one, that no store has.

    """
    some = matching(stores, snapshot.tags(), rule.where) if rule.where else stores
    if not rule.of_groups:
        placed = some.with_columns(row=pl.col("store_key").cast(pl.Int64))
        return Subjects(placed, placed.select("row", subject="store_id"))
    rows = rows_of(snapshot, some, rule.by)
    groups = pl.DataFrame(rows.names).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    named = [pl.format("{}={}", pl.lit(tag), pl.col(tag)) for tag in rule.by]
    subject = pl.concat_str(named, separator=", ") if named else pl.lit(ALL_STORES)
    return Subjects(
        rows.stores.with_columns(pl.col("row").cast(pl.Int64)), groups.select("row", subject=subject.cast(pl.String))
    )
