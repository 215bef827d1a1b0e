"""The tables that a new file replaces whole: all but the polls."""

import polars as pl

from storemon.lake.forms import Form
from storemon.lake.schemas import TAGS
from storemon.lake.stores import tags_of
from storemon.lake.tables import Opened, Tables


def as_kept(form: Form, accepted: pl.DataFrame) -> pl.DataFrame:
    """Turn a file's rows into the table's, sorted, without repeats."""
    rows = tags_of(form, accepted) if form.table is TAGS else accepted
    return rows.cast({"store_id": pl.String}).unique().sort(pl.all())


def replace(tables: Tables, read: Opened, form: Form, accepted: pl.DataFrame) -> int:
    """Replace the table if it has other rows than the file, and say how many of the file's rows are new.

    A row of stores.csv is new if it says of its store anything else than the table did.

    Raises:
        ConflictError: somebody committed since ``read`` was opened.
        LakeError: the table cannot be read or written.

    """
    rows, before = as_kept(form, accepted), read.read()
    new = rows.join(before, on=rows.columns, how="anti", nulls_equal=True)
    gone = before.join(rows, on=rows.columns, how="anti", nulls_equal=True)
    if len(new) or len(gone):
        tables.commit(read, rows, replace=True)
    if form.table is not TAGS:
        return len(new)
    others = pl.concat([new, gone]).select("store_id").unique()
    return len(others.join(accepted.select(pl.col("store_id").cast(pl.String)), on="store_id", how="semi"))
