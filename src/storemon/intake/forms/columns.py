"""Which column of a file is which: by its name, by one of its usual other names, or by the name that was told."""

import re
from collections.abc import Mapping, Sequence

OTHER_NAMES = {
    "store_id": ("store", "shop_id", "shop", "location_id", "place_id", "site_id"),
    "status": ("state", "store_status", "is_active", "is_online", "is_up"),
    "timestamp_utc": (
        *("timestamp", "polled_at", "polled_at_utc", "checked_at", "observed_at", "time_utc", "datetime_utc"),
        *("datetime", "date_time", "time", "ts"),
    ),
    "dayOfWeek": ("day", "weekday", "day_name", "dow"),
    "start_time_local": (
        *("start_time", "opens_local", "opening_time", "open_time", "opens_at", "opens", "open", "start"),
        "from",
    ),
    "end_time_local": (
        *("end_time", "closes_local", "closing_time", "close_time", "closes_at", "closes", "close", "end"),
        "to",
    ),
    "timezone_str": ("timezone", "time_zone", "tz", "zone", "timezone_name", "tz_name", "iana_timezone"),
    "date": ("special_date", "holiday_date", "date_local", "local_date"),
    "starts_at_utc": ("starts_at", "start_utc", "start_time_utc", "starts_utc", "begins_at"),
    "ends_at_utc": ("ends_at", "end_utc", "end_time_utc", "ends_utc"),
    "reason": ("note", "notes", "comment", "description"),
}
"""What each column is called by many, the likeliest name first; case, spaces, underscores and hyphens do not matter."""

OWN_NAMES = {"dayOfWeek": ("dayOfWeek", "day")}
"""The names of a column that nobody needs to be told of; by default its own."""


def folded(name: str) -> str:
    """Take out of a name what does not tell it from others."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def places(columns: Sequence[str], names: Sequence[str], told: Mapping[str, str]) -> list[int | None]:
    """Find the place of each column among the names in a header, None where it is not there; no place twice.

    Args:
        columns: what they are called here.
        names: what is in the header.
        told: the names of some of them in files that are called otherwise.

    """
    taken: list[int | None] = []
    alike = [folded(name) for name in names]
    for column in columns:
        wanted = [*([told[column]] if column in told else []), column]
        others = [folded(name) for name in (column, *OTHER_NAMES.get(column, ()))]
        found = [names.index(name) for name in wanted if name in names]
        found += [alike.index(name) for name in others if name in alike]
        taken.append(next((place for place in found if place not in taken), None))
    return taken


def doubled(column: str, names: Sequence[str]) -> list[str]:
    """List all names that could be that of a column: its own where that is there, else its other ones.

    Where there are several, nobody can tell which counts.
    """
    if own := [name for name in names if name == column]:
        return own
    alike = {folded(name) for name in (column, *OTHER_NAMES.get(column, ()))}
    return [name for name in names if folded(name) in alike]


def called(column: str) -> str:
    """Tell a column by all of its names that nobody needs to be told of."""
    return " or ".join(OWN_NAMES.get(column, (column,)))


def other_names(found: Mapping[str, str]) -> dict[str, str]:
    """Pick of columns, each with its name in a file, those that were found under another name than their own."""
    return {column: name for column, name in found.items() if name not in OWN_NAMES.get(column, (column,))}
