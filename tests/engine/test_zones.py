"""Wall times of every zone around every change of its clocks, with Python's zoneinfo as the judge."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from storemon.engine.schedule import _to_utc
from storemon.lake.duck import connect
from storemon.lake.forms import known_zones

ZONES: list[str] = known_zones()["zone"].to_list()
FAR = ["America/Chicago", "Europe/Dublin", "Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Australia/Lord_Howe"]
EPOCH, SECOND, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1), timedelta(microseconds=1)
STEP = 6 * 86_400  # since 1970 no clocks have changed twice within that time
Change = tuple[datetime, timedelta, timedelta]


def offset(at: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(at, zone).utcoffset() or timedelta()


def changes(zone: ZoneInfo, since: int, until: int) -> Iterator[Change]:
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
            yield EPOCH + late * SECOND, before, after
        before = after


def walls(change: datetime, before: timedelta, after: timedelta) -> list[datetime]:
    """What clocks show around a change: at both ends of what is skipped or repeated, a second beside, and inside."""
    one, other = ((change + ahead).replace(tzinfo=None) for ahead in (before, after))
    middle = one + (other - one) / 2
    return [wall + beside for wall in (one, other, middle) for beside in (-SECOND, timedelta(), SECOND)]


def misread(zone: str, found: Sequence[Change]) -> list[tuple[str, datetime]]:
    given = [wall for change in found for wall in walls(*change)] or [datetime(2024, 2, 29, 12)]  # noqa: DTZ001
    read = _to_utc(pl.Series(given, dtype=pl.Datetime("us")), zone).to_list()
    there = ZoneInfo(zone)
    judged = [(wall.replace(tzinfo=there, fold=0) - EPOCH) // MICROSECOND for wall in given]
    return [(zone, wall) for wall, one, other in zip(given, read, judged, strict=True) if one != other]


@pytest.mark.parametrize(("since", "until", "zones"), [(1970, 2038, ZONES), (1900, 1970, FAR), (2038, 2200, FAR)])
def test_every_zone_is_read_as_python_does(since: int, until: int, zones: list[str]) -> None:
    wrong = []
    swept = set()
    for zone in zones:
        found = (*changes(ZoneInfo(zone), since, until),)
        # One of the many names of a clock is enough; of each other one, its newest change.
        wrong += misread(zone, found[-1:] if found in swept else found)
        swept.add(found)
    assert not wrong, f"{len(wrong)} wrong, among them {wrong[:5]}"
    assert len(ZONES) > 400


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
