"""What is true now, as a terminal tells it, once and again and again.

As-of is Tuesday, 2024-10-15 21:00 UTC. All are open daily from 9 to 17 by their own clocks: in New York it is 17:00, in
Los Angeles 14:00, in London 22:00.
"""

import os
import pty
import select
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storemon.intake.lake import Lake
from tests.conftest import COMMAND, Storemon, environment

STORES = {
    "east": "America/New_York",
    "west": "America/Los_Angeles",
    "coast": "America/Los_Angeles",
    "isle": "Europe/London",
}
POLLS = """\
store_id,status,timestamp_utc
east,active,2024-10-15 20:00:00 UTC
east,active,2024-10-15 21:00:00 UTC
west,active,2024-10-15 15:00:00 UTC
west,inactive,2024-10-15 19:00:00 UTC
coast,active,2024-10-14 16:00:00 UTC
coast,inactive,2024-10-14 20:00:00 UTC
isle,inactive,2024-10-15 12:00:00 UTC
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "store_status.csv").write_text(POLLS)
    hours = (f"{store},{day},09:00,17:00" for store in STORES for day in range(7))
    (tmp_path / "menu_hours.csv").write_text(
        "\n".join(["store_id,dayOfWeek,start_time_local,end_time_local", *hours]) + "\n"
    )
    zones = (f"{store},{zone}" for store, zone in STORES.items())
    (tmp_path / "timezones.csv").write_text("\n".join(["store_id,timezone_str", *zones]) + "\n")
    (tmp_path / "stores.csv").write_text("store_id,side\neast,Atlantic\nwest,Pacific\ncoast,Pacific\nisle,Atlantic\n")
    Lake(tmp_path / "lake").ingest(tmp_path)
    return tmp_path / "lake"


def on_terminal(*command: str, seconds: float, until: bytes) -> bytes:
    """Run a command on a terminal until it shows something, and interrupt it; give all that it has shown."""
    master, slave = pty.openpty()
    sized = environment(COLUMNS="150", LINES="30", TERM="xterm")
    with subprocess.Popen([*COMMAND, *command], stdin=slave, stdout=slave, stderr=slave, env=sized) as process:
        os.close(slave)
        shown, gives_up_at = b"", time.monotonic() + seconds
        while until not in shown and time.monotonic() < gives_up_at:
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 65536)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    os.close(master)
    return shown


def test_down_the_longest_first(lake: Path) -> None:
    shown = on_terminal("now", "--lake", str(lake), seconds=60, until=b"first").decode()
    rows = [line.split()[:3] for line in shown.splitlines() if line.startswith((*STORES,))]
    assert rows == [
        ["coast", "inactive", "yes"],
        ["west", "inactive", "yes"],
        ["isle", "inactive", "no"],
        ["east", "active", "no"],
    ]
    assert "4 stores as of 2024-10-15 21:00:00 UTC, open and down the longest first" in shown


def test_a_file_has_all_of_it_in_order_of_the_stores(lake: Path, storemon: Storemon) -> None:
    ran = storemon("now", "--lake", str(lake))
    assert (
        ran.out.decode()
        == """\
store_id,state,is_open,since,open_time,last_polled_at,last_active_at,next_change_at
coast,inactive,true,2024-10-14T20:00:00.000000Z,540.00,2024-10-14T20:00:00.000000Z,2024-10-14T16:00:00.000000Z,\
2024-10-16T00:00:00.000000Z
east,active,false,2024-10-08T20:00:00.000000Z,3420.00,2024-10-15T21:00:00.000000Z,2024-10-15T21:00:00.000000Z,\
2024-10-16T13:00:00.000000Z
isle,inactive,false,2024-10-08T12:00:00.000000Z,3600.00,2024-10-15T12:00:00.000000Z,,\
2024-10-16T08:00:00.000000Z
west,inactive,true,2024-10-15T19:00:00.000000Z,120.00,2024-10-15T19:00:00.000000Z,2024-10-15T15:00:00.000000Z,\
2024-10-16T00:00:00.000000Z
"""
    )


def test_groups_are_counted(lake: Path, storemon: Storemon) -> None:
    ran = storemon("now", "--lake", str(lake), "--group-by", "side")
    assert ran.out.decode().splitlines() == [
        "side,stores,open,open_active,open_inactive,open_unknown,closed",
        "Atlantic,2,0,0,0,0,2",
        "Pacific,2,2,0,2,0,0",
    ]


def test_watched_it_is_told_by_the_clock_until_it_is_interrupted(lake: Path) -> None:
    polls = (
        f"store_id,status,timestamp_utc\nwest,active,{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}\n"
    )
    (lake.parent / "store_status.csv").write_text(polls)
    Lake(lake).ingest(lake.parent / "store_status.csv")
    shown = on_terminal("now", "--watch", "--lake", str(lake), seconds=60, until=b"first").decode()
    assert "unknown" in shown, "nobody has polled the others for long"
    assert f"as of {datetime.now(UTC):%Y-%m-%d}" in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--watch",), "--watch needs a terminal"),
        (("--watch", "--out", "now.csv"), "--watch needs a terminal"),
        (("--group-by", "sid"), "did you mean side?"),
        (("--group-by", "side", "--overall"), "leave one of them out"),
        (("--as-of", "never"), "is not an instant"),
    ],
)
def test_asked_wrongly(given: tuple[str, ...], said: str, lake: Path, storemon: Storemon) -> None:
    ran = storemon("now", "--lake", str(lake), *given)
    assert ran.status == 2
    assert said in ran.err
