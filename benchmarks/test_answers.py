"""The answers beside the seven columns: each against the report's own time, over the same lake in the same run."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.conftest import DAYS
from benchmarks.pairs import in_turns
from benchmarks.rows import Row
from storemon.answers.audit import audit
from storemon.answers.explain import explain
from storemon.answers.now import now
from storemon.answers.outages import outages
from storemon.answers.week import hour_of_week
from storemon.calendar.windows import LAST_WEEK, Rolling, Window

WINDOWS = [Window(f"w{part}", Rolling(timedelta(hours=168) * part / 100)) for part in range(1, 101)]


class Answer(NamedTuple):
    """What is asked of a lake and of one of its stores, and how much longer than the report it may take."""

    what: str
    ask: Callable[[storemon.Lake, str], object]
    at_most: float | None = None


ANSWERS = (
    Answer("now", lambda lake, _: now(lake), 0.5),
    Answer("report of 100 windows up to the last week", lambda lake, _: storemon.report(lake, windows=WINDOWS), 4),
    Answer("outages of the last week", lambda lake, _: outages(lake, windows=[LAST_WEEK]), 1.5),
    Answer("hour of week, over 4 weeks", lambda lake, _: hour_of_week(lake, windows=["28d"]), 3.5),
    Answer(f"series of {DAYS} days", lambda lake, _: storemon.report(lake, windows=[f"{DAYS}d"], every="day"), 5),
    Answer("explain one store's last week", lambda lake, store: explain(lake, store, windows=[LAST_WEEK]), 0.6),
    Answer("audit", lambda lake, _: audit(lake)),
)


@pytest.mark.parametrize("place", range(len(ANSWERS)), ids=[answer.what for answer in ANSWERS])
def test_answer(
    benchmark: BenchmarkFixture, rows: list[Row], report: Callable[[], pl.DataFrame], lake: Path, place: int
) -> None:
    what, ask, at_most = ANSWERS[place]
    stores = report()["store_id"]
    store = stores[len(stores) // 2]
    (pairs,) = in_turns(benchmark, lambda: ask(storemon.Lake(lake), store), report, rounds=30)
    rows.append(pairs.row(100 + place, what, "report", at_most=at_most))
