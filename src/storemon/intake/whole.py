"""The tables that a new file replaces whole: all but the polls."""

import polars as pl

from storemon.intake.forms.known import Form
from storemon.intake.forms.tags import tags_of
from storemon.lake.schemas import TAGS
from storemon.lake.tables import Opened, Tables


def as_kept(form: Form, accepted: pl.DataFrame) -> pl.DataFrame:
    """Turn a file's rows into the table's, in order, without repeats."""
    rows = accepted.cast({"store_id": pl.String}).unique()
    return tags_of(form, rows.sort("store_id")) if form.table is TAGS else rows.sort(pl.all())


def replace(tables: Tables, read: Opened, form: Form, accepted: pl.DataFrame) -> int:
    """Replace the table if it has other rows than the file, and say how many of the file's rows are new.

    A row of stores.csv is new if it says of its store anything else than the table did.

    Raises:
        ConflictError: somebody committed since ``read`` was opened.
        LakeError: the table cannot be read or written.

    """
    rows, before = as_kept(form, accepted), read.read()
    new = _lacking(rows, before)
    gone = len(before) - (len(rows) - len(new))
    if len(new) or gone:
        files = tables.write(read, [rows] if len(rows) else [])
        tables.commit(read, files, instead_of=read.files)
    if form.table is not TAGS:
        return len(new)
    others = pl.concat([new, _lacking(before, rows) if gone else new]).select("store_id").unique()
    return len(others.join(accepted.select(pl.col("store_id").cast(pl.String)), on="store_id", how="semi"))


def _lacking(these: pl.DataFrame, those: pl.DataFrame) -> pl.DataFrame:
    """Pick the rows of these that those lack; nulls are equal."""
    return these.join(those, on=these.columns, how="anti", nulls_equal=True)
