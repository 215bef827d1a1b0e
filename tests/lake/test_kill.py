"""A real ingestion is killed at many points; what is left is whole, and running it again finishes the work."""

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storemon import EmptyLakeError, Lake, report
from tests.conftest import COMMAND, environment
from tests.examples import examples
from tests.lake.conftest import History
from tests.lake.contents import Contents, contents

DELAYS = examples(13)  # for each of the two lakes
AT_ONCE = 2
TABLES = ("tags", "maintenance", "special_hours", "zones", "hours", "polls")
"""In the order in which they are committed."""


def run(history: History, lake: Path, seconds: float | None = None) -> int:
    """Ingest in a process of its own, killed after so many seconds; give its exit status."""
    command = [*COMMAND, "ingest", str(history.data), "--lake", str(lake)]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(), stdout=silent, stderr=silent) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def progress(history: History, now: Contents) -> tuple[bool, ...]:
    """Tell of each table whether it is as after the ingestion; else it is as before it."""
    assert history.before.rejected <= now.rejected <= history.after.rejected
    finished = []
    for name in TABLES:
        was, stored, to_be = (getattr(each, name) for each in (history.before, now, history.after))
        assert stored in (was, to_be), f"{name} are neither as before nor as after"
        finished.append(stored == to_be)
    return tuple(finished)


def check_what_is_left(history: History, path: Path) -> tuple[bool, ...]:
    """Check that a lake is whole and usable, and that running the ingestion again finishes the work."""
    left = contents(path)
    finished = progress(history, left)
    assert finished == tuple(sorted(finished, reverse=True)), f"{TABLES} is the order"
    lake = Lake(path)
    if left.polls:
        assert len(report(lake)) == len({store for store, _, _ in left.polls})
    else:
        with pytest.raises(EmptyLakeError):
            report(lake)
    again = lake.ingest(history.data)
    missing = {name: getattr(history.after, name) - getattr(left, name) for name in TABLES}
    missing["tags"] = {store for store, _, _ in missing["tags"]}  # a row of the file has all tags of a store
    assert [(table.table, table.added) for table in again.tables] == [(name, len(missing[name])) for name in TABLES]
    assert contents(path) == history.after
    return finished


def test_killed_at_any_moment(history: History, tmp_path: Path) -> None:
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        folders = [tmp_path / f"whole {nth}" for nth in range(AT_ONCE)]
        assert [*pool.map(lambda folder: run(history, history.lake_in(folder)), folders)] == [0] * AT_ONCE
        seconds = time.perf_counter() - started

        def cut(nth: int) -> tuple[int, tuple[bool, ...]]:
            lake = history.lake_in(tmp_path / str(nth))
            return run(history, lake, seconds * (0.2 + 0.9 * nth / DELAYS)), check_what_is_left(history, lake)

        outcomes = [*pool.map(cut, range(DELAYS))]
    assert {status for status, _ in outcomes} <= {0, -signal.SIGKILL}
    assert all(finished == (True,) * len(TABLES) for status, finished in outcomes if not status)
    assert sum(status == -signal.SIGKILL for status, _ in outcomes) >= DELAYS // 5
