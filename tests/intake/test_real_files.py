"""The real files, where they are at hand: no row is rejected, and the report on them is the oracle's."""

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storemon import Lake, report
from storemon.intake.ingest import Ingestion
from tests.lake.contents import contents
from tests.lake.files import HOURS, NAMES, POLLS, ZONES
from tests.oracle import truth

REAL = Path(__file__).parents[3] / "shared" / "data"
ROWS = {"zones": 4_559, "hours": 35_457, "polls": 1_000}
SOURCES = {"store_status_head.csv": NAMES[POLLS], "menu_hours.csv": NAMES[HOURS], "timezones.csv": NAMES[ZONES]}

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real data is not at hand")


def rows_of(name: str) -> list[list[str]]:
    with (REAL / name).open(newline="") as file:
        return [*csv.reader(file)][1:]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    for source, name in SOURCES.items():
        (folder / name).write_bytes((REAL / source).read_bytes())
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("real lake") / "lake")


@pytest.fixture(scope="module", autouse=True)
def ingestion(lake: Lake, data: Path) -> Ingestion:
    return lake.ingest(data, strict=True)


def test_every_row_goes_in(ingestion: Ingestion, lake: Lake) -> None:
    assert {table.table: (table.read, table.rejected) for table in ingestion.tables} == {
        name: (count, 0) for name, count in ROWS.items()
    }
    stored = contents(lake.path)
    polls = {(store, instant(text), status == "active") for store, status, text in rows_of("store_status_head.csv")}
    assert stored.polls == polls
    assert len({store for store, _, _ in stored.polls}) == 849
    assert stored.zones == {(store, zone) for store, zone in rows_of("timezones.csv")}
    hours = {
        (store, int(day), seconds(opens), seconds(closes)) for store, day, opens, closes in rows_of("menu_hours.csv")
    }
    assert stored.hours == hours
    assert lake.rejected().is_empty()


def test_once_more_they_add_nothing(lake: Lake, data: Path, ingestion: Ingestion) -> None:
    again = lake.ingest(data)
    assert [table.added for table in again.tables] == [0, 0, 0]
    assert [table.read for table in again.tables] == [table.read for table in ingestion.tables]


@pytest.mark.parametrize("after", [timedelta(), timedelta(days=2, hours=7), timedelta(days=8)])
def test_the_report_is_the_oracle_s(lake: Lake, after: timedelta) -> None:
    polls = [(store, status, instant(text)) for store, status, text in rows_of("store_status_head.csv")]
    polled = {store for store, _, _ in polls}
    rows = rows_of("menu_hours.csv")
    hours = [(store, int(day), opens, closes) for store, day, opens, closes in rows if store in polled]
    zones = {store: zone for store, zone in rows_of("timezones.csv") if store in polled}
    as_of = max(at for _, _, at in polls) + after
    expected = truth.figures(polls, hours, zones, as_of)
    frame = report(lake, as_of=as_of if after else None)
    assert frame["store_id"].to_list() == list(expected)
    assert len(expected) == 849
    for row in frame.rows(named=True):
        for window, figure in expected[row["store_id"]].items():
            found = (row[f"{measure}_{window}"] for measure in ("uptime", "downtime", "unknown"))
            assert [length // timedelta(microseconds=1) for length in found] == [*figure[:3]], (row["store_id"], window)


def instant(text: str) -> datetime:
    whole, _, fraction = text.removesuffix(" UTC").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction:0<6}+00:00")


def seconds(text: str) -> int:
    hour, minute, second = map(int, text.split(":"))
    return hour * 3600 + minute * 60 + second
