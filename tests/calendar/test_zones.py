"""Wall times of every zone around every change of its clocks, with Python's zoneinfo as the judge."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import tzdata

from storemon.calendar.schedule import _realised
from storemon.calendar.zones import DAY, ClockChange, clock_changes, local_dates
from storemon.intake.forms.zone_names import known_zones
from storemon.lake.duck import connect
from tests.conftest import Storemon
from tests.examples import DEEP

ZONES: list[str] = known_zones()["zone"].to_list()
FAR = ["America/Chicago", "Europe/Dublin", "Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Australia/Lord_Howe"]
EPOCH, SECOND, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(microseconds=1)
STEP = 6 * 86_400  # since 1970 no clocks have changed twice within that time


def offset(at: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(at, zone).utcoffset() or timedelta()


def changes(zone: ZoneInfo, since: int, until: int) -> Iterator[ClockChange]:
    """Find each instant at which the offset from UTC changes, with the offsets before and after it."""
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (since, until))
    before = offset(first, zone)
    for at in range(first, last, STEP):
        after = offset(at + STEP, zone)
        if before != after:
            early, late = at, at + STEP
            while late - early > 1:
                middle = (early + late) // 2
                early, late = (middle, late) if offset(middle, zone) == before else (early, middle)
            yield ClockChange(EPOCH + late * SECOND, before, after)
        before = after


def walls(change: datetime, before: timedelta, after: timedelta) -> list[datetime]:
    """What clocks show around a change: at both ends of what is skipped or repeated, a second beside, and inside."""
    one, other = ((change + ahead).replace(tzinfo=None) for ahead in (before, after))
    middle = one + (other - one) / 2
    return [wall + beside for wall in (one, other, middle) for beside in (-SECOND, timedelta(), SECOND)]


def misread(zone: str, found: Sequence[ClockChange]) -> list[tuple[str, datetime]]:
    """Read wall times as ones of their own date and as ones of the date before: like Python, or which ones not."""
    given = [wall for change in found for wall in walls(*change)] or [datetime(2024, 2, 29, 12)]  # noqa: DTZ001
    there = ZoneInfo(zone)
    walls_read = pl.DataFrame(
        {
            "store_key": range(len(given)),  # stands for the place among the given ones
            "day": [(wall.replace(tzinfo=UTC) - EPOCH) // timedelta(days=1) for wall in given],
            "opens_local": [wall.hour * 3600 + wall.minute * 60 + wall.second for wall in given],
            "judged": [(wall.replace(tzinfo=there, fold=0) - EPOCH) // SECOND for wall in given],
        }
    )
    the_day_before = walls_read.with_columns(pl.col("day") - 1, pl.col("opens_local") + DAY)
    rows = pl.concat([walls_read, the_day_before]).with_columns(
        date=pl.col("day").cast(pl.Int32).cast(pl.Date), closes_local="opens_local"
    )
    zones = pl.DataFrame({"zone": [zone]}).with_row_index("zone_key")
    dates = local_dates(zones, min(the_day_before["day"]), max(walls_read["day"]))
    read = _realised(rows.join(dates, on="date")).join(walls_read, on="store_key")
    assert len(read) == len(rows)
    return [(zone, given[key]) for key in read.filter(pl.col("opens") != pl.col("judged"))["store_key"]]


@pytest.mark.parametrize(("since", "until", "zones"), [(1970, 2038, ZONES), (1900, 1970, FAR), (2038, 2200, FAR)])
def test_every_zone_is_read_as_python_does(since: int, until: int, zones: list[str]) -> None:
    zones = zones if DEEP or zones is FAR else zones[::6]
    wrong = []
    swept = set()
    for zone in zones:
        found = (*changes(ZoneInfo(zone), since, until),)
        # One of the many names of a clock is enough; of each other one, its newest change.
        wrong += misread(zone, found[-1:] if found in swept else found)
        swept.add(found)
    assert not wrong, f"{len(wrong)} wrong, among them {wrong[:5]}"
    assert len(ZONES) > 400


def test_a_date_is_read_alike_whichever_others_are_asked_for() -> None:
    """Through a winter in which clocks went forward and back, and in Apia over a whole day."""
    zones = pl.DataFrame({"zone": [*FAR, "Pacific/Apia"]}).with_row_index("zone_key")
    first, last = ((date(*day) - date(1970, 1, 1)).days for day in ((2011, 9, 1), (2012, 5, 1)))
    is_near = pl.col("change_local") <= 2 * DAY
    read = pl.col("zone_key", "date", "begins"), pl.when(is_near).then("change_local"), pl.when(is_near).then("change")
    alone = pl.concat(local_dates(zones, day, day).select(*read) for day in range(first, last + 1))
    assert alone["change"].n_unique() > 5
    assert alone.sort("zone_key", "date").equals(local_dates(zones, first, last).select(*read))


@pytest.mark.parametrize("zone", ["UTC", "Africa/Casablanca", "America/Chicago", "Pacific/Apia", "Asia/Pyongyang"])
def test_the_changes_of_a_zone_s_clocks(zone: str) -> None:
    since, until = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2100))
    assert clock_changes(zone, since, until) == [*changes(ZoneInfo(zone), since.year, until.year)]


def test_the_changes_after_one_instant_and_before_another() -> None:
    spring, autumn = datetime(2024, 3, 10, 8, tzinfo=UTC), datetime(2024, 11, 3, 7, tzinfo=UTC)
    winter, summer = timedelta(hours=-6), timedelta(hours=-5)
    both = [(spring, winter, summer), (autumn, summer, winter)]
    assert clock_changes("America/Chicago", spring - MICROSECOND, autumn + MICROSECOND) == both
    assert clock_changes("America/Chicago", spring, autumn + MICROSECOND) == both[1:]
    assert clock_changes("America/Chicago", spring - MICROSECOND, autumn) == both[:1]
    assert clock_changes("America/Chicago", spring, autumn) == []
    assert clock_changes("America/Chicago", autumn, spring) == []


def test_changes_with_the_least_time_between_them() -> None:
    found = clock_changes("America/Recife", datetime(2000, 10, 1, tzinfo=UTC), datetime(2000, 11, 1, tzinfo=UTC))
    assert [f"{change.at:%m-%d %H:%M}" for change in found] == ["10-08 03:00", "10-15 02:00"]
    assert misread("America/Recife", found) == []


def test_the_zones_of_the_machine_do_not_matter(tmp_path: Path, storemon: Storemon) -> None:
    """In this one New York is in Tokyo."""
    (tmp_path / "zones" / "America").mkdir(parents=True)
    tokyo = files(tzdata).joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "zones" / "America" / "New_York").write_bytes(tokyo)
    (tmp_path / "data").mkdir()
    for name, text in {
        "store_status.csv": "store_id,status,timestamp_utc\na,active,2024-10-14 13:00:00\n",
        "menu_hours.csv": "store_id,day,start_time_local,end_time_local\na,0,9:00,17:00\n",
        "timezones.csv": "store_id,timezone_str\na,America/New_York\n",
    }.items():
        (tmp_path / "data" / name).write_text(text)
    doctored = {"PYTHONTZPATH": str(tmp_path / "zones")}
    assert storemon("ingest", **doctored).status == 0
    asked = ("report", "--as-of", "2024-10-14T15:00Z", "--window", "today")
    told = storemon(*asked, **doctored)
    assert told == storemon(*asked)
    assert told.out.splitlines()[1] == b"a,2.00,0.00"  # open since 13:00 in UTC


def test_the_first_and_the_last_years_have_changes_too() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert [change.at.month for change in clock_changes("America/Chicago", last - timedelta(days=365), last)] == [3, 11]
    assert clock_changes("America/Chicago", datetime.min.replace(tzinfo=UTC), datetime(1883, 11, 18, tzinfo=UTC)) == []


def test_duckdb_takes_the_later_of_two_instants() -> None:
    """Which is why no SQL step reads wall times."""
    with connect() as con:
        told = con.execute("SELECT epoch_us(timezone('America/Chicago', TIMESTAMP '2024-11-03 01:30'))").fetchone()
    assert told == ((datetime(2024, 11, 3, 7, 30, tzinfo=UTC) - EPOCH) // MICROSECOND,)


def test_polars_takes_the_earlier_of_two_instants_and_none_for_a_skipped_one() -> None:
    wall = pl.Series([datetime(2024, 11, 3, 1, 30), datetime(2024, 3, 10, 2, 30)], dtype=pl.Datetime("us"))  # noqa: DTZ001
    told = wall.dt.replace_time_zone("America/Chicago", ambiguous="earliest", non_existent="null")
    assert told.to_physical().to_list() == [(datetime(2024, 11, 3, 6, 30, tzinfo=UTC) - EPOCH) // MICROSECOND, None]


def test_polars_knows_no_summer_from_2100_on() -> None:
    """Which is why wall times are read by Python's zones."""
    wall = pl.Series([datetime(2099, 7, 1, 12), datetime(2100, 7, 1, 12)], dtype=pl.Datetime("us"))  # noqa: DTZ001
    told = wall.dt.replace_time_zone("America/Chicago").dt.convert_time_zone("UTC")
    assert told.dt.hour().to_list() == [17, 18]
    assert misread("America/Chicago", [*changes(ZoneInfo("America/Chicago"), 2100, 2101)]) == []
