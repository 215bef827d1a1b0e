"""Ranges of stores: in however many the work is done, the answer is the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from storemon import Frames, InputError, Lake, hour_of_week, outages, report
from storemon.answers.report import report_by_range
from storemon.engine.chosen import chosen_stores
from storemon.engine.question import ask
from storemon.engine.ranges import by_range, stores_at_once
from storemon.lake.keys import key_ranges
from tests.engine.asking import as_of_of, frames_of
from tests.examples import examples
from tests.lake.files import folder
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
ONE_BYTE = 1
"""No store fits, so they come one by one."""
MEASURES = ["uptime", "downtime", "unknown", "uptime_min", "excluded", "outages", "longest_outage", "mttr"]
REPORTS: list[dict[str, Any]] = [
    {},
    {"group_by": ["region"]},
    {"group_by": []},
    {"every": "day", "windows": ["3d"]},
    {"every": "day", "windows": ["3d"], "group_by": ["region"]},
    {"versus_previous": True, "target": "99"},
]


def answers(source: Lake | Frames, *, tags: bool = True, **asked: Any) -> list[pl.DataFrame]:
    return [
        *(report(source, measures=MEASURES, **each, **asked) for each in REPORTS if tags or "region" not in str(each)),
        outages(source, windows=["1d", "3d"], **asked),
        hour_of_week(source, **asked),
        hour_of_week(source, group_by=[], **asked),
    ]


def polls_of(*stores: str) -> list[str]:
    """Write polls of two days, one every second hour, now and then inactive."""
    at = [(hour, AT - timedelta(hours=hour)) for hour in range(0, 48, 2)]
    return [
        f"{store},{'inactive' if (hour + len(store)) % 5 == 0 else 'active'},{polled_at:%Y-%m-%d %H:%M:%S} UTC"
        for store in stores
        for hour, polled_at in at
    ]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Make a lake whose keys are in another order than its ids: the stores became known one after the other."""
    found = Lake(tmp_path / "lake")
    for store in ("mm", "z", "a", "bbbb", "yy", "c"):
        found.ingest(folder(tmp_path / store, polls=polls_of(store)), now=AT)
    hours = [f"{store},{day},08:00:00,20:00:00" for store in ("a", "bbbb", "mm") for day in range(7)]
    everything = folder(
        tmp_path / "all",
        polls=polls_of("new"),
        hours=hours,
        zones=["z,Asia/Kathmandu", "c,UTC"],
        special_hours=["a,2024-10-13,,", "*,2024-10-14,01:00:00,11:00:00"],
        maintenance=["*,2024-10-13 11:00:00,2024-10-13 12:00:00,all", "yy,2024-10-13 02:00:00,2024-10-13 05:00:00,one"],
        stores=["store_id,region", "a,West", "z,West", "new,East"],
    )
    found.ingest(everything, now=AT)
    return found


def test_a_lake_answers_the_same_in_ranges(lake: Lake) -> None:
    for some, whole in zip(answers(lake, memory=ONE_BYTE), answers(lake), strict=True):
        assert some.equals(whole)
        assert some.schema == whole.schema


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exceptional_cases(max_stores=4).filter(lambda case: as_of_of(case) is not None))
def test_frames_answer_the_same_in_ranges(case: Case) -> None:
    frames = frames_of(case)
    tags, asked = "region" in frames.tags()["tag"], {"as_of": case.as_of, "carry_limit": case.carry_limit}
    in_ranges = answers(frames, tags=tags, memory=ONE_BYTE, **asked)
    for some, whole in zip(in_ranges, answers(frames, tags=tags, **asked), strict=True):
        assert some.equals(whole)


def test_the_rows_come_range_by_range(lake: Lake) -> None:
    parts = list(report_by_range(lake, memory=ONE_BYTE))
    assert [part["store_id"].to_list() for part in parts] == [["a"], ["bbbb"], ["c"], ["mm"], ["new"], ["yy"], ["z"]]
    assert len(list(report_by_range(lake))) == 1


def test_no_store_at_all_is_one_range_of_none(lake: Lake) -> None:
    snapshot, question = ask(lake, as_of=AT - timedelta(days=99))
    stores = chosen_stores(snapshot, question)
    assert [len(some) for some in by_range(lambda *given: given[2], snapshot, question, stores)] == [0]


def test_more_memory_takes_more_stores_and_longer_history_fewer(lake: Lake) -> None:
    def at_once(**asked: Any) -> int:
        snapshot, question = ask(lake, **asked)
        return stores_at_once(snapshot, question, chosen_stores(snapshot, question))

    assert at_once(memory=ONE_BYTE) == 1
    assert at_once(memory="1GiB") == pytest.approx(2 * at_once(memory="512MiB"), abs=1)
    assert at_once(windows=["30d"]) < at_once(windows=["7d"])
    assert at_once(windows=["1h"], carry_limit="1h") > at_once(windows=["1h"])


def test_memory_that_is_none() -> None:
    with pytest.raises(InputError, match=r"'lots' is not a size; write it like 2GiB"):
        report(Frames(polls={"store_id": ["a"], "status": ["active"], "timestamp_utc": [AT]}), memory="lots")


@pytest.mark.parametrize(
    ("keys", "ranges", "are_exact"),
    [
        ([], [], True),
        ([5], [(5, 5)], True),
        ([3, 1, 2], [(1, 3)], True),
        ([9, 1, 2, 7], [(1, 2), (7, 7), (9, 9)], True),
        # Of too many the nearest are joined.
        (
            [0, 10, 20, 30, 40, 50, 60, 62, 72],
            [(at, at) for at in (0, 10, 20, 30, 40, 50)] + [(60, 62), (72, 72)],
            False,
        ),
    ],
)
def test_keys_in_few_ranges(keys: list[int], ranges: list[tuple[int, int]], are_exact: bool) -> None:  # noqa: FBT001
    assert key_ranges(pl.Series(keys, dtype=pl.Int32)) == (ranges, are_exact)
