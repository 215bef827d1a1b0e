"""What each of the CSVs must look like: its columns by name, and what each field means.

A form's fields are read from the raw text of a row by SQL expressions. One that gives null says that the row cannot be
read, for the reason beside it; the rules are those of docs/semantics.md, "Input".
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from storemon.intake.forms.fields import (
    STORE_ID,
    Field,
    date,
    instant_field,
    seconds_of_day,
    status,
    text,
    weekday,
    zone,
)
from storemon.lake.schemas import HOURS, MAINTENANCE, POLLS, SPECIAL_HOURS, TAGS, ZONES, Table


@dataclass(frozen=True, eq=False)
class Form:
    """One kind of CSV: the file it is known by, its columns, and its typed fields."""

    table: Table
    file_name: str
    columns: tuple[str, ...]
    fields: tuple[Field, ...]
    limits: tuple[tuple[str, str], ...] = ()
    """Conditions on the typed fields under which a row is rejected all the same, each with its reason."""
    contradiction: tuple[pl.Expr, str] | None = None
    """Condition, among all rows that can be read, under which one is rejected for what others say, with its reason."""

    @property
    def raw(self) -> tuple[str, ...]:
        """What the columns are called in SQL. A tag may have any name, and SQL does not tell them apart by case."""
        if self.table is TAGS:
            return ("store_id", *(f"value_{n}" for n in range(len(self.columns) - 1)))
        return self.columns

    @property
    def instants(self) -> tuple[str, ...]:
        """The columns of instants, as they are called in SQL."""
        return tuple(name for name in self.raw if name.endswith("_utc"))

    @property
    def schema(self) -> pl.Schema:
        """The types of the rows that are read; of ids many recur hundreds of times."""
        types = {field.name: field.dtype or self.table.schema[field.name] for field in self.fields}
        return pl.Schema({**types, "store_id": pl.Categorical()})


_NO_TIME = "{} is not a time of day from 00:00 to 24:00"
_NO_STORE = ("store_id = '*'", "* is every store, which is not one that can have this row")

POLLS_FORM = Form(
    POLLS,
    "store_status.csv",
    ("store_id", "status", "timestamp_utc"),
    (
        STORE_ID,
        Field("active", status("status"), "status is neither active nor inactive"),
        instant_field("polled_at", "timestamp_utc"),
    ),
    limits=(
        _NO_STORE,
        ("polled_at < DATE '0001-01-01'", "timestamp_utc is before the year 1"),
        # One wild clock must not move every report's now.
        ("polled_at > $horizon", "timestamp_utc is more than a day ahead of the clock of this machine"),
    ),
)
HOURS_FORM = Form(
    HOURS,
    "menu_hours.csv",
    ("store_id", "dayOfWeek", "start_time_local", "end_time_local"),
    (
        STORE_ID,
        Field(
            "weekday",
            weekday("dayOfWeek"),
            "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon",
        ),
        Field("opens_local", seconds_of_day("start_time_local"), _NO_TIME.format("start_time_local")),
        Field("closes_local", seconds_of_day("end_time_local"), _NO_TIME.format("end_time_local")),
    ),
    limits=(_NO_STORE,),
)
ZONES_FORM = Form(
    ZONES,
    "timezones.csv",
    ("store_id", "timezone_str"),
    (
        STORE_ID,
        Field(
            "zone",
            zone("timezone_str"),
            "timezone_str is not a zone of the IANA database, like America/Chicago",
        ),
    ),
    limits=(_NO_STORE,),
    contradiction=(
        pl.col("zone") != pl.col("zone").first().over("store_id"),
        "an earlier row gives this store another time zone",
    ),
)

_CLOSED = f"{text('start_time_local')} = '' AND {text('end_time_local')} = ''"
_NO_SPECIAL_TIME = f"{_NO_TIME}; on a closed day both times are empty"

SPECIAL_HOURS_FORM = Form(
    SPECIAL_HOURS,
    "special_hours.csv",
    ("store_id", "date", "start_time_local", "end_time_local"),
    (
        STORE_ID,
        Field("date", date("date"), "date is not a date like 2024-12-25"),
        *(
            Field(name, seconds_of_day(column), _NO_SPECIAL_TIME.format(column), empty=_CLOSED)
            for name, column in (("opens_local", "start_time_local"), ("closes_local", "end_time_local"))
        ),
    ),
    contradiction=(
        pl.col("opens_local").is_null() & pl.col("opens_local").is_not_null().any().over("store_id", "date"),
        "another row gives this store hours on this date, so it is not closed",
    ),
)
MAINTENANCE_FORM = Form(
    MAINTENANCE,
    "maintenance.csv",
    ("store_id", "starts_at_utc", "ends_at_utc", "reason"),
    (
        STORE_ID,
        instant_field("starts_at", "starts_at_utc"),
        instant_field("ends_at", "ends_at_utc"),
        Field("reason", text("reason")),
    ),
    limits=(
        ("year(starts_at) NOT BETWEEN 1 AND 9999", "starts_at_utc is not in the years 1 to 9999"),
        ("year(ends_at) NOT BETWEEN 1 AND 9999", "ends_at_utc is not in the years 1 to 9999"),
        ("ends_at <= starts_at", "ends_at_utc is not after starts_at_utc"),
    ),
)


def stores_form(tags: Iterable[str] = ()) -> Form:
    """Make the form of a stores.csv by what its header names besides ``store_id``: each is a tag."""
    columns = ("store_id", *tags)
    values = ", ".join(text(f"value_{n}") for n in range(len(columns) - 1))
    return Form(
        TAGS,
        "stores.csv",
        columns,
        (STORE_ID, Field("values", f"CAST([{values}] AS VARCHAR[])", dtype=pl.List(pl.String()))),
        limits=(("store_id = '*'", "* is every store, but tags are given to stores one by one"),),
        contradiction=(
            pl.col("values") != pl.col("values").first().over("store_id"),
            "an earlier row says something else of this store",
        ),
    )


STORES_FORM = stores_form()
FORMS = (STORES_FORM, MAINTENANCE_FORM, SPECIAL_HOURS_FORM, ZONES_FORM, HOURS_FORM, POLLS_FORM)  # as they are committed
