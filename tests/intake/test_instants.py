"""The forms of ``timestamp_utc`` that are read, and those that are not."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from storemon import InputError
from storemon.intake.load import load
from storemon.intake.reading import Reading
from tests.lake.files import NOW, POLLS, csv, ids, read, rejects

SECOND = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC)
NO_INSTANT = "timestamp_utc is not an instant like 2024-10-03 23:33:20.412748 UTC"
AHEAD = "timestamp_utc is more than a day ahead of the clock of this machine"
DAY_OR_MONTH = "timestamp_utc could have the day or the month first; name its form, like --timestamps %m/%d/%Y"
NO_UNIX_TIME = "timestamp_utc is a number, but not Unix time: 10 digits (or 13, or 16) in all of the file"
TOO_EARLY = "timestamp_utc is before the year 1"
READ = {
    "2024-10-03 23:33:20 UTC": SECOND,
    "2024-10-03 23:33:20.4 UTC": SECOND + timedelta(milliseconds=400),
    "2024-10-03 23:33:20.41 UTC": SECOND + timedelta(milliseconds=410),
    "2024-10-03 23:33:20.412 UTC": SECOND + timedelta(milliseconds=412),
    "2024-10-03 23:33:20.4127 UTC": SECOND + timedelta(microseconds=412_700),
    "2024-10-03 23:33:20.41274 UTC": SECOND + timedelta(microseconds=412_740),
    "2024-10-03 23:33:20.412748 UTC": SECOND + timedelta(microseconds=412_748),
    "2024-10-03 23:33:20.000001 UTC": SECOND + timedelta(microseconds=1),
    "2024-10-03 23:33:20.4127481 UTC": SECOND + timedelta(microseconds=412_748),
    "2024-10-03T23:33:20.4127489Z": SECOND + timedelta(microseconds=412_748),
    "2024-10-03T23:33:20.412748999": SECOND + timedelta(microseconds=412_748),
    "2024-10-04 05:03:20.412748999+05:30": SECOND + timedelta(microseconds=412_748),
    "2024-10-03 23:33:20": SECOND,
    "2024-10-03T23:33:20": SECOND,
    "2024-10-03T23:33:20.4": SECOND + timedelta(milliseconds=400),
    "2024-10-03T23:33:20Z": SECOND,
    "2024-10-03 23:33:20Z": SECOND,
    "2024-10-03T23:33:20.412748Z": SECOND + timedelta(microseconds=412_748),
    "2024-10-03T23:33:20 UTC": SECOND,
    "2024-10-03T23:33:20+00:00": SECOND,
    "2024-10-03T23:33:20-00:00": SECOND,
    "2024-10-04T05:03:20+05:30": SECOND,
    "2024-10-04T05:03:20+0530": SECOND,
    "2024-10-04 05:03:20 +0530": SECOND,
    "2024-10-04T04:33:20+05": SECOND,
    "2024-10-03T14:03:20.4-09:30": SECOND + timedelta(milliseconds=400),
    "2024-10-04T13:33:20+14:00": SECOND,
    "2024-10-03T11:33:20-12:00": SECOND,
    "2024-10-04T23:32:20+23:59": SECOND,
    "  2024-10-03 23:33:20 UTC ": SECOND,
    " 2024-10-03T23:33:20Z  ": SECOND,
    "  2024-10-03T23:33:20+00:00 ": SECOND,
    "2024-10-03 23:33:20  UTC": SECOND,
    "2024-02-29 00:00:00 UTC": datetime(2024, 2, 29, tzinfo=UTC),
    "1969-12-31 23:59:59.999999 UTC": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    "0001-01-01 00:00:00 UTC": datetime(1, 1, 1, tzinfo=UTC),
    "0000-12-31 23:30:00-01:00": datetime(1, 1, 1, 0, 30, tzinfo=UTC),
}
EITHER_FIRST = ("03.10.2024 23:33:20", "10/03/2024 23:33:20", "3-4-24", "24-10-03 23:33:20 UTC")
NOT_READ = (
    *(
        "",
        "-2024-10-03 23:33:20 UTC",
        "yesterday",
        "now",
        "epoch",
        "infinity",
        "-infinity",
        "NULL",
        "1727998400.5",
        "-1727998400",
    ),
    *("2024-10-03", "2024-10-03 UTC", "23:33:20 UTC", "2024-10-03 23:33", "2024-10-03 23:33 UTC"),
    *("2024-10-03 23:33:20.4127481234 UTC", "2024-10-03 23:33:20. UTC", "2024-10-03 23:33:20,4 UTC"),
    *("2024-10-03 24:00:00 UTC", "2024-10-03 23:60:00 UTC", "2024-10-03 23:59:60 UTC", "2024-10-03 99:00:00 UTC"),
    *("2024-02-30 00:00:00 UTC", "2023-02-29 00:00:00 UTC", "2024-04-31 00:00:00 UTC"),
    *("2024-13-01 00:00:00 UTC", "2024-00-01 00:00:00 UTC", "2024-10-00 00:00:00 UTC"),
    *("2024-1-03 23:33:20 UTC", "2024-10-03 3:33:20 UTC", "10000-01-01 00:00:00 UTC"),
    *(*EITHER_FIRST, "2024/10/03 23:33:20 UTC", "2024-10-03  23:33:20 UTC"),
    *("2024-10-03 23:33:20 EST", "2024-10-03 23:33:20 GMT", "2024-10-03 23:33:20 America/Chicago"),
    *("2024-10-03T23:33:20+24:00", "2024-10-03T23:33:20+05:60", "2024-10-03T23:33:20+5:30"),
    *(
        "2024-10-03T23:33:20+05:30Z",
        "2024-10-03 23:33:20 UTC UTC",
        "2024-10-03 23:33:20 BC",
        "-2024-10-03 23:33:20 UTC",
    ),
    *("\N{FULLWIDTH DIGIT TWO}024-10-03 23:33:20 UTC", "2024-10-03 23:33:20 UTC;", "\t2024-10-03 23:33:20 UTC"),
)


def row_of(text: str, store_id: str = "s") -> str:
    return f'{store_id},active,"{text}"'


def test_read(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, POLLS, *(row_of(text, str(nth)) for nth, text in enumerate(READ))))
    assert rejects(loaded) == []
    found = dict(zip(ids(loaded), loaded.accepted["polled_at"], strict=True))
    assert [found[str(nth)] for nth in range(len(READ))] == [*READ.values()]
    assert loaded.accepted.schema["polled_at"] == pl.Datetime("us", "UTC")


def test_set_aside(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, POLLS, row_of("2024-10-03 23:33:20 UTC"), *map(row_of, NOT_READ)))
    assert rejects(loaded) == [
        (line, row_of(text), DAY_OR_MONTH if text in EITHER_FIRST else NO_INSTANT)
        for line, text in enumerate(NOT_READ, 3)
    ]
    assert loaded.accepted["polled_at"].to_list() == [SECOND]


@pytest.mark.parametrize(("digits", "length"), [(10, 1_000_000), (13, 1_000), (16, 1)])
def test_unix_time(tmp_path: Path, digits: int, length: int) -> None:
    number = "1727998400412748"[:digits]
    loaded = load(csv(tmp_path, POLLS, row_of(number), row_of(f" {int(number) + 1} ", "t")), now=NOW)
    assert loaded.unit == length
    assert loaded.accepted.read()["polled_at"].to_list() == [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=each * length)
        for each in (int(number), int(number) + 1)
    ]


def test_numbers_that_are_no_unix_time(tmp_path: Path) -> None:
    """A number or a date that was cut off, a date without marks, or another unit than the first one's."""
    texts = ("2", "2024", "20241003", "172799840", "172799840041", "172799840041274", "202410032333", "1727998400412")
    loaded = read(csv(tmp_path, POLLS, row_of("1727998400"), *map(row_of, texts), row_of("2024-10-03 23:33:20 UTC")))
    assert rejects(loaded) == [(line, row_of(text), NO_UNIX_TIME) for line, text in enumerate(texts, 3)]
    assert loaded.accepted["polled_at"].to_list() == [SECOND, SECOND]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%m/%d/%Y %H:%M:%S", "10/03/2024 23:33:20"),
        ("%d/%m/%Y %H:%M:%S", "03/10/2024 23:33:20"),
        ("%d.%m.%y %I:%M:%S %p", "3.10.24 11:33:20 PM"),
        ("%Y%m%d%H%M%S", "20241003233320"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-10-04T01:33:20+0200"),
        ("%b %-d, %Y %H:%M:%S", "Oct 3, 2024 23:33:20"),
    ],
)
def test_a_form_that_was_named(tmp_path: Path, form: str, text: str) -> None:
    """No other form is read beside it: what does not fit might mean something else."""
    path = csv(tmp_path, POLLS, row_of(text), row_of("2024-13-03 23:33:20 UTC"))
    loaded = load(path, now=NOW, told=Reading(timestamps=form))
    assert loaded.accepted.read()["polled_at"].to_list() == [SECOND]
    assert loaded.rejected.read()["reason"].to_list() == [
        "timestamp_utc does not have the form that --timestamps names"
    ]


@pytest.mark.parametrize("form", ["", "%H:%M", "%m/%Y", "%Y-%m-%d %Q", "yyyy-mm-dd"])
def test_no_form_of_instants(form: str) -> None:
    with pytest.raises(InputError, match=r"write it like %m/%d/%Y %H:%M"):
        Reading(timestamps=form)


def test_before_the_year_1(tmp_path: Path) -> None:
    texts = "0000-12-31 23:59:59.999999 UTC", "0001-01-01 00:00:00+00:01"
    loaded = read(csv(tmp_path, POLLS, *map(row_of, texts)))
    assert rejects(loaded) == [(line, row_of(text), TOO_EARLY) for line, text in enumerate(texts, 2)]


@pytest.mark.parametrize(
    "now",
    [
        NOW,
        NOW.replace(tzinfo=None),
        NOW.astimezone(timezone(timedelta(hours=-11))),
        NOW.astimezone(timezone(timedelta(hours=13))),
    ],
)
def test_a_poll_may_be_a_day_ahead_of_the_wall_clock_and_no_more(tmp_path: Path, now: datetime) -> None:
    on_time = "2024-10-16 00:00:00 UTC", "2024-10-16T05:30:00+05:30"
    ahead = "2024-10-16 00:00:00.000001 UTC", "2024-10-15T19:00:00.000001-05:00", "9999-12-31 23:59:59.999999 UTC"
    loaded = read(csv(tmp_path, POLLS, *map(row_of, on_time + ahead)), now=now)
    assert loaded.accepted["polled_at"].to_list() == [NOW + timedelta(days=1)] * 2
    assert rejects(loaded) == [(4 + n, row_of(text), AHEAD) for n, text in enumerate(ahead)]
