"""CSVs for the tests of the lake, written and read."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from storemon.intake.forms.known import Form
from storemon.intake.load import load

NOW = datetime(2024, 10, 15, tzinfo=UTC)
"""The wall clock of the tests, later than all of their polls."""
POLLS = "store_id,status,timestamp_utc"
HOURS = "store_id,dayOfWeek,start_time_local,end_time_local"
ZONES = "store_id,timezone_str"
SPECIAL_HOURS = "store_id,date,start_time_local,end_time_local"
MAINTENANCE = "store_id,starts_at_utc,ends_at_utc,reason"
AT = "2024-10-03 23:33:20 UTC"
NAMES = {
    POLLS: "store_status.csv",
    HOURS: "menu_hours.csv",
    ZONES: "timezones.csv",
    SPECIAL_HOURS: "special_hours.csv",
    MAINTENANCE: "maintenance.csv",
}


def folder(
    where: Path,
    *,
    polls: Iterable[str] | None = None,
    hours: Iterable[str] | None = None,
    zones: Iterable[str] | None = None,
    special_hours: Iterable[str] | None = None,
    maintenance: Iterable[str] | None = None,
    stores: Iterable[str] | None = None,
) -> Path:
    """Write an export: a file for each kind of rows that is given; the stores come with their header."""
    where.mkdir(parents=True, exist_ok=True)
    given = dict(zip(NAMES, (polls, hours, zones, special_hours, maintenance), strict=True))
    for header, rows in given.items():
        if rows is not None:
            csv(where, header, *rows, name=NAMES[header])
    if stores is not None:
        csv(where, *stores, name="stores.csv")
    return where


def csv(where: Path, *lines: str, name: str = "some.csv", end: str = "\n") -> Path:
    """Write lines, each with an end."""
    return raw(where, "".join(line + end for line in lines), name=name)


def raw(where: Path, content: str | bytes, *, name: str = "some.csv") -> Path:
    path = where / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class Read(NamedTuple):
    """A file's rows, all in memory."""

    form: Form
    read: int
    accepted: pl.DataFrame
    rejected: pl.DataFrame


def read(path: Path, *, now: datetime = NOW, form: Form | None = None) -> Read:
    """Load a file and check that every row is in one of the two frames, and counted."""
    loaded = load(path, now=now, form=form)
    assert loaded.read == len(loaded.accepted) + len(loaded.rejected)
    rejected = loaded.rejected.read()
    assert loaded.reasons == Counter(rejected["reason"])
    return Read(loaded.form, loaded.read, loaded.accepted.read(), rejected)


def ids(loaded: Read) -> list[str]:
    return loaded.accepted["store_id"].cast(str).to_list()


def rejects(loaded: Read) -> list[tuple[int, str, str]]:
    """Line, row and reason of each rejected row."""
    return loaded.rejected.select("line", "row", "reason").rows()
