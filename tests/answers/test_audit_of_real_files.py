"""The audit of the real files, where they are at hand, against counts over their text."""

from collections import Counter

import pytest

from storemon import Lake
from storemon.answers.audit import Finding, audit
from tests.intake.test_real_files import REAL, SOURCES, rows_of

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real data is not at hand")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    folder = tmp_path_factory.mktemp("real")
    for source, name in SOURCES.items():
        (folder / name).write_bytes((REAL / source).read_bytes())
    lake = Lake(folder / "lake")
    lake.ingest(folder)
    return {finding.name: finding for finding in audit(lake, examples=5_000)}


def stores_in(name: str) -> set[str]:
    return {row[0] for row in rows_of(name)}


def stores_of(finding: Finding) -> list[str]:
    return sorted(finding.examples["store_id"])


def test_stores_that_are_missing_somewhere(found: dict[str, Finding]) -> None:
    polled, zoned, scheduled = map(stores_in, ("store_status_head.csv", "timezones.csv", "menu_hours.csv"))
    assert stores_of(found["stores_without_hours"]) == sorted(polled - scheduled)
    assert stores_of(found["stores_without_zone"]) == sorted(polled - zoned)
    assert stores_of(found["hours_without_polls"]) == sorted((zoned | scheduled) - polled)


def test_schedules_of_one_minute(found: dict[str, Finding]) -> None:
    rows = rows_of("menu_hours.csv")
    shifts = Counter((store, day) for store, day, _, _ in rows)
    minutes = [(store, int(day)) for store, day, *times in rows if times == ["00:00:00", "00:01:00"]]
    finding = found["one_minute_schedules"]
    assert finding.examples.select("store_id", "weekday").rows() == sorted(minutes)
    assert finding.count == 28
    assert all(shifts[store, str(day)] == 1 for store, day in minutes)


def test_what_the_real_files_are_free_of(found: dict[str, Finding]) -> None:
    assert [found[name].count for name in ("overlapping_shifts", "disagreeing_duplicates", "rejected_rows")] == [
        0,
        0,
        0,
    ]


def test_a_gap_takes_two_polls(found: dict[str, Finding]) -> None:
    polls = Counter(store for store, _, _ in rows_of("store_status_head.csv"))
    assert found["gaps"].count
    assert all(polls[store] > 1 for store in stores_of(found["gaps"]))
    assert not {*stores_of(found["late_first_polls"]), *stores_of(found["silent_stores"])} - {*polls}
