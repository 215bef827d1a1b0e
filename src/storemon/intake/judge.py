"""Raw text in, typed fields and verdicts out, in bulk: which rows can be read, and why the others can't."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import polars as pl

from storemon.intake.forms import Form, known_zones
from storemon.lake.duck import connect

BATCH = 100_000
"""Rows that are judged at a time."""
_AHEAD = "16MB"  # of rows that DuckDB may judge while those before them are taken in; its default is less than a batch


def judging(form: Form, source: str, *also: str) -> str:
    """Compose the SELECT of a form's fields and of the ``verdict``: why a row can't be read, null for a good one.

    Args:
        form: what the rows must look like.
        source: an SQL relation with the form's columns under their ``raw`` names, all text.
        also: columns of ``source`` to hand through.

    """
    may_fail = [field for field in form.fields if field.reason]
    reasons = [(f"{field.name} IS NULL AND NOT {field.name}_is_empty", field.reason) for field in may_fail]
    typed = [f"{field.sql} AS {field.name}" for field in form.fields]
    empty = [f"{field.empty} AS {field.name}_is_empty" for field in may_fail]
    cases = " ".join(f"WHEN {condition} THEN '{reason}'" for condition, reason in (*reasons, *form.limits))
    return f"SELECT *, CASE {cases} END AS verdict FROM (SELECT {', '.join((*typed, *empty, *also))} FROM {source})"


def judged(
    query: str, params: Mapping[str, object], horizon: datetime, **frames: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Run what `judging` composed, over ``frames`` by their names if it reads any; yield batches of rows.

    ``horizon`` is the latest instant at which a poll is believed; a naive one is UTC.
    """
    with connect() as con:
        con.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
        for name, frame in frames.items():
            con.register(name, frame.to_arrow())
        con.register("known_zones", known_zones().to_arrow()) if "known_zones" in query else None
        latest = (horizon.astimezone(UTC) if horizon.tzinfo else horizon).replace(tzinfo=None)
        limit = {"horizon": latest} if "$horizon" in query else {}
        for batch in con.sql(query, params={**params, **limit}).to_arrow_reader(BATCH):
            yield pl.DataFrame(batch)


def compact(batch: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Narrow a batch to the form's fields, in their types."""
    instants = pl.selectors.datetime(time_zone=None).dt.replace_time_zone("UTC")
    return batch.select(form.schema.names()).with_columns(instants).cast(form.schema)


def no_rows(form: Form) -> pl.DataFrame:
    """Make an empty frame of what `compact` gives."""
    return pl.DataFrame(schema=form.schema)
