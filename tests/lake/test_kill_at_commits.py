"""An ingestion dies just before, within and just after each of its commits."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests.conftest import environment
from tests.examples import examples
from tests.lake.conftest import History
from tests.lake.contents import contents
from tests.lake.test_kill import AT_ONCE, TABLES, check_what_is_left

RANDOM = Random()  # noqa: S311 - of no use to an attacker
"""Another choice in each run, where not all is tried."""
COMMITS = tuple(commit for table in TABLES for commit in (table, "rejected"))
DYING = """
import os, signal, sys
from storemon import cli
from storemon.lake.tables import Tables

moment, nth = sys.argv.pop(1), int(sys.argv.pop(1))
commit, write, calls = Tables.commit, Tables.write, 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dying_commit(*where, **options):
    global calls
    calls += 1
    if calls == nth and moment == "before":
        die()
    commit(*where, **options)
    if calls == nth and moment == "after":
        die()

def dying_write(tables, read, parts):
    return write(tables, read, some_of(parts) if calls == nth - 1 and moment == "within" else parts)

def some_of(parts):
    for nth, part in enumerate(parts):
        if nth == 7:
            die()
        yield part

Tables.commit, Tables.write = dying_commit, dying_write
cli.main()
"""


def dies(history: History, folder: Path, moment: str, nth: int) -> tuple[bool, ...]:
    """Let it die, check what is left, and tell which of the tables were changed."""
    lake = history.lake_in(folder)
    command = [sys.executable, "-c", DYING, moment, str(nth), "ingest", str(history.data), "--lake", str(lake)]
    died = subprocess.run(command, env=environment(), capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    done = COMMITS[: nth if moment == "after" else nth - 1]
    assert len(contents(lake).rejected) == done.count("rejected")
    return check_what_is_left(history, lake)


def test_dies_beside_each_commit(history: History, tmp_path: Path) -> None:
    """Just before it in a new lake, just after it in an existing one: after one commit is before the next."""
    moment = "after" if history.lake else "before"
    some = RANDOM.sample(range(len(COMMITS)), examples(len(COMMITS)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = pool.map(lambda nth: dies(history, tmp_path / str(nth), moment, nth + 1), some)
    commits = [COMMITS.index(name) + (moment == "before") for name in TABLES]
    for nth, of_tables in zip(some, ends, strict=True):
        assert of_tables == tuple(nth >= first for first in commits)


def test_dies_in_the_middle_of_the_polls(history: History, tmp_path: Path) -> None:
    assert dies(history, tmp_path, "within", COMMITS.index("polls") + 1) == (True,) * 5 + (False,)
