"""Disks that are full, files that are gone, clocks that differ."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.examples import examples
from tests.faults.conftest import Place
from tests.service.server import REAL, SLOW, running
from tests.service.waiting import downloaded, report_of, trigger, until

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
needs_faketime = pytest.mark.skipif(
    not FAKETIME.exists(), reason="there is no libfaketime here: apt-get install faketime"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small file system here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte."""
    file = folder / "filling"
    with file.open("wb", buffering=0) as filling:
        try:
            while True:
                filling.write(b"x" * 4096)
        except OSError:
            return file


@pytest.mark.fault(
    "the disk of the reports is full",
    "what needs room is answered 503, or fails with the reason; nothing that was there is lost; with room again it "
    "goes on by itself",
)
@pytest.mark.parametrize("n", range(examples(5)))
def test_a_full_disk(place: Place, small_disk: Path, n: int) -> None:
    with (
        running(*SLOW, SLOW_SECONDS="0.5", STOREMON_REPORTS=str(small_disk / "reports")) as server,
        server.client() as client,
    ):
        first = trigger(client)
        assert report_of(client, first).content == place.expected
        second = trigger(client)
        time.sleep(0.1 * n)
        filling = fill(small_disk)
        answers = [client.post("/trigger_report") for _ in range(3)]
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert any("reports" in reason for reason in ready.json()["reasons"]), ready.text
        for answer in answers:
            assert answer.status_code in (200, 503), answer.text
        assert client.get(f"/get_report/{first}").content == place.expected
        time.sleep(1)
        filling.unlink()
        for report_id in [second, *(answer.json()["report_id"] for answer in answers if answer.status_code == 200)]:
            ended = report_of(client, report_id)
            if ended.status_code == 500:
                assert "No space left" in ended.json()["reason"] or "full" in ended.json()["reason"]
            else:
                assert ended.content == place.expected
        assert report_of(client, trigger(client)).content == place.expected
        assert client.get(f"/get_report/{first}").content == place.expected
        assert not list((small_disk / "reports").glob("*.part"))


@pytest.mark.fault(
    "a file of the lake is gone",
    "a report that needs it fails with the reason; `/health/ready` says so; reports that were made stay; with the file "
    "back it goes on by itself",
)
@pytest.mark.parametrize("what", ["a file of polls", "the log of the polls"])
def test_a_file_of_the_lake_is_gone(place: Place, what: str) -> None:
    table = Path(place.settings.lake) / "polls"
    files = sorted(table.rglob("*.parquet")) if what == "a file of polls" else [table / "_delta_log"]
    with running(*REAL) as server, server.client() as client:
        first = trigger(client)
        assert report_of(client, first).content == place.expected
        with away(files):
            failed = report_of(client, trigger(client))
            assert failed.status_code == 500
            assert "polls" in failed.json()["reason"]
            assert "Traceback" not in failed.text
            assert client.get("/health/ready").status_code == 503
            assert client.get("/v1/report").status_code in (404, 503)
            assert client.get(f"/get_report/{first}").content == place.expected
        assert report_of(client, trigger(client)).content == place.expected
        until(lambda: client.get("/health/ready").status_code == 200)


@contextmanager
def away(files: list[Path]) -> Iterator[None]:
    """Take files away, and put them back."""
    for file in files:
        file.rename(file.with_name(f"{file.name}-away"))
    try:
        yield
    finally:
        for file in files:
            file.with_name(f"{file.name}-away").rename(file)


@needs_faketime
@pytest.mark.fault(
    "the clocks of two hosts are 60 s apart",
    "leases go by the database's clock: no job is taken from one that lives, and the bytes are the same",
)
@pytest.mark.parametrize("step", ["+60s", "-60s"])
def test_clocks_that_differ(shared: Place, step: str) -> None:
    ahead = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": step, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with ExitStack() as stack:
        slow = {"SLOW_SECONDS": "3", "STOREMON_LEASE": "5s"}
        first = stack.enter_context(running(*SLOW, workers=1, **slow))
        second = stack.enter_context(running(*SLOW, workers=1, **slow, **ahead))
        reports = []
        for server in (first, second):
            with server.client() as client:
                reports.append(trigger(client))
        for report_id in reports:
            assert downloaded(first.url, report_id) == shared.expected
        done = [line for server in (first, second) for line in server.logged("job complete")]
        assert sorted(line["id"] for line in done) == sorted(reports)
        assert [line["attempt"] for line in done] == [1, 1]


@needs_faketime
@pytest.mark.fault(
    "the clock of a host steps by 60 s, ahead or back, while a report is made",
    "the report is complete, with the same bytes",
)
@pytest.mark.parametrize("step", ["+60s", "-60s"])
def test_a_clock_that_steps(place: Place, tmp_path: Path, step: str) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0s")
    stepping = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    reports = str(tmp_path / "reports")
    with (
        running(
            *SLOW, workers=1, SLOW_SECONDS="2", STOREMON_REPORTS=reports, FAKETIME_DONT_FAKE_MONOTONIC="1", **stepping
        ) as server,
        server.client() as client,
    ):
        report_id = trigger(client)
        time.sleep(0.5)
        clock.write_text(step)
        assert report_of(client, report_id).content == place.expected
        assert report_of(client, trigger(client)).content == place.expected
