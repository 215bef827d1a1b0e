"""The tags of stores.csv: which columns are tags, and a row for each of a store's tags out of its one row."""

import re
from collections.abc import Sequence

import polars as pl

from storemon.intake.forms.known import Form

_OF_ANSWERS = re.compile(
    r"store_id|window|service_time|(uptime|downtime|unknown|excluded|coverage|availability)(_\w+)?", re.IGNORECASE
)


def not_tags(names: Sequence[str]) -> str | None:
    """Say what is wrong with the names of the columns besides ``store_id``, None if each can be a tag.

    Two that differ in case only would be one column to most readers of an answer.
    """
    folded = [name.casefold() for name in names]
    for name in names:
        if not name:
            return "a column has no name; name each one, or take it out (a comma at the header's end makes one, too)"
        if "\N{REPLACEMENT CHARACTER}" in name:
            return f"the column {name!r} is not UTF-8; save the file as text in UTF-8"
        if _OF_ANSWERS.fullmatch(name):
            return f"the column {name!r} cannot be a tag, for answers have a column of that name; rename it"
        if folded.count(name.casefold()) > 1:
            return f"two columns are called {name!r}; each tag needs a name of its own"
    return None


def tags_of(form: Form, accepted: pl.DataFrame) -> pl.DataFrame:
    """Give ``store_id, tag, value`` of each tag that a store has: an empty value is none."""
    names = list(form.columns[1:])
    long = accepted.select(
        "store_id", pl.lit(names, pl.List(pl.String)).alias("tag"), pl.col("values").alias("value")
    ).explode("tag", "value")
    return long.filter(pl.col("value") != "")
