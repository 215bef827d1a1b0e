"""What is true now against the oracle: of frames, and of lakes that polls reached late and in any order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import InputError, Lake
from storemon.answers.now import now
from tests.engine.asking import MICROSECOND, as_of_of, frames_of, tables_of
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import LIMITS, NUDGES, STATUSES, Case
from tests.oracle.exceptional_cases import exceptional_cases, now_of, stores_of

MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=examples(40))
POLICIES: st.SearchStrategy[truth.Policy] = st.sampled_from(("carry", "nearest"))
TAGS = st.sampled_from(([], ["region"], ["brand"], ["brand", "region"]))
DAY = timedelta(days=1)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""The wall clock of the lakes, after all of their polls."""
YEARS = st.sampled_from((DAY, 365 * DAY, 1000 * DAY))
BESIDE = st.sampled_from((timedelta(), MICROSECOND, -MICROSECOND, timedelta(minutes=10)))
GAPS = st.lists(st.tuples(st.sampled_from(("limit", "twice", "half", "day", "short")), BESIDE, STATUSES), max_size=6)
WHEN = st.sampled_from(("as drawn", "at a poll", "at a poll", "a limit after", "half way", "after all"))
COLUMNS = ["store_id", "state", "is_open", "since", "open_time", "last_polled_at", "last_active_at", "next_change_at"]
NEAR = 300 * DAY
"""As-of is not so long before the case's days that a change would be farther ahead than the oracle looks."""


@st.composite
def chains(draw: st.DrawFn, case: Case) -> list[truth.Poll]:
    """Back from near now, polls as far apart as they are believed, or a day, or a bit more or less."""
    found: list[truth.Poll] = []
    limit = case.carry_limit
    lengths = {"limit": limit, "twice": 2 * limit, "half": limit / 2, "day": DAY, "short": 10 * MICROSECOND}
    for store_id in stores_of(case):
        at = now_of(case) + draw(NUDGES)
        for length, beside, status in draw(GAPS):
            at -= lengths[length] + beside
            found.append((store_id, status, at))
    return found


@st.composite
def moments(draw: st.DrawFn) -> Case:
    """A case as of before, at and after its polls; they come in any order, and again."""
    case = draw(exceptional_cases())
    case = replace(case, carry_limit=draw(LIMITS | YEARS))
    polls = [*case.polls, *draw(chains(case))]
    polls += polls[:: draw(st.sampled_from((2, 7)))]
    draw(st.randoms(use_true_random=False)).shuffle(polls)
    case, when = replace(case, polls=polls), draw(WHEN)
    near = [at for _, _, at in polls if abs(at - now_of(case)) < NEAR]
    if when == "as drawn" or not near:
        return replace(case, as_of=now_of(case) if case.as_of or not near else None)
    at, other = draw(st.sampled_from(near)), draw(st.sampled_from(near))
    limit = case.carry_limit
    lengths = {"at a poll": timedelta(), "a limit after": limit, "half way": (other - at) / 2, "after all": limit}
    first = max(near) if when == "after all" else at
    return replace(case, as_of=first + lengths[when] + draw(NUDGES))


def rows_of(expected: dict[str, truth.Now]) -> list[tuple[Any, ...]]:
    return [
        (
            *(store_id, one.state, one.is_open, one.since),
            None if one.open_time_us is None else one.open_time_us * MICROSECOND,
            *(one.last_polled_at, one.last_active_at, one.next_change_at),
        )
        for store_id, one in expected.items()
    ]


def asked_of(case: Case, policy: truth.Policy) -> dict[str, Any]:
    return {"as_of": case.as_of, "carry_limit": case.carry_limit, "policy": policy}


def known_tags(case: Case) -> set[str]:
    return {name for tags in case.tags.values() for name, value in tags.items() if value}


@MANY
@given(moments(), POLICIES)
def test_all_of_every_store_is_the_oracle_s(case: Case, policy: truth.Policy) -> None:
    if as_of_of(case) is None:
        return
    told = now(frames_of(case), **asked_of(case, policy))
    assert told.columns == COLUMNS
    instants = told.select("since", "last_polled_at", "last_active_at", "next_change_at")
    assert {*instants.dtypes} == {pl.Datetime("us", "UTC")}
    assert told.schema["open_time"] == pl.Duration("us")
    assert told.rows() == rows_of(truth.now(**vars(case), policy=policy))


@FEW
@given(moments(), POLICIES, TAGS)
def test_groups_are_the_oracle_s(case: Case, policy: truth.Policy, by: list[str]) -> None:
    if as_of_of(case) is None:
        return
    frames = frames_of(case)
    if not known_tags(case) >= {*by}:
        with pytest.raises(InputError, match="there is no tag"):
            now(frames, **asked_of(case, policy), group_by=by)
        return
    told = now(frames, **asked_of(case, policy), group_by=by)
    assert told.columns == [*by, *truth.Counts._fields]
    expected = truth.group_now(truth.now(**vars(case), policy=policy), case.tags, by)
    assert told.rows() == [(*group, *counts) for group, counts in expected.items()]


@FEW
@given(moments(), POLICIES, st.data())
def test_only_the_stores_where(case: Case, policy: truth.Policy, data: st.DataObject) -> None:
    if as_of_of(case) is None or not known_tags(case):
        return
    tag = data.draw(st.sampled_from(sorted(known_tags(case))))
    where = {tag: data.draw(st.sampled_from(sorted({of.get(tag, "") for of in case.tags.values()} | {""})))}
    told = now(frames_of(case), **asked_of(case, policy), where=where)
    assert told.rows() == rows_of(truth.now(**vars(case), policy=policy, where=where))


def ingest(lake: Lake, where: Path, name: str, table: pl.DataFrame) -> None:
    """Load a table as a file, of which no row is rejected."""
    file = where / f"{name}.csv"
    table.write_csv(file, datetime_format="%Y-%m-%d %H:%M:%S%.6f UTC")
    (loaded,) = lake.ingest(file, now=LATER).tables
    assert loaded.rejected == 0


def cut(polls: pl.DataFrame, random: Random) -> Sequence[pl.DataFrame]:
    """Deal the polls out to a few files, in no order of time, and some of them twice."""
    dealt = pl.Series([random.randrange(4) for _ in range(len(polls))], dtype=pl.Int64)
    parts = [polls.filter(dealt == part) for part in range(4)]
    return [*(part for part in parts if len(part)), polls.head(random.randrange(3) + 1)]


@FEW
@given(moments(), POLICIES, st.randoms(use_true_random=False))
def test_of_a_lake_in_any_order(case: Case, policy: truth.Policy, random: Random) -> None:
    if not case.polls:
        return
    expected = rows_of(truth.now(**vars(case), policy=policy))
    with TemporaryDirectory() as name:
        where = Path(name)
        lake = Lake(where / "lake")
        tables = tables_of(case)
        files = [("store_status", part) for part in cut(tables.pop("polls"), random)]
        names = {"hours": "menu_hours", "zones": "timezones"}
        files += [
            (names.get(kind, kind), table) for kind, table in tables.items() if len(table) and len(table.columns) > 1
        ]
        random.shuffle(files)
        for kind, table in files:
            ingest(lake, where, kind, table)
        assert now(lake, **asked_of(case, policy)).rows() == expected
        lake.compact(at_least=2)
        assert now(lake, **asked_of(case, policy)).rows() == expected
        assert lake.prune(date(1990, 1, 1)).polls == 0
        assert now(lake, **asked_of(case, policy)).rows() == expected
