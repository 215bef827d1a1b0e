"""From the same rows, frames and a lake are the same snapshot."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import Frames, Lake
from storemon.lake.snapshot import Snapshot
from tests.examples import examples
from tests.lake.files import NOW

Columns = Mapping[str, Sequence[Any]]
FILES = {
    "polls": ("store_status.csv", ("store_id", "status", "timestamp_utc")),
    "hours": ("menu_hours.csv", ("store_id", "dayOfWeek", "start_time_local", "end_time_local")),
    "zones": ("timezones.csv", ("store_id", "timezone_str")),
    "special_hours": ("special_hours.csv", ("store_id", "date", "start_time_local", "end_time_local")),
    "maintenance": ("maintenance.csv", ("store_id", "starts_at_utc", "ends_at_utc", "reason")),
    "stores": ("stores.csv", ("store_id", "brand, or none", "Region")),
}
IDS = st.sampled_from(("a", "b", "7", "Zürich, 2", '"c"'))
STORES_OR_ALL = IDS | st.just("*")
INSTANTS = st.datetimes(datetime(2024, 9, 1), datetime(2024, 10, 14), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.times().map(lambda at: at.replace(microsecond=0))
SHIFTS = st.tuples(TIMES, TIMES)
LENGTHS = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))
TEXTS = st.sampled_from(("", "West", "Salt, Fat & Bread", 'so "called"', "two\nlines", "é"))


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Columns]:
    """Columns of typed values for each file; a date of a store is closed or has shifts, never both."""
    dates = st.dictionaries(
        st.tuples(STORES_OR_ALL, st.dates()),
        st.lists(SHIFTS, min_size=1, max_size=3) | st.just([(None, None)]),
        max_size=4,
    )
    maintenance = st.tuples(STORES_OR_ALL, INSTANTS, LENGTHS, TEXTS)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "polls": draw(st.lists(st.tuples(IDS, st.sampled_from(("active", "inactive")), INSTANTS), max_size=4)),
        "hours": [
            (*row, *shift) for *row, shift in draw(st.lists(st.tuples(IDS, st.integers(0, 6), SHIFTS), max_size=4))
        ],
        "zones": [*draw(st.dictionaries(IDS, st.sampled_from(("UTC", "Asia/Tokyo")))).items()],
        "special_hours": [(*key, *shift) for key, shifts in draw(dates).items() for shift in shifts],
        "maintenance": [
            (store, at, at + length, why) for store, at, length, why in draw(st.lists(maintenance, max_size=4))
        ],
        "stores": [(store, *tags) for store, tags in draw(st.dictionaries(IDS, st.tuples(TEXTS, TEXTS))).items()],
    }
    twice = {
        name: found + draw(st.lists(st.sampled_from(found), max_size=2)) if found else []
        for name, found in rows.items()
    }
    return {
        name: {column: [row[at] for row in twice[name]] for at, column in enumerate(columns)}
        for name, (_, columns) in FILES.items()
    }


def text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f} UTC"
    if isinstance(value, date | time):
        return value.isoformat()
    return "" if value is None else str(value)


def as_text(columns: Columns) -> Columns:
    return {column: [text(value) for value in values] for column, values in columns.items()}


def seen(snapshot: Snapshot) -> list[Any]:
    exceptions = snapshot.special_hours(), snapshot.maintenance()
    of_tables = (*exceptions, snapshot.tags(), snapshot.hours(), snapshot.zones(), snapshot.stores())
    return [(table.schema, sorted(table.rows(), key=repr)) for table in of_tables]


@settings(max_examples=examples(25), deadline=None)
@given(drawn=facts())
def test_the_same_snapshot(drawn: dict[str, Columns]) -> None:
    with TemporaryDirectory() as name:
        for what, (file, columns) in FILES.items():
            with (Path(name) / file).open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows([columns, *zip(*as_text(drawn[what]).values(), strict=True)])
        lake = Lake(Path(name) / "lake")
        lake.ingest(Path(name), strict=True, now=NOW)
        expected = seen(lake.snapshot())
    assert seen(Frames(**{what: as_text(columns) for what, columns in drawn.items()})) == expected
    # A frame without rows has no types either.
    typed = {what: columns for what, columns in drawn.items() if columns["store_id"] or what == "polls"}
    assert seen(Frames(**typed)) == expected
