"""How each kind of field is read: SQL that turns the raw text of a row into a typed value, null where that fails.

What was said of a file beforehand, and found out about it, is bound to the names that `storemon.intake.reading` gives.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

_INSTANT = r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
_OFFSET = r"[+-]([01]\d|2[0-3])(:?[0-5]\d)?"
_TIME_OF_DAY = r"\d{1,2}:[0-5]\d(:[0-5]\d)?"
_HALF_DAY = r"(0?[1-9]|1[0-2]):[0-5]\d(:[0-5]\d)? ?[ap]\.?m\.?"
_DATE = r"\d{4}-\d\d-\d\d"
_NUMBER = r"\d{1,18}"
_DAY_OR_MONTH_FIRST = r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?"
_MIDNIGHT = r"([ T]00:00:00(\.0+)?)?"
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_SHORT_WEEKDAYS = [name[:3] for name in _WEEKDAYS]
_SHORTENED = [*_SHORT_WEEKDAYS, "tues", "wednes", "weds", "thur", "thurs"]
_SCALES = ((10**9, 1_000_000), (10**12, 1_000), (10**15, 1))
"""From which size a whole number is Unix time in seconds, milliseconds, microseconds, and how long its unit is.

Each begins in 2001 and goes on for 99 times as long: so a number or a date that was cut off is none of them.
"""
NAME_THE_FORM = "name its form, like --timestamps %m/%d/%Y"
"""What to do about a date that could mean two."""
UNITS = {1_000_000: "seconds", 1_000: "milliseconds", 1: "microseconds"}
"""The units of Unix time, by their length in microseconds."""


@dataclass(frozen=True)
class Field:
    """One typed column: the SQL that reads it from the raw text, and why that may fail."""

    name: str
    sql: str
    reason: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    """More telling reasons, each after its condition on the raw text; the first one that holds is given."""
    empty: str = "false"
    """Condition on the raw text under which null is no failure, but what the row says."""
    dtype: pl.DataType | None = None
    """Its type, where the column is not one of the table's."""


def instant_field(name: str, column: str) -> Field:
    """Make the field of an instant; a number or a date that could mean two instants is told as such."""
    return Field(
        name,
        instant(column),
        f"{column} is not an instant like 2024-10-03 23:33:20.412748 UTC",
        (
            ("$timestamps IS NOT NULL", f"{column} does not have the form that --timestamps names"),
            (
                f"regexp_full_match(trim({column}), '{_NUMBER}')",
                f"{column} is a number, but not Unix time: 10 digits (or 13, or 16) in all of the file",
            ),
            (
                f"regexp_full_match(trim({column}), '{_DAY_OR_MONTH_FIRST}')",
                f"{column} could have the day or the month first; {NAME_THE_FORM}",
            ),
        ),
    )


def instant(column: str) -> str:
    """Read an instant. DuckDB's casts are lenient (a date alone, ``infinity``, 24:30), so its shape is judged first.

    A fraction is cut to microseconds. A form that was named is the only one then: what does not fit it might mean
    something else.
    """
    return f"""CASE
        WHEN $timestamps IS NOT NULL THEN CAST(try_strptime(trim({column}), $timestamps) AS TIMESTAMP)
        WHEN regexp_full_match({column}, '{_INSTANT} UTC') THEN try_cast({column} AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *(UTC|Z)? *')
        THEN try_cast(regexp_extract({column}, '{_INSTANT}') AS TIMESTAMP)
        WHEN regexp_full_match({column}, ' *{_INSTANT} *{_OFFSET} *')
        THEN CAST(try_cast(regexp_replace({column}, ' +([+-])', '\\1') AS TIMESTAMPTZ) AS TIMESTAMP)
        WHEN regexp_full_match(trim({column}), '{_NUMBER}')
        THEN {_unix_time(f"CAST(trim({column}) AS BIGINT)")}
    END"""


def _unix_time(number: str) -> str:
    cases = " ".join(
        f"WHEN {number} >= {least} AND {number} < {100 * least} AND coalesce($unit, {length}) = {length} "
        f"THEN make_timestamp({number} * {length})"
        for least, length in _SCALES
    )
    return f"CASE {cases} END"


def unit_of(texts: Iterable[str | None]) -> int | None:
    """Tell the unit of the first text that is Unix time, by its length in microseconds; None where none is."""
    for text in texts:
        written = (text or "").strip()
        if re.fullmatch(_NUMBER, written, re.ASCII):
            for least, length in _SCALES:
                if least <= int(written) < 100 * least:
                    return length
    return None


def status(column: str) -> str:
    """Read whether a store was active. The plain words come first, for most files have no others.

    All others are looked up at once: DuckDB computes what stands in an expression twice for every row.
    """
    return f"""CASE WHEN {column} = 'active' THEN true WHEN {column} = 'inactive' THEN false
        ELSE list_extract($meanings, list_position($words, lower(trim({column})))) END"""


def weekday(column: str) -> str:
    """Read a weekday, 0 to 6 from Monday, or its name, whole or shortened."""
    word = f"rtrim(lower(trim({column})), '.')"
    return f"""CASE WHEN regexp_full_match({column}, ' *[0-6] *') THEN CAST({column} AS TINYINT)
        WHEN list_contains({_WEEKDAYS + _SHORTENED}, {word})
        THEN CAST(list_position({_SHORT_WEEKDAYS}, left({word}, 3)) - 1 AS TINYINT) END"""


def seconds_of_day(column: str) -> str:
    """Read a time of day, 00:00 to 24:00, or 12:00 AM to 11:59 PM, as seconds after midnight."""
    text = f"trim({column})"
    seconds, digits = _seconds(text), f"regexp_extract({text}, '[0-9:]+')"
    # At noon and at midnight the hour is told as 12, which is 0.
    half_day = f"{_seconds(digits)} - CASE WHEN {digits} LIKE '12%' THEN 43200 ELSE 0 END"
    afternoon = f"CASE WHEN contains(lower({text}), 'p') THEN 43200 ELSE 0 END"
    return f"""CASE WHEN regexp_full_match({text}, '{_TIME_OF_DAY}') AND {seconds} <= 86400 THEN {seconds}
        WHEN regexp_full_match({text}, '{_HALF_DAY}', 'i') THEN {half_day} + {afternoon} END"""


def _seconds(text: str) -> str:
    return " + ".join(
        f"{length} * coalesce(try_cast(split_part({text}, ':', {part}) AS INTEGER), 0)"
        for part, length in ((1, 3600), (2, 60), (3, 1))
    )


def date(column: str) -> str:
    """Read a date of the years 1 to 9999, or the midnight that others write for it; DuckDB has a year 0."""
    cast = f"try_cast(left(trim({column}), 10) AS DATE)"
    is_date = f"regexp_full_match(trim({column}), '{_DATE}{_MIDNIGHT}')"
    return f"CASE WHEN {is_date} AND {cast} >= DATE '0001-01-01' THEN {cast} END"


def zone(column: str) -> str:
    """Read a time zone by its IANA name in any case, or by the name that Windows has for it."""
    return f"(SELECT zone FROM known_zones WHERE written = lower(trim({column})))"


def text(column: str) -> str:
    """Read a text that may be empty, trimmed."""
    return f"trim(coalesce({column}, ''))"


STORE_ID = Field(
    "store_id",
    # A trim copies every id; few need it.
    "CASE WHEN store_id LIKE ' %' OR store_id LIKE '% ' THEN nullif(trim(store_id), '') ELSE nullif(store_id, '') END",
    "store_id is empty",
)
