"""The service: a report over HTTP against one in process, and how quickly it answers while it works."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

import httpx
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.pairs import in_turns, timed
from benchmarks.rows import TIMES, Row, duration
from benchmarks.serving import POLL_SECONDS, download, poll, served, trigger
from storemon.calendar.windows import DEFAULT_WINDOWS
from storemon.engine.measures import SEVEN_COLUMNS, chosen
from storemon.sample import write_sample
from storemon.views.answer import legend_of_report
from storemon.views.forms import to_csv

LEGEND = legend_of_report(chosen(SEVEN_COLUMNS, None), DEFAULT_WINDOWS)

_ALLOWANCE = 0.05  # seconds


def test_download(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, data: Path, lake: Path) -> None:
    with served(workspace / "served", lake=lake, data=data) as client:
        assert download(client) == to_csv(storemon.report(storemon.Lake(lake), measures=SEVEN_COLUMNS), LEGEND)
        (pairs,) = in_turns(
            benchmark, lambda: download(client), lambda: storemon.report(storemon.Lake(lake)), rounds=30
        )
    beyond = median((one - _ALLOWANCE) / other for one, other in zip(*pairs, strict=True))
    row = pairs.row(50, "trigger ► CSV downloaded, over HTTP", "report, in process")
    rows.append(replace(row, must_be=f"≤ 2 {TIMES} + 50 ms", met=beyond <= 2))


class _Busy:
    """A service that is always making a report and always ingesting."""

    def __init__(self, client: httpx.Client, folders: list[Path]) -> None:
        self.client = client
        self.folders = folders
        self.report_id = trigger(client)
        self.ingest_id = self._ingest()
        self.rounds = 0
        self.complete: list[bool] = []

    def keep(self) -> None:
        """Start anew what has ended, and wait as a client does between two polls."""
        if self.complete and self.complete[-1]:
            self.report_id = trigger(self.client)
        if self.rounds % 20 == 0 and self._ingested():
            self.ingest_id = self._ingest()
        self.rounds += 1
        time.sleep(POLL_SECONDS)

    def poll(self) -> None:
        """Poll the report."""
        self.complete.append(poll(self.client, self.report_id) is not None)

    def _ingest(self) -> str:
        self.folders.append(folder := self.folders.pop(0))
        answer = self.client.post("/ingest", json={"path": str(folder)}).raise_for_status()
        ingest_id: str = answer.json()["ingest_id"]
        return ingest_id

    def _ingested(self) -> bool:
        status = self.client.get(f"/ingest/{self.ingest_id}").raise_for_status().json()["status"]
        assert status != "Failed"
        return bool(status == "Complete")


def test_status_polls(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, data: Path, lake: Path) -> None:
    others = data.parent / "others"
    write_sample(others, seed=2)
    shutil.copytree(lake, workspace / "busy-lake")
    with served(workspace / "busy", lake=workspace / "busy-lake", data=data.parent) as client:
        busy = _Busy(client, [others, data])
        seconds = timed(benchmark, busy.poll, before=busy.keep, rounds=1000)
    answers = zip(seconds, busy.complete[-1000:], strict=True)
    running = [taken for taken, complete in answers if not complete]  # the others were downloads
    assert len(running) > 500
    p99 = quantiles(running, n=100)[98]
    rows.append(
        Row(
            80,
            "poll of a status, while a report and an ingestion run",
            f"p50 {duration(median(running))}, p99 {duration(p99)}",
            must_be="p99 < 20 ms",
            met=p99 < 0.02,
        )
    )
