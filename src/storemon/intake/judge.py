"""Raw text in, typed fields and verdicts out, in bulk: which rows can be read, and why the others can't."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import polars as pl

from storemon.intake.forms.fields import Field
from storemon.intake.forms.known import Form
from storemon.intake.forms.zone_names import known_zones
from storemon.lake.duck import connect, offer

CLOCK_SLACK = timedelta(days=1)
"""How far ahead of the clock of this machine a poll is believed."""
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
    typed = {field.name: f"{field.sql} AS {field.name}" for field in form.fields}
    empty = [f"{field.empty} AS {field.name}_is_empty" for field in may_fail]
    raw = [name for name in form.raw if name not in typed]
    failed = [(f"{field.name} IS NULL AND NOT {field.name}_is_empty", _why(field)) for field in may_fail]
    limits = [(condition, f"'{reason}'") for condition, reason in form.limits]
    cases = " ".join(f"WHEN {condition} THEN {reason}" for condition, reason in (*failed, *limits))
    read = f"SELECT {', '.join((*typed.values(), *empty, *raw, *also))} FROM {source}"
    return f"SELECT {', '.join((*typed, *also))}, CASE {cases} END AS verdict FROM ({read})"


def _why(field: Field) -> str:
    cases = " ".join(f"WHEN {condition} THEN '{reason}'" for condition, reason in field.reasons)
    return f"CASE {cases} ELSE '{field.reason}' END" if cases else f"'{field.reason}'"


def judged(
    query: str, params: Mapping[str, object], horizon: datetime, **frames: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Run what `judging` composed, over ``frames`` by their names if it reads any; yield batches of rows.

    ``params`` are those of `storemon.intake.reading.Reading` and of the source; ``horizon`` is the latest instant at
    which a poll is believed, a naive one is UTC.
    """
    with connect() as con:
        con.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
        for name, frame in frames.items():
            offer(con, name, frame)
        offer(con, "known_zones", known_zones()) if "known_zones" in query else None
        latest = (horizon.astimezone(UTC) if horizon.tzinfo else horizon).replace(tzinfo=None)
        bound = {name: value for name, value in {**params, "horizon": latest}.items() if f"${name}" in query}
        for batch in con.sql(query, params=bound).to_arrow_reader(BATCH):
            yield pl.DataFrame(batch)


def compact(batch: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Narrow a batch to the form's fields, in their types."""
    instants = pl.selectors.datetime(time_zone=None).dt.replace_time_zone("UTC")
    return batch.select(form.schema.names()).with_columns(instants).cast(form.schema)


def no_rows(form: Form) -> pl.DataFrame:
    """Make an empty frame of what `compact` gives."""
    return pl.DataFrame(schema=form.schema)
