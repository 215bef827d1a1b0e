"""Work that is told to stop lets go: between steps, within the making of a window, and in the midst of a query."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import polars as pl
import pytest

from storemon import Lake, StoppedError, report
from storemon.answers.report import report_by_range
from storemon.calendar.windows import between
from storemon.lake.duck import connect, rows_of
from storemon.stopping import Stop, interrupted_by
from tests.lake.files import folder

END = datetime(9998, 1, 1, tzinfo=UTC)
MANY_DAYS = between("0002-01-01", "9998-01-01")
"""Its parts by hour would take an hour to make."""
FOR_EVER = "SELECT sum(a.range * b.range % $seven) FROM range(10000000) a, range(10000000) b"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path / "lake")
    polls = [f"{store},active,2024-10-14 12:00:00 UTC" for store in ("a", "b", "c")]
    found.ingest(folder(tmp_path / "given", polls=polls))
    return found


def stopped(work: Callable[[], object]) -> StoppedError:
    """Work in a thread, and tell it to stop once it is at work."""
    stop, begun, errors = Stop(), Event(), list[BaseException]()

    def run() -> None:
        try:
            with stop.heeded(), interrupted_by(begun.clear):
                begun.set()
                work()
        except StoppedError as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    assert begun.wait(20)
    while thread.is_alive():
        thread.join(0.05)
        stop.now("nobody wants it any more")
    (error,) = errors
    assert isinstance(error, StoppedError)
    return error


def test_the_making_of_a_window(lake: Lake) -> None:
    error = stopped(lambda: report(lake, every="hour", windows=[MANY_DAYS], as_of=END))
    assert str(error) == "nobody wants it any more"


def test_a_query() -> None:
    def ask() -> pl.DataFrame:
        with connect() as con:
            return rows_of(con, FOR_EVER, {"seven": 7})

    assert str(stopped(ask)) == "nobody wants it any more"
    with connect() as con:
        assert con.execute("SELECT 1").fetchall() == [(1,)], "the others go on"


def test_between_ranges_of_stores(lake: Lake) -> None:
    stop = Stop()
    with stop.heeded():
        ranges = report_by_range(lake, memory=1)
        assert len(next(ranges)) == 1
        stop.now("that will do")
        stop.now("the first reason counts")
        with pytest.raises(StoppedError, match="that will do"):
            next(ranges)
        with pytest.raises(StoppedError, match="that will do"):
            report(lake)
    assert len(report(lake)) == 3, "what is asked outside is not meant"


def test_an_ingestion_that_is_stopped_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    stop, before = Stop(), dict(lake.snapshot().versions)
    given = folder(tmp_path / "more", polls=["d,active,2024-10-14 12:00:00 UTC"])
    stop.now("canceled")
    with stop.heeded(), pytest.raises(StoppedError):
        lake.ingest(given)
    assert lake.snapshot().versions == before


def test_an_error_of_the_work_stays_what_it_is() -> None:
    with Stop().heeded(), pytest.raises(ZeroDivisionError), interrupted_by(lambda: None):
        raise ZeroDivisionError
