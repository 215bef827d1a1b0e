"""What each of the CSVs must look like: its columns by name, and what each field means.

A form's fields are read from the raw text of a row by SQL expressions. One that gives null says that the row cannot be
read, for the reason beside it; the rules are those of docs/semantics.md, "Input".
"""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

import polars as pl

from storemon.lake.tables import HOURS, POLLS, ZONES, Table

_INSTANT = r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
_OFFSET = r"[+-]([01]\d|2[0-3])(:?[0-5]\d)?"
_TIME_OF_DAY = r"\d{1,2}:[0-5]\d(:[0-5]\d)?"


@dataclass(frozen=True)
class Field:
    """One typed column: the SQL that reads it from the raw text, and why that may fail."""

    name: str
    sql: str
    reason: str


@dataclass(frozen=True)
class Form:
    """One kind of CSV: the file it is known by, the names its columns may have, and its typed fields."""

    table: Table
    file_name: str
    columns: tuple[tuple[str, ...], ...]
    fields: tuple[Field, ...]
    limits: tuple[tuple[str, str], ...] = ()
    """Conditions on the typed fields under which a row is rejected all the same, each with its reason."""


def _instant(column: str) -> str:
    """Read an instant. DuckDB's casts are lenient (a date alone, ``infinity``, 24:30), so its shape is judged first."""
    return f"""CASE
        WHEN regexp_full_match({column}, '{_INSTANT} UTC') THEN try_cast({column} AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *(UTC|Z)? *')
        THEN try_cast(regexp_extract({column}, '{_INSTANT}') AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *{_OFFSET} *')
        THEN CAST(try_cast(regexp_replace({column}, ' +([+-])', '\\1') AS TIMESTAMPTZ) AS TIMESTAMP)
    END"""


def _seconds_of_day(column: str) -> str:
    text = f"trim({column})"
    seconds = " + ".join(
        f"{length} * coalesce(try_cast(split_part({text}, ':', {part}) AS INTEGER), 0)"
        for part, length in ((1, 3600), (2, 60), (3, 1))
    )
    return f"CASE WHEN regexp_full_match({text}, '{_TIME_OF_DAY}') AND {seconds} <= 86400 THEN {seconds} END"


_STORE_ID = Field(
    "store_id",
    # A trim copies every id; few need it.
    "CASE WHEN store_id LIKE ' %' OR store_id LIKE '% ' THEN nullif(trim(store_id), '') ELSE nullif(store_id, '') END",
    "store_id is empty",
)

POLLS_FORM = Form(
    POLLS,
    "store_status.csv",
    (("store_id",), ("status",), ("timestamp_utc",)),
    (
        _STORE_ID,
        Field(
            "active",
            "CASE WHEN status = 'active' THEN true WHEN status = 'inactive' THEN false "
            "WHEN lower(trim(status)) = 'active' THEN true WHEN lower(trim(status)) = 'inactive' THEN false END",
            "status is neither active nor inactive",
        ),
        Field(
            "polled_at",
            _instant("timestamp_utc"),
            "timestamp_utc is not an instant like 2024-10-03 23:33:20.412748 UTC",
        ),
    ),
    limits=(
        ("polled_at < DATE '0001-01-01'", "timestamp_utc is before the year 1"),
        # One wild clock must not move every report's now.
        ("polled_at > $horizon", "timestamp_utc is more than a day ahead of the clock of this machine"),
    ),
)
HOURS_FORM = Form(
    HOURS,
    "menu_hours.csv",
    (("store_id",), ("dayOfWeek", "day"), ("start_time_local",), ("end_time_local",)),
    (
        _STORE_ID,
        Field(
            "weekday",
            "CASE WHEN regexp_full_match(dayOfWeek, ' *[0-6] *') THEN CAST(dayOfWeek AS TINYINT) END",
            "dayOfWeek is not a number from 0 (Monday) to 6",
        ),
        Field(
            "opens_local",
            _seconds_of_day("start_time_local"),
            "start_time_local is not a time of day from 00:00 to 24:00",
        ),
        Field(
            "closes_local",
            _seconds_of_day("end_time_local"),
            "end_time_local is not a time of day from 00:00 to 24:00",
        ),
    ),
)
ZONES_FORM = Form(
    ZONES,
    "timezones.csv",
    (("store_id",), ("timezone_str",)),
    (
        _STORE_ID,
        Field(
            "zone",
            "CASE WHEN trim(timezone_str) IN (SELECT zone FROM known_zones) THEN trim(timezone_str) END",
            "timezone_str is not a zone of the IANA database, like America/Chicago",
        ),
    ),
)
FORMS = (ZONES_FORM, HOURS_FORM, POLLS_FORM)  # in the order in which they are committed


@cache
def known_zones() -> pl.DataFrame:
    """List the zones of the IANA database: one column, ``zone``."""
    return pl.DataFrame({"zone": sorted(available_timezones() - {"localtime"})})  # that one is the machine's own
