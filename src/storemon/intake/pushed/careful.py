"""The careful way: the raw texts of each row, judged by the rules of a CSV of polls."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl

from storemon.intake.forms.fields import NAME_THE_FORM, unit_of
from storemon.intake.forms.known import POLLS_FORM
from storemon.intake.judge import judged, judging
from storemon.intake.pushed.polls import CONTROL, LONGEST_ID, PUSHED_SCHEMA, Pushed
from storemon.intake.reading import AS_USUAL

Record = tuple[int, *tuple[str | None, ...]]
"""Its line, the texts of ``store_id, status, timestamp_utc``, the row as it stood, and what is damaged in it."""
RECORDS = pl.Schema(
    {"line": pl.Int64()} | dict.fromkeys(("store_id", "status", "timestamp_utc", "row", "damage"), pl.String())
)
NOTHING = (None, None, None)
"""The texts of a damaged row."""
_LONGEST_ROW = 500  # characters
_QUERY = judging(POLLS_FORM, "records", "line", "row", "damage")


def judge_records(records: Iterable[Record], horizon: int) -> Pushed:
    """Judge the rows of a body, see `judge`."""
    return judge(pl.DataFrame([*records], schema=RECORDS, orient="row"), horizon)


def judge(records: pl.DataFrame, horizon: int) -> Pushed:
    """Judge the rows of a body.

    Args:
        records: columns as in `RECORDS`.
        horizon: the latest instant at which a poll is believed, in microseconds from 1970.

    """
    params = AS_USUAL.params(unit_of(records["timestamp_utc"]))
    latest = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=horizon)
    parts = [*judged(_QUERY, params, latest, records=records)]
    if not parts:
        return Pushed.all_of(pl.DataFrame(schema=PUSHED_SCHEMA))
    rows = (
        pl.concat(parts)
        .sort("line")
        .with_columns(  # a look-up mixes them
            reason=pl.coalesce("damage", "verdict", _wrong_with(pl.col("store_id")))
        )
    )
    is_good = pl.col("reason").is_null()
    instants = pl.col("polled_at").dt.replace_time_zone("UTC")
    polls = rows.filter(is_good).with_columns(instants).select(*PUSHED_SCHEMA.names()).cast(PUSHED_SCHEMA)
    return Pushed(polls, rows.filter(~is_good).select("line", _cut(pl.col("row")), _told(pl.col("reason"))))


def _wrong_with(store_id: pl.Expr) -> pl.Expr:
    return (
        pl.when(store_id.str.len_chars() > LONGEST_ID)
        .then(pl.lit(f"store_id has more than {LONGEST_ID} characters"))
        .when(store_id.str.contains(CONTROL))
        .then(pl.lit("store_id has a control character in it, such as the end of a line"))
    )


def _cut(row: pl.Expr) -> pl.Expr:
    is_long = row.str.len_chars() > _LONGEST_ROW
    return pl.when(is_long).then(pl.concat_str(row.str.head(_LONGEST_ROW), pl.lit("…"))).otherwise(row).alias("row")


def _told(reason: pl.Expr) -> pl.Expr:
    """Say what a sender can do, who has no flags; a reason may quote what was sent, so it is cut as well."""
    return _cut(reason.str.replace(NAME_THE_FORM, "write it like 2024-10-03", literal=True)).alias("reason")
