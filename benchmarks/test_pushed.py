"""Polls that arrive as bytes: a thousand in each form, and one."""

from datetime import UTC, datetime
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from tests.intake.pushed.bodies import body_of

from benchmarks.pairs import timed
from benchmarks.rows import Row, duration
from storemon.intake.pushed.reading import Format, read_one, read_polls

NOW = datetime(2024, 10, 15, tzinfo=UTC)
POLLS = [(f"{n:08x}-a5bf-46f4-9e91-{n:012x}", "active", f"2024-10-03T23:33:{n % 60:02}.412748Z") for n in range(1000)]
AS_LINES = [(store_id, status, str(1727998400412748000 + n)) for n, (store_id, status, _) in enumerate(POLLS)]


@pytest.mark.parametrize(
    ("place", "form", "at_most"),
    [(70, "json", 1.5e-3), (71, "ndjson", 1.5e-3), (72, "csv", 3e-3), (73, "arrow", 3e-3), (74, "line", 3e-3)],
)
def test_a_thousand(benchmark: BenchmarkFixture, rows: list[Row], place: int, form: Format, at_most: float) -> None:
    body = body_of(form, AS_LINES if form == "line" else POLLS)
    seconds = median(timed(benchmark, lambda: read_polls(body, form, now=NOW), rounds=200))
    what = f"read 1,000 polls that arrive as {form}"
    rows.append(Row(place, what, duration(seconds), must_be=f"≤ {duration(at_most)}", met=seconds <= at_most))


def test_one(benchmark: BenchmarkFixture, rows: list[Row]) -> None:
    body = body_of("ndjson", POLLS[:1])
    seconds = median(timed(benchmark, lambda: read_polls(body, "json", now=NOW), rounds=1000))
    rows.append(
        Row(75, "read one poll that arrives as json", duration(seconds), must_be="≤ 60 µs", met=seconds <= 6e-5)
    )
    assert read_one(body, NOW)
