"""Polls that come in small commits: their files are merged at once, today's and late ones', and nothing is lost."""

import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from storemon import Lake, report
from storemon.intake.forms.known import POLLS_FORM
from storemon.lake.gathered import Gathered
from storemon.lake.merging import merge_small
from storemon.lake.polls import DAY_OF_POLL, NewPolls
from storemon.lake.retrying import retrying
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Opened, Tables
from tests.conftest import environment
from tests.lake.contents import contents
from tests.lake.files import NOW, csv
from tests.lake.files import POLLS as HEADER
from tests.lake.test_writers_at_once import interrupted

FIRST = datetime(2024, 10, 1, tzinfo=UTC)
COMMITS = 150
Poll = tuple[str, bool, datetime]


def batch(nth: int, random: Random) -> list[Poll]:
    """Make the polls of a commit: of two days one after the other, some late, some of a day before, some repeated."""
    at = FIRST + timedelta(minutes=18 * nth)
    late = [timedelta(), timedelta(minutes=50), timedelta(days=3)]
    return [
        (f"s{random.randrange(12)}", random.random() < 0.7, at - random.choices(late, (8, 3, 1))[0])
        for _ in range(random.randrange(1, 14))
    ] + [(f"new {nth}", True, at)] * (nth % 5 == 0)


def commit(lake: Path, polls: list[Poll]) -> None:
    """Bring polls in, unmerged."""
    rows = pl.DataFrame(polls, schema=["store_id", "active", "polled_at"], orient="row")
    rows = rows.with_columns(
        pl.col("store_id").cast(pl.Categorical), pl.col("polled_at").cast(pl.Datetime("us", "UTC"))
    )
    tables = Tables(lake)

    def append() -> None:
        read = tables.open(POLLS)
        if files := tables.write(read, NewPolls(read, Gathered.of([rows], POLLS_FORM.schema, by=DAY_OF_POLL)).parts()):
            tables.commit(read, files)

    retrying(append)


def in_one(where: Path, polls: list[Poll]) -> Lake:
    lake = Lake(where / "whole")
    rows = [f"{store},{'active' if active else 'inactive'},{at:%F %T}" for store, active, at in polls]
    lake.ingest(csv(where, HEADER, *rows), now=NOW)
    return lake


def files(lake: Path) -> pl.DataFrame:
    return Tables(lake).open(POLLS).files


def actions(lake: Path) -> list[dict[str, Any]]:
    """Read the whole log, each commit a dictionary of lists."""
    logs = sorted((lake / "polls" / "_delta_log").glob("*.json"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def test_the_same_as_in_one_export(tmp_path: Path) -> None:
    random, lake, polls = Random(5), tmp_path / "lake", list[Poll]()  # noqa: S311
    most = Counter[object]()
    for nth in range(COMMITS):
        polls += (new := batch(nth, random))
        commit(lake, new)
        merge_small(Tables(lake))
        most |= Counter(files(lake)["polled_on"].to_list())
    whole = in_one(tmp_path, polls)
    assert contents(lake) == contents(whole.path)
    assert max(most.values()) <= 40
    for as_of in (None, FIRST + timedelta(hours=20), FIRST + timedelta(hours=31, minutes=7)):
        assert report(Lake(lake), as_of=as_of).equals(report(whole, as_of=as_of))


def test_a_poll_is_written_few_times_and_merges_change_no_rows(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for nth in range(COMMITS):
        commit(lake, [("a", nth % 3 > 0, FIRST + timedelta(seconds=9 * nth))])
        merge_small(Tables(lake))
    adds = [action["add"] for action in actions(lake) if "add" in action]
    removes = [action["remove"] for action in actions(lake) if "remove" in action]
    of_day = [add for add in adds if add["partitionValues"]["polled_on"]]
    assert sum(json.loads(add["stats"])["numRecords"] for add in of_day) <= COMMITS * 4, "log 6 of 150, and the first"
    assert removes
    assert not any(remove["dataChange"] for remove in removes)
    removed = {remove["path"] for remove in removes}
    assert sum(add["dataChange"] for add in of_day) == COMMITS
    assert {add["path"] for add in of_day if add["dataChange"]} & removed


def test_what_is_large_stays_as_it_is(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    commit(lake, [(f"s{n}", True, FIRST + timedelta(seconds=n)) for n in range(500)])
    large = set(files(lake).drop_nulls("polled_on")["path"])
    for nth in range(60):
        commit(lake, [("s1", nth % 2 > 0, FIRST + timedelta(hours=1, seconds=nth))])
        merge_small(Tables(lake))
    assert large <= set(files(lake)["path"])
    with patch("storemon.lake.merging._LARGE", 1):
        commit(lake, [("s2", True, FIRST + timedelta(hours=2))])
        for nth in range(6):
            commit(lake, [("s1", True, FIRST + timedelta(hours=3, seconds=nth))])
        assert merge_small(Tables(lake)) == 0


def test_polls_go_with_the_decisive_ones_they_came_with(tmp_path: Path) -> None:
    """Left behind, a poll within a run that another file cuts would be missed where the merged file stands alone."""
    lake, polls = tmp_path / "lake", list[Poll]()
    for nth in range(6):
        run = [("a", nth % 2 == 0, FIRST + timedelta(minutes=10 * part + nth)) for part in range(5)]
        polls += run
        commit(lake, run)
    assert (~files(lake)["decisive"]).sum() == 6
    assert merge_small(Tables(lake)) == 12
    assert len(files(lake).filter("decisive")) == 1
    whole = in_one(tmp_path, polls)
    assert contents(lake) == contents(whole.path)
    assert report(Lake(lake)).equals(report(whole))


def test_others_add_and_merge_in_between(tmp_path: Path) -> None:
    lake, random, polls = tmp_path / "lake", Random(2), list[Poll]()  # noqa: S311
    for nth in range(20):
        polls += (new := batch(nth, random))
        commit(lake, new)
    more = batch(21, random)
    with interrupted("polls", lambda: commit(lake, more)):
        merge_small(Tables(lake))
    assert contents(lake) == contents(in_one(tmp_path, polls + more).path)
    for nth in range(6):
        more.append(("x", True, FIRST + timedelta(seconds=nth)))
        commit(lake, more[-1:])
    with interrupted("polls", lambda: merge_small(Tables(lake))):
        merge_small(Tables(lake))
    assert contents(lake) == contents(in_one(tmp_path, polls + more).path)


DYING = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from storemon.lake.merging import merge_small
from storemon.lake.tables import Tables
from tests.lake.test_live import batch, commit

moment, after, lake = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
committing, merging = Tables.commit, 0

def dying(*given, **options):
    global merging
    merging += bool(options.get("same_rows"))
    dies = options.get("same_rows") and merging == after
    if dies and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    committing(*given, **options)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)

Tables.commit = dying
random = Random(5)
for nth in range(150):
    commit(lake, batch(nth, random))
    print(nth, flush=True)
    merge_small(Tables(lake))
"""


@pytest.mark.parametrize(("moment", "after"), [("before", 1), ("before", 7), ("after", 1), ("after", 4)])
def test_dies_beside_the_commit_of_a_merge(tmp_path: Path, moment: str, after: int) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-c", DYING, moment, str(after), str(lake)]
    died = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    random = Random(5)  # noqa: S311
    polls = [poll for nth in range(len(died.stdout.split())) for poll in batch(nth, random)]
    whole = in_one(tmp_path, polls)
    assert contents(lake) == contents(whole.path)
    merge_small(Tables(lake))
    Lake(lake).vacuum(timedelta())
    assert contents(lake) == contents(whole.path)
    assert {str(path) for path in (lake / "polls").glob("polled_on=*/*/*.parquet")} == set(files(lake)["path"])


def test_a_lake_from_before_is_summed_up_as_often(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with patch("storemon.lake.tables._IN_FOLDER", {}):
        commit(lake, batch(0, Random(1)))  # noqa: S311
    assert _configuration(Tables(lake).open(POLLS)) == {}
    merge_small(Tables(lake))
    assert _configuration(Tables(lake).open(POLLS))["delta.checkpointInterval"] == "20"
    before = Tables(lake).open(POLLS).version
    merge_small(Tables(lake))
    assert Tables(lake).open(POLLS).version == before, "once"


def _configuration(opened: Opened) -> dict[str, str]:
    assert opened.delta
    return opened.delta.metadata().configuration
