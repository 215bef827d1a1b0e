"""What a terminal shows of answers small enough to work them out by hand.

All are open round the clock, in UTC; as-of is Monday, 2024-10-14 12:00. The harbour is down from 06:00 to 09:00, three
hours; the quay never; the barn, whose only poll is inactive, always. Each first poll reaches back over the whole week.
"""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from storemon.answers.explain import explain
from storemon.cli import main
from storemon.intake.lake import Lake
from storemon.units.zones import EDITION
from storemon.views import svg, timeline
from tests.conftest import COMMAND, environment

POLLS = """\
store_id,status,timestamp_utc
harbour,active,2024-10-14 00:00:00 UTC
harbour,inactive,2024-10-14 06:00:00 UTC
harbour,active,2024-10-14 09:00:00 UTC
quay,active,2024-10-14 12:00:00 UTC
barn,inactive,2024-10-14 11:30:00 UTC
"""
FILES = {
    "store_status.csv": POLLS,
    "menu_hours.csv": "store_id,dayOfWeek,start_time_local,end_time_local\n",
    "timezones.csv": "store_id,timezone_str\nharbour,UTC\nquay,UTC\nbarn,UTC\n",
    "stores.csv": "store_id,region,brand\nharbour,West,Acme\nquay,West,Bell\nbarn,,Acme\n",
}
LAST_OF_A_REPORT = [
    f"local times by zone data {EDITION}",
    "of 3 polled stores 3 have no hours (taken as open round the clock): storemon audit",
]
AS_OF = "as of 2024-10-14 12:00:00 UTC"

Shown = Callable[[str], list[str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    Lake(folder / "lake").ingest(folder)
    return folder / "lake"


@pytest.fixture
def shown(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Run a command on a terminal 80 columns wide; give the lines, without spaces at their ends."""

    def run(line: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setattr(sys, "argv", ["storemon", *line.split(), "--lake", str(lake)])
        monkeypatch.setattr(sys, "stdout", terminal := Terminal())
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        printed = [line.rstrip() for line in terminal.getvalue().splitlines()]
        if line.split(maxsplit=1)[0] != "report":
            return printed
        assert printed[-2:] == LAST_OF_A_REPORT
        return printed[:-2]

    return run


def test_a_report(shown: Shown) -> None:
    assert shown("report") == [
        "             uptime    uptime     uptime   downtime  downtime   downtime",
        "          last_hour  last_day  last_week  last_hour  last_day  last_week",
        "store_id    minutes     hours      hours    minutes     hours      hours",
        "────────────────────────────────────────────────────────────────────────",
        "barn           0.00      0.00       0.00      60.00     24.00     168.00",
        "harbour       60.00     21.00     165.00       0.00      3.00       3.00",
        "quay          60.00     24.00     168.00       0.00      0.00       0.00",
        f"3 stores {AS_OF}, most downtime_last_week first",
    ]


def test_the_worst_of_a_report(shown: Shown) -> None:
    assert shown("report --top 1 --window 6h --measures availability") == [
        "last_6h",
        "          availability",
        "store_id             %",
        "──────────────────────",
        "barn              0.00",
        f"1 of 3 stores {AS_OF}, least availability_last_6h first",
        "… 2 more: --top 0 or --out FILE",
    ]


def test_groups(shown: Shown) -> None:
    assert shown("report --group-by region --window last_day --target 95") == [
        "last_day",
        "                uptime  downtime   budget    spent      left",
        "region  stores   hours     hours  minutes  minutes   minutes  burn_rate",
        "───────────────────────────────────────────────────────────────────────",
        "             1    0.00     24.00    72.00  1440.00  -1368.00      20.00",
        "West         2   45.00      3.00   144.00   180.00    -36.00       1.25",
        f"2 groups {AS_OF}, most burn_rate_last_day first",
    ]


def test_a_series_follows_time_unless_one_asks_for_the_worst(shown: Shown) -> None:
    in_time = shown("report --every hour --where region=West --overall --from 2024-10-14T05:00 --to 2024-10-14T08:00")
    assert in_time == [
        "window",
        "                           uptime  downtime",
        "stores  hour              minutes   minutes",
        "───────────────────────────────────────────",
        "     2  2024-10-14 05:00   120.00      0.00",
        "     2  2024-10-14 06:00    60.00     60.00",
        "     2  2024-10-14 07:00    60.00     60.00",
        f"3 rows {AS_OF}",
    ]
    worst = shown("report --every hour --where region=West --overall --from 2024-10-14T05:00 --top 1")
    assert worst[4] == "     2  2024-10-14 06:00    60.00     60.00"
    assert worst[5] == f"1 of 7 rows {AS_OF}, most downtime first"


def test_outages(shown: Shown) -> None:
    assert shown("outages") == [
        "last_day",
        "          downtime           starts_at         ends_at            elapsed",
        "store_id   minutes  ongoing  UTC               UTC                minutes",
        "─────────────────────────────────────────────────────────────────────────",
        "barn       1440.00  yes      2024-10-07 11:30  2024-10-14 12:00  10110.00",
        "harbour     180.00  no       2024-10-14 06:00  2024-10-14 09:00    180.00",
        f"2 outages {AS_OF}, most downtime first",
        "… 3 more columns: a wider terminal or --out FILE",
    ]


def test_no_outages(shown: Shown) -> None:
    assert shown("outages --window last_hour --where region=West") == [f"no outages {AS_OF}"]


def test_several_windows_of_outages(shown: Shown) -> None:
    lines = shown("outages --window last_day --window last_hour")
    assert [line.split()[:3] for line in lines[3:6]] == [
        ["barn", "last_day", "1440.00"],
        ["harbour", "last_day", "180.00"],
        ["barn", "last_hour", "60.00"],
    ]


def test_stores(shown: Shown) -> None:
    assert shown("stores --target 99.5 --window last_day --breaching") == [
        "last_day",
        "          availability   budget    spent      left",
        "store_id             %  minutes  minutes   minutes  burn_rate  brand  region",
        "────────────────────────────────────────────────────────────────────────────",
        "barn              0.00     7.20  1440.00  -1432.80     200.00  Acme",
        "harbour          87.50     7.20   180.00   -172.80      25.00  Acme   West",
        f"2 stores over the budget of 99.5 % {AS_OF}, most burn_rate_last_day first",
    ]
    assert shown("stores --where brand=Acme")[4:6] == [
        "barn              0.00  Acme",
        "harbour          98.21  Acme   West",
    ]


def test_the_hours_of_the_week(shown: Shown) -> None:
    grid = shown("hour-of-week --window last_day --where region=West")
    assert grid[0] == "availability in %, last_day · 2 stores"
    assert grid[3] == "  00    100.00         -         -         -         -         -         -"
    assert grid[9] == "  06   50.00█*         -         -         -         -         -         -"
    assert grid[12].startswith("  09    100.00 ")
    assert shown("hour-of-week --window last_day --group-by region")[0].endswith("region= · 1 stores")
    assert f"1 of 504 hours of stores {AS_OF}, least availability first" in shown("hour-of-week --window 1d --top 1")


def test_an_audit(shown: Shown) -> None:
    lines = shown("audit")
    assert lines[:8] == [
        "stores_without_hours: 3",
        "They count as open round the clock, so that a night off is downtime. Add their",
        "rows to menu_hours.csv.",
        "store_id  polls  inactive_polls",
        "───────────────────────────────",
        "harbour       3               1",
        "barn          1               1",
        "quay          1               0",
    ]
    assert "late_first_polls: 3" in lines
    assert lines[-1] == (
        "nothing found by: stores_without_zone, hours_without_polls, silent_stores, gaps, polls_only_outside_hours, "
        "one_minute_schedules, overlapping_shifts, disagreeing_duplicates, rejected_rows"
    )


def test_an_explanation(shown: Shown, lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "harbour.svg"
    lines = shown(f"explain harbour --window 6h --svg {file}")
    told = explain(Lake(lake), "harbour", windows=["6h"])
    assert lines == [*timeline.lines(told)]
    assert (told.figures.uptime, told.figures.downtime) == (timedelta(hours=3), timedelta(hours=3))
    assert file.read_text() == svg.draw(told)


def test_a_store_with_nearly_that_name(lake: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "explain", "harbor", "--lake", lake], env=environment(), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "storemon: there is no store 'harbor'; did you mean harbour?\n"


def test_a_picture_that_cannot_be_drawn(lake: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "explain", "harbour", "--window", "6h", "--lake", lake, "--svg", tmp_path],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"storemon: {tmp_path}: the picture cannot be written: Is a directory\n"


def test_nothing_to_report_on(shown: Shown, capfd: pytest.CaptureFixture[str]) -> None:
    assert shown("report --as-of 2024-10-01 --where region=West") == ["no stores as of 2024-10-01 00:00:00 UTC"]
    assert capfd.readouterr().err == (
        "storemon: no store with these tags was polled at or before 2024-10-01 00:00:00+00:00; the report has no rows\n"
    )


def test_a_real_terminal(lake: Path) -> None:
    master, terminal = pty.openpty()
    ended = subprocess.run(
        [*COMMAND, "report", "--lake", lake],
        env=environment(TERM="xterm", COLUMNS="80"),
        stdout=terminal,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(terminal)
    drawn = os.read(master, 100_000).decode()
    os.close(master)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "store_id" in drawn
    assert "\x1b[1m" in drawn
    assert "harbour       60.00     21.00     165.00" in drawn
    assert f"3 stores {AS_OF}" in drawn
