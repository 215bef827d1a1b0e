"""The exact bytes of a report over data small enough to work it out by hand.

As-of is the newest poll, Monday, 2024-11-04 06:00 UTC: midnight in Chicago, whose clocks went back on Sunday at 07:00
UTC. The last hour begins at 05:00, the last day at 06:00 on Sunday, the last week at 06:00 on Monday, October 28.

1       Sundays, all day, in Chicago as no zone is given: 25 hours, from 05:00 UTC on the 3rd to 06:00 on the 4th.
        Active from 05:00, inactive from 07:30 (01:30 for the second time) to 08:00, and again from 05:30 to 06:00.
        Hour: 30 minutes each. Day: 24 open, 1 down. Week: 25 open, 1 down.
a,b     Mondays 09:00 to 12:00 in Kathmandu: 03:15 to 06:15 UTC. Of the 28th that is a quarter of an hour, of the 4th
        2.75 hours, which are the day's too. Active at 05:00 on the 28th, and so held until 05:00 on the 4th.
        Hour: unknown. Day: 1.75 up, 1 unknown. Week: 2 up, 1 unknown.
closed  Wednesdays for 18 seconds, 0.005 hours, which are down: printed 0.01.
half    Always open. Its second poll, inactive, comes 0.3 seconds before as-of: 0.005 minutes, printed 0.01. That leaves
        59.995 minutes, printed 60.00; 23.99992 hours; and as the first poll reaches back, 167.99992.
night   Sundays 22:00 to 06:30 in UTC. Until 06:00 that is 8 hours of the day, and half an hour more of the week's
        first Monday. Its only polls, at one instant, disagree: inactive; they reach back seven days: all is down.
"""

from pathlib import Path

import pytest

import storemon as package
from tests.conftest import Storemon
from tests.printed import report_csv

POLLS = """\
timestamp_utc,store_id,status
2024-11-04 06:00:00 UTC,1,active
2024-11-03 07:30:00.0 UTC,1,INACTIVE
2024-11-03T08:00:00Z,1,Active
2024-11-03 05:00:00 UTC, 1 ,active
2024-11-04 11:15:00+05:45,1,inactive
2024-11-04 05:30:00.000000 UTC,1,inactive
2024-10-28 05:00:00 UTC,"a,b",active
2024-10-29 12:00:00 UTC,closed,inactive
2024-11-04 05:59:59.7 UTC,half,inactive
2024-10-30 00:00:00 UTC,half,active
2024-11-04 05:59:59.700 UTC,night,active
2024-11-04 05:59:59.70 UTC,night,inactive
2024-11-03 05:00:00 UTC,1,active
"""
HOURS = """\
store_id,dayOfWeek,start_time_local,end_time_local
1,6,00:00:00,23:59:59
"a,b",0,9:00,12:00:00
closed,2,09:00:00,09:00:18
night,6,22:00,6:30
never polled,0,00:00,00:00
"""
ZONES = """\
store_id,timezone_str
"a,b",Asia/Kathmandu
closed,UTC
night,UTC
never polled,UTC
"""
NORMAL = b"""\
store_id,uptime_last_hour,uptime_last_day,uptime_last_week,downtime_last_hour,downtime_last_day,downtime_last_week
1,30.00,23.00,24.00,30.00,1.00,1.00
"a,b",0.00,1.75,2.00,0.00,0.00,0.00
closed,0.00,0.00,0.00,0.00,0.00,0.01
half,60.00,24.00,168.00,0.01,0.00,0.00
night,0.00,0.00,0.00,60.00,8.00,8.50
"""
UNKNOWN = b"""\
,unknown_last_hour,unknown_last_day,unknown_last_week
,0.00,0.00,0.00
,60.00,1.00,1.00
,0.00,0.00,0.00
,0.00,0.00,0.00
,0.00,0.00,0.00
"""
WIDE = b"".join(line + more + b"\n" for line, more in zip(NORMAL.splitlines(), UNKNOWN.splitlines(), strict=True))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in (("store_status", POLLS), ("menu_hours", HOURS), ("timezones", ZONES)):
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_golden_bytes(data: Path, storemon: Storemon) -> None:
    ingested = storemon("ingest")
    assert ingested.status == 0
    *tables, no_hours, no_zone = ingested.out.decode().splitlines()
    assert no_hours.startswith("WEAK: ")
    assert no_zone.startswith("WEAK: ")
    assert [line.split(", ")[1:4] for line in tables] == [
        ["4 added", "0 already there", "0 rejected"],
        ["5 added", "0 already there", "0 rejected"],
        ["11 added", "2 already there", "0 rejected"],
    ]
    assert storemon("report") == (0, NORMAL, "")
    assert storemon("report", "--wide") == (0, WIDE, "")
    assert storemon("report", "--out", "report.csv", "--wide").status == 0
    assert (data.parent / "report.csv").read_bytes() == WIDE


def test_golden_bytes_from_python(data: Path) -> None:
    lake = package.Lake(data.parent / "lake")
    lake.ingest(data)
    assert report_csv(package.report(lake)) == NORMAL
    assert report_csv(package.report(lake), wide=True) == WIDE
