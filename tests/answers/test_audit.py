"""The audit as a whole: the worked example of its page, its defaults, its errors, and that it changes no fact."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from storemon import EmptyLakeError, Frames, InputError, Lake, LakeError
from storemon.answers.audit import CHECKS, EXAMPLES, WINDOW, Finding, audit

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
AS_OF = datetime(2024, 10, 14, 12, tzinfo=UTC)
MINUTE, HOUR = 60_000_000, 3_600_000_000
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


def polled(*polls: tuple[str, str, datetime], hours: Any = None, zones: Any = None) -> Frames:
    columns = {"store_id": pl.String(), "status": pl.String(), "timestamp_utc": pl.Datetime("us", "UTC")}
    return Frames(polls=pl.DataFrame(polls, schema=columns, orient="row"), hours=hours, zones=zones)


def counts(findings: tuple[Finding, ...]) -> dict[str, int]:
    return {finding.name: finding.count for finding in findings if finding.count}


def example_files() -> Iterator[tuple[str, str]]:
    """The CSVs of the page, each under its name."""
    for block in PAGE.split("```csv\n")[1:]:
        before = PAGE[: PAGE.index(block)]
        yield re.findall(r"^`(\w+\.csv)`:", before, re.MULTILINE)[-1], block.partition("```")[0]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("example")
    for name, text in example_files():
        (folder / name).write_text(text, encoding="utf-8")
    lake = Lake(folder / "lake")
    lake.ingest(folder, now=AS_OF)
    return lake


def test_the_worked_example(lake: Lake) -> None:
    found = {finding.name: finding.examples.rows() for finding in audit(lake)}
    ((file, *rejected),) = found.pop("rejected_rows")
    assert Path(file).name == "store_status.csv"
    row = "harbour,open,2024-10-09 10:00:00 UTC"
    assert rejected == ["status is neither active nor inactive", 1, 6, row, AS_OF]
    assert found == {
        "stores_without_hours": [("mill", 1, 1)],
        "stores_without_zone": [("barn", 1)],
        "hours_without_polls": [("park", 1, "UTC")],
        "silent_stores": [("quay", at(10, 5, 10), 3 * HOUR)],
        "late_first_polls": [("mill", at(10, 14, 2), 494 * HOUR)],
        "gaps": [("harbour", at(9, 20, 10), at(10, 1, 10), 9 * HOUR)],
        "polls_only_outside_hours": [("barn", 5, AS_OF, 4 * MINUTE)],
        "one_minute_schedules": [("barn", 0, "00:00:00-00:01:00", MINUTE)],
        "overlapping_shifts": [("park", 5, "10:00:00-15:00:00, 14:00:00-22:00:00", HOUR)],
        "disagreeing_duplicates": [("quay", at(9, 30, 12))],
    }


def test_a_snapshot_is_audited_as_its_lake_is(lake: Lake) -> None:
    assert counts(audit(lake.snapshot())) == counts(audit(lake)) == dict.fromkeys((check.name for check in CHECKS), 1)


def test_the_page_tells_of_each_check_and_its_columns(lake: Lake) -> None:
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    columns = {name: re.findall(r"`(\w+)`", cell) for name, cell in told}
    assert columns == {finding.name: finding.examples.columns for finding in audit(lake)}


def test_findings_come_in_the_order_of_the_checks_also_when_there_is_nothing() -> None:
    hours = {"store_id": ["a"], "day": [0], "start_time_local": ["9:00"], "end_time_local": ["9:00"]}
    well = polled(("a", "active", AS_OF), hours=hours, zones={"store_id": ["a"], "timezone_str": ["UTC"]})
    findings = audit(well, window=timedelta(days=7))
    assert [(finding.name, finding.meaning) for finding in findings] == [
        (check.name, check.meaning) for check in CHECKS
    ]
    assert counts(findings) == {}
    assert all(finding.examples.is_empty() for finding in findings)


def test_types(lake: Lake) -> None:
    for finding in audit(lake):
        for name, dtype in finding.examples.schema.items():
            assert (dtype == pl.Datetime("us", "UTC")) == name.endswith("_at")
            assert dtype == pl.Int64 or not name.endswith("_us")


def test_the_worst_are_the_examples_and_all_are_counted() -> None:
    many = polled(*((f"{n:02}", "inactive", AS_OF - n * timedelta(minutes=1)) for n in range(20) for _ in range(2)))
    (finding, *_) = audit(many)
    assert (finding.count, len(finding.examples), EXAMPLES) == (20, 10, 10)
    (finding, *_) = audit(many, examples=3)
    assert (finding.count, finding.examples["store_id"].to_list()) == (20, ["00", "01", "02"])
    (finding, *_) = audit(many, examples=0)
    assert (finding.count, len(finding.examples)) == (20, 0)


def test_the_window_is_28_days() -> None:
    twice = [("a", status, AS_OF - WINDOW) for status in ("active", "inactive")]
    assert timedelta(days=28) == WINDOW
    assert counts(audit(polled(*twice), as_of=AS_OF))["disagreeing_duplicates"] == 1
    later = AS_OF + timedelta(microseconds=1)
    assert "disagreeing_duplicates" not in counts(audit(polled(*twice), as_of=later))
    assert counts(audit(polled(*twice), as_of=later, window=timedelta(days=29)))["disagreeing_duplicates"] == 1


def test_as_of_is_the_newest_poll_a_naive_one_utc_and_any_zone_will_do(lake: Lake) -> None:
    newest = counts(audit(lake))
    naive, elsewhere = AS_OF.replace(tzinfo=None), AS_OF.astimezone(timezone(timedelta(hours=-5)))
    assert counts(audit(lake, as_of=naive)) == counts(audit(lake, as_of=elsewhere)) == newest


def test_a_store_is_silent_once_its_poll_is_older_than_the_carry_limit(lake: Lake) -> None:
    a_limit_later = at(10, 15, 10)  # than the last poll of the harbour
    assert counts(audit(lake, as_of=a_limit_later))["silent_stores"] == 1
    assert counts(audit(lake, as_of=a_limit_later + timedelta(microseconds=1)))["silent_stores"] == 2


def test_nothing_after_as_of_counts(lake: Lake) -> None:
    earlier = {finding.name: finding for finding in audit(lake, as_of=at(10, 6, 0))}
    assert earlier["silent_stores"].count == 0
    assert earlier["hours_without_polls"].examples["store_id"].to_list() == ["park", "mill"]
    assert earlier["stores_without_hours"].count == 0


def test_a_longer_carry_limit_leaves_fewer_gaps(lake: Lake) -> None:
    eleven = counts(audit(lake, carry_limit=timedelta(days=11)))
    assert {*counts(audit(lake))} - {*eleven} == {"gaps", "silent_stores"}
    assert "late_first_polls" not in counts(audit(lake, carry_limit=timedelta.max))


def test_without_a_poll_to_take_as_of_from(tmp_path: Path) -> None:
    for empty in (polled(), Lake(tmp_path / "none")):
        with pytest.raises(EmptyLakeError, match="has no polls yet"):
            audit(empty)
        assert counts(audit(empty, as_of=AS_OF)) == {}


@pytest.mark.parametrize("end", [FIRST, LAST])
def test_where_time_begins_and_ends(end: datetime) -> None:
    one = polled(("a", "active", AS_OF))
    expected = {} if end == FIRST else {"stores_without_hours": 1, "stores_without_zone": 1}
    assert counts(audit(one, as_of=end, window=timedelta.max, carry_limit=timedelta.max)) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"carry_limit": timedelta()}, "the carry limit is 0:00:00; it must be longer than zero"),
        ({"window": timedelta(days=-1)}, "the window is -1 day, 0:00:00; it must be longer than zero"),
        ({"examples": -1}, "-1 examples were asked for; ask for 0 or more"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        audit(polled(("a", "active", AS_OF)), **asked)


def test_a_damaged_lake(tmp_path: Path) -> None:
    (tmp_path / "store_status.csv").write_text("store_id,status,timestamp_utc\na,active,2024-10-14 12:00:00 UTC\n")
    lake = Lake(tmp_path / "lake")
    lake.ingest(tmp_path)
    for file in lake.path.glob("polls/polled_on=2024-10-14/*/*.parquet"):
        file.write_bytes(b"damaged")
    with pytest.raises(LakeError, match=r"the polls of the lake in .* cannot be read"):
        audit(lake, as_of=AS_OF)
