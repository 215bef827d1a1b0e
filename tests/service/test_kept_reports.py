"""Reports that are kept for a while, and what vacuum may remove once they are not."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from storemon.intake.lake import Lake
from storemon.records import jobs as module
from storemon.records.jobs import Jobs
from storemon.service.work import kept_versions, let_go
from storemon.settings import Settings
from storemon.units.keeping import Keeping
from tests.service.conftest import POLLS, write_csvs
from tests.service.waiting import report_of, trigger


def files_of(settings: Settings, report_id: str) -> list[str]:
    return sorted(file.name for file in settings.reports.glob(f"*{report_id}*"))


def test_the_oldest_reports_go_with_their_files_and_versions(
    settings: Settings, lake: Lake, jobs: Jobs, client: TestClient[Litestar]
) -> None:
    reports = []
    for poll in ("", "1,inactive,2024-10-14 23:50:00 UTC\n", "2,inactive,2024-10-14 23:51:00 UTC\n"):
        write_csvs(settings.data, POLLS + poll)
        lake.ingest(settings.data)
        reports.append(trigger(client))
        assert report_of(client, reports[-1]).status_code == 200
    assert [asked["polls"] for asked in kept_versions(settings)] == [0, 1, 2]
    assert let_go(settings, jobs) == 0
    assert let_go(replace(settings, keep_reports=Keeping(count=2)), jobs) == 1
    assert report_of(client, reports[0]).status_code == 404
    assert files_of(settings, reports[0]) == []
    assert all(report_of(client, kept).status_code == 200 for kept in reports[1:])
    assert [asked["polls"] for asked in kept_versions(settings)] == [1, 2]
    assert let_go(replace(settings, keep_reports=Keeping(age=timedelta(microseconds=1))), jobs) == 2
    assert kept_versions(settings) == []


def test_vacuum_follows(settings: Settings, lake: Lake, jobs: Jobs, client: TestClient[Litestar]) -> None:
    report_id = trigger(client)
    assert report_of(client, report_id).status_code == 200
    before = set(Path(settings.lake).rglob("*.parquet"))
    lake.prune(date(2024, 10, 15))
    assert not lake.vacuum(timedelta(), kept_versions(settings), dry_run=True)
    assert let_go(replace(settings, keep_reports=Keeping(count=0)), jobs) == 1
    assert lake.vacuum(timedelta(), kept_versions(settings), dry_run=False)
    assert before - set(Path(settings.lake).rglob("*.parquet"))


def test_of_many_the_rest_goes_another_time(settings: Settings, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [jobs.add("report", {}) for _ in range(6)]
    assert all(jobs.cancel("report", each) for each in ids)
    for each in ids:
        for file in (f"{each}.csv", f".{each}.xlsx.0123.part"):
            (settings.reports / file).touch()
    none = replace(settings, keep_reports=Keeping(count=0))
    monkeypatch.setattr(module, "_OUTDATED_AT_ONCE", 2)
    assert let_go(none, jobs) == 2
    assert [bool(files_of(settings, each)) for each in ids] == [False] * 2 + [True] * 4, "those that ended first"
    assert [let_go(none, jobs) for _ in range(3)] == [2, 2, 0]
    assert not [*settings.reports.glob("*.part")]
    ids = [jobs.add("report", {}) for _ in range(2)]
    assert all(jobs.cancel("report", each) for each in ids)
    monkeypatch.setattr("storemon.service.work._LET_GO_SECONDS", 0)
    assert [let_go(none, jobs) for _ in range(3)] == [1, 1, 0]
