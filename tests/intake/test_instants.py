"""The forms of ``timestamp_utc`` that are read, and those that are not."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest

from tests.lake.files import NOW, POLLS, csv, ids, read, rejects

SECOND = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC)
NO_INSTANT = "timestamp_utc is not an instant like 2024-10-03 23:33:20.412748 UTC"
AHEAD = "timestamp_utc is more than a day ahead of the clock of this machine"
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
NOT_READ = (
    *("", "-2024-10-03 23:33:20 UTC", "yesterday", "now", "epoch", "infinity", "-infinity", "NULL", "1727998400"),
    *("2024-10-03", "2024-10-03 UTC", "23:33:20 UTC", "2024-10-03 23:33", "2024-10-03 23:33 UTC"),
    *("2024-10-03 23:33:20.4127481 UTC", "2024-10-03 23:33:20. UTC", "2024-10-03 23:33:20,4 UTC"),
    *("2024-10-03 24:00:00 UTC", "2024-10-03 23:60:00 UTC", "2024-10-03 23:59:60 UTC", "2024-10-03 99:00:00 UTC"),
    *("2024-02-30 00:00:00 UTC", "2023-02-29 00:00:00 UTC", "2024-04-31 00:00:00 UTC"),
    *("2024-13-01 00:00:00 UTC", "2024-00-01 00:00:00 UTC", "2024-10-00 00:00:00 UTC"),
    *("2024-1-03 23:33:20 UTC", "2024-10-03 3:33:20 UTC", "24-10-03 23:33:20 UTC", "10000-01-01 00:00:00 UTC"),
    *("2024/10/03 23:33:20 UTC", "03.10.2024 23:33:20", "10/03/2024 23:33:20", "2024-10-03  23:33:20 UTC"),
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
    assert rejects(loaded) == [(line, row_of(text), NO_INSTANT) for line, text in enumerate(NOT_READ, 3)]
    assert loaded.accepted["polled_at"].to_list() == [SECOND]


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
