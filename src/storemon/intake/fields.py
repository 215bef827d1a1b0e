"""How each kind of field is read: SQL that turns the raw text of a row into a typed value, null where that fails."""

from dataclasses import dataclass

import polars as pl

_INSTANT = r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
_OFFSET = r"[+-]([01]\d|2[0-3])(:?[0-5]\d)?"
_TIME_OF_DAY = r"\d{1,2}:[0-5]\d(:[0-5]\d)?"
_DATE = r"\d{4}-\d\d-\d\d"


@dataclass(frozen=True)
class Field:
    """One typed column: the SQL that reads it from the raw text, and why that may fail."""

    name: str
    sql: str
    reason: str = ""
    empty: str = "false"
    """Condition on the raw text under which null is no failure, but what the row says."""
    dtype: pl.DataType | None = None
    """Its type, where the column is not one of the table's."""


def instant(column: str) -> str:
    """Read an instant. DuckDB's casts are lenient (a date alone, ``infinity``, 24:30), so its shape is judged first."""
    return f"""CASE
        WHEN regexp_full_match({column}, '{_INSTANT} UTC') THEN try_cast({column} AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *(UTC|Z)? *')
        THEN try_cast(regexp_extract({column}, '{_INSTANT}') AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *{_OFFSET} *')
        THEN CAST(try_cast(regexp_replace({column}, ' +([+-])', '\\1') AS TIMESTAMPTZ) AS TIMESTAMP)
    END"""


def seconds_of_day(column: str) -> str:
    """Read a time of day, 00:00 to 24:00, as seconds after midnight."""
    text = f"trim({column})"
    seconds = " + ".join(
        f"{length} * coalesce(try_cast(split_part({text}, ':', {part}) AS INTEGER), 0)"
        for part, length in ((1, 3600), (2, 60), (3, 1))
    )
    return f"CASE WHEN regexp_full_match({text}, '{_TIME_OF_DAY}') AND {seconds} <= 86400 THEN {seconds} END"


def date(column: str) -> str:
    """Read a date of the years 1 to 9999; DuckDB has a year 0."""
    cast = f"try_cast(trim({column}) AS DATE)"
    return f"CASE WHEN regexp_full_match(trim({column}), '{_DATE}') AND {cast} >= DATE '0001-01-01' THEN {cast} END"


def text(column: str) -> str:
    """Read a text that may be empty, trimmed."""
    return f"trim(coalesce({column}, ''))"


STORE_ID = Field(
    "store_id",
    # A trim copies every id; few need it.
    "CASE WHEN store_id LIKE ' %' OR store_id LIKE '% ' THEN nullif(trim(store_id), '') ELSE nullif(store_id, '') END",
    "store_id is empty",
)
