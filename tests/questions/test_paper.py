"""A report as pages: each figure on them is the answer's, whoever reads them can, and what is data stays data."""

import builtins
import io
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pypdf
import pytest

from storemon import Frames, hour_of_week, outages, report
from storemon.errors import EmptyLakeError, InputError
from storemon.intake.lake import Lake
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means, ReportQuestion
from storemon.questions.paper import check, document, paper, parts
from storemon.sample import write_sample
from storemon.units.zones import zone_info
from storemon.views.paper.document import drawn

MEANS = Means(timedelta(days=7), "1GiB")
WEEK = ["last-week"]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("fleet")
    write_sample(folder / "data", stores=3_678, days=16)
    lake = Lake(folder / "parquet")
    lake.ingest(folder / "data")
    return lake.snapshot()


@pytest.fixture(scope="module")
def week(fleet: Snapshot) -> bytes:
    return document(ReportQuestion(window=("last-week",), group_by=("region",), target="99.5"), fleet, MEANS)


def read(content: bytes) -> str:
    """Give the text of all pages, each stretch of white space as one space."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def length(exact: timedelta) -> str:
    """Write a length of time as the pages do: by whole minutes, or hours from a hundred on, half up."""
    microseconds = exact // timedelta(microseconds=1)
    if microseconds < 0:
        return f"−{length(-exact)}"  # noqa: RUF001 - a minus
    minutes = (microseconds + 30_000_000) // 60_000_000
    if exact >= timedelta(hours=100):
        return f"{(microseconds + 1_800_000_000) // 3_600_000_000:,} h"
    if not minutes:
        return "< 1 min" if microseconds else "0"
    whole = f"{minutes // 60} h" if minutes >= 60 else ""
    rest = f"{minutes % 60:02d} min" if whole else f"{minutes} min"
    return f"{whole} {rest if minutes % 60 else ''}".strip()


def signed(change: Decimal) -> str:
    return f"{'+' if change > 0 else '−' if change else '±'}{abs(change):.2f}"  # noqa: RUF001 - a minus


def test_the_totals_are_those_of_the_report_and_of_the_window_before(fleet: Snapshot, week: bytes) -> None:
    measures = ["availability", "coverage", "uptime", "downtime", "unknown", "service", "outages"]
    told = report(fleet, measures=measures, windows=["w=last-week"], group_by=[], target="99.5", versus_previous=True)
    row, text = told.row(0, named=True), read(week)
    assert f"up for {row['availability_w']:.2f} % of the open time that is known" in text
    assert row["availability_w_change"] != 0
    lengths = [length(row[f"{name}_w"]) for name in ("downtime", "unknown")]
    assert (
        f"Availability Downtime Outages Unknown Coverage {row['availability_w']:.2f} % {lengths[0]} "
        f"{row['outages_w']:,} {lengths[1]} {row['coverage_w']:.2f} %"
    ) in text
    assert f"{signed(row['availability_w_change'])} points" in text
    assert f"up {length(row['uptime_w'])} down {lengths[0]} unknown {lengths[1]} of {length(row['service_w'])}" in text
    assert "the change since the week before." in text
    budget = [length(row[f"{name}_w"]) for name in ("budget", "spent", "left")]
    assert f"Budget {budget[0]} Spent {budget[1]} Left {budget[2]} Burn rate {row['burn_rate_w']:,.2f}" in text
    missed = report(fleet, measures=["uptime"], windows=["w=last-week"], target="99.5")
    assert f"Of 3,678 stores, {(missed['left_w'] < timedelta()).sum():,} missed it." in text


def test_the_groups_are_told_the_worst_first(fleet: Snapshot, week: bytes) -> None:
    told = report(
        fleet,
        measures=["availability", "downtime", "outages", "longest_outage"],
        windows=["w=last-week"],
        group_by=["region"],
        versus_previous=True,
    ).sort("availability_w")
    text = read(week)
    rows = [
        f"{row['region'] or 'no region'} {row['stores']:,} {row['availability_w']:.2f} % "
        f"{signed(row['availability_w_change'])} {length(row['downtime_w'])} {row['outages_w']:,} "
        f"{length(row['longest_outage_w'])}"
        for row in told.iter_rows(named=True)
    ]
    places = [text.find(row) for row in rows]
    assert -1 not in places, rows[places.index(-1)]
    assert places == sorted(places)
    first = told.row(0, named=True)
    assert f"The worst of {len(told)} groups is {first['region'] or 'no region'}, {first['availability_w']} %." in text


def test_the_worst_stores_and_how_all_are_spread(fleet: Snapshot, week: bytes) -> None:
    told = report(fleet, measures=["availability", "uptime", "downtime"], windows=["w=last-week"])
    worst = told.filter(pl.col("downtime_w") > timedelta()).sort(
        "availability_w", "downtime_w", descending=[False, True], maintain_order=True
    )
    text = read(week)
    places = [text.find(store_id) for store_id in worst["store_id"].head(10)]
    assert -1 not in places
    assert places == sorted(places)
    availability = told["availability_w"]
    never_up = told.filter(pl.col("availability_w").is_not_null(), pl.col("uptime_w") == timedelta())
    spread = {
        "never up": len(never_up),
        "under 50 %": told.filter(pl.col("availability_w") < 50, pl.col("uptime_w") > timedelta()).height,
        "50 to 95 %": availability.is_between(50, 95, closed="left").sum(),
        "95 % or more": told.filter(pl.col("availability_w") >= 95, pl.col("downtime_w") > timedelta()).height,
        "never down": told.filter(pl.col("uptime_w") > timedelta(), pl.col("downtime_w") == timedelta()).height,
        "nothing known": availability.null_count(),
    }
    assert sum(spread.values()) == len(told)
    assert " ".join(f"{name} {number:,}" for name, number in spread.items()) in text


def test_when_in_the_week(fleet: Snapshot, week: bytes) -> None:
    told = hour_of_week(fleet, windows=WEEK, group_by=[])
    text = read(week)
    for day, hours in enumerate(told["availability"].to_list()[start : start + 24] for start in range(0, 168, 24)):
        assert " ".join([DAYS[day][:3], *(str(int(each)) for each in hours)]) in text
    worst = told.sort("availability", maintain_order=True).row(0, named=True)
    when = f"{DAYS[worst['weekday']]} {worst['hour']:02d}:00 to {worst['hour'] + 1:02d}:00"
    assert f"Worst: {when}, {worst['availability']} %; best: {max(told['availability'].to_list())} %." in text
    by_day = report(fleet, measures=["availability"], windows=WEEK, group_by=[], every="day")
    assert " ".join(f"{each} %" for each in by_day["availability"]) in text


def test_the_longest_outages_by_the_stores_own_clocks(fleet: Snapshot, week: bytes) -> None:
    told = outages(fleet, windows=WEEK)
    zones, text = dict(fleet.zones().select("store_id", "zone").iter_rows()), read(week)
    longest = told.sort("downtime", "whole_downtime", descending=True, maintain_order=True).head(10)
    assert f"10 of {len(told):,} outages" in text
    assert longest["ongoing"].any()
    for row in longest.iter_rows(named=True):
        since, until = (row[at].astimezone(zone_info(zones[row["store_id"]])) for at in ("starts_at", "ends_at"))
        ends = "goes on" if row["ongoing"] else f"{until:%a} {until.day} {until:%b, %H:%M}"
        lengths = f"{length(row['downtime'])} {length(row['whole_downtime'])}"
        assert f"{row['store_id']} {since:%a} {since.day} {since:%b, %H:%M} {ends} {lengths}" in text


def test_what_is_said_of_it(week: bytes) -> None:
    text = read(week)
    assert text.startswith(
        "Uptime report as of Mon 14 Oct 2024, 23:55 UTC Last week 7 to 13 October 2024, by each store"
    )
    assert "3,678 stores in 9 time zones" in text
    for said in (
        "Of 3,678 polled stores 54 have no hours (taken as open round the clock)",
        "The latest poll is believed until the next one, for 7 days at the most",
        "Only time in which a store is open counts",
        "Percentages are rounded down",
        "Unknown time is neither up nor down.",
    ):
        assert said in text


def test_a_fleet_has_a_few_pages_and_a_store_one_or_two(fleet: Snapshot, week: bytes) -> None:
    assert len(pypdf.PdfReader(io.BytesIO(week)).pages) <= 4
    cities = document(ReportQuestion(window=("2024-10",), group_by=("region", "city")), fleet, MEANS)
    assert len(pypdf.PdfReader(io.BytesIO(cities)).pages) <= 4
    assert re.search(r"\d+ groups more are not listed", read(cities))
    assert "as that one is whole" in read(cities)  # of a month so far
    alone = document(ReportQuestion(), POLLED, MEANS)
    assert len(pypdf.PdfReader(io.BytesIO(alone)).pages) <= 2


def test_it_can_be_heard_and_kept(week: bytes) -> None:
    """PDF/UA-1, with a title, a language, and the fonts in it."""
    opened = pypdf.PdfReader(io.BytesIO(week))
    root: Any = opened.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data().replace(b"\n", b"")
    assert opened.metadata is not None
    assert opened.metadata.title == "Uptime, Last week: 7 to 13 October 2024, by each store's own clocks"
    assert opened.metadata.creation_date == datetime(2024, 10, 14, 23, 55, 18, tzinfo=UTC)
    fonts = [font.get_object() for page in opened.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert fonts
    for font in fonts:
        (descendant,) = font["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & {*descriptor}


def test_the_same_answers_are_the_same_bytes(fleet: Snapshot, week: bytes) -> None:
    question = ReportQuestion(window=("last-week",), group_by=("region",), target="99.5")
    assert document(question, fleet, MEANS) == week
    assert document(ReportQuestion(window=("last-week",)), fleet, MEANS) != week


def polled(*rows: tuple[str, str, str], stores: Any = None, hours: Any = None, maintenance: Any = None) -> Frames:
    columns = ("store_id", "status", "timestamp_utc")
    polls = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Frames(polls=polls, stores=stores, hours=hours, maintenance=maintenance)


POLLED = polled(("a", "active", "2024-10-13 12:00:00 UTC"), ("a", "inactive", "2024-10-14 12:00:00 UTC"))
UP = polled(("a", "active", "2024-10-13 12:00:00 UTC"), ("b", "active", "2024-10-14 12:00:00 UTC"))


def text_of(source: Frames, **asked: Any) -> str:
    return read(document(ReportQuestion(**asked), source, MEANS))


def test_no_downtime_at_all() -> None:
    text = text_of(UP, window=("2d",))
    assert "up for 100.00 % of the open time that is known" in text
    assert "There was no downtime." in text
    assert "Outages There was none." in text
    assert "worst" not in text.lower()


def test_a_store_alone_and_the_exact_day_of_its_outage() -> None:
    text = text_of(POLLED, window=("2024-10-14",), as_of="2024-10-15T05:00Z", target="50")
    # Chicago: the day begins at 5:00 UTC, the store goes down seven hours later.
    assert text.startswith("Uptime report as of Tue 15 Oct 2024, 05:00 UTC Monday Monday 14 October 2024, by each")
    assert (
        "The store was up for 29.16 % of the open time that is known, 70.84 points less than in the day before." in text
    )
    assert "The target was missed: 12 h of downtime were allowed, and there were 17 h." in text
    assert "a Mon 14 Oct, 07:00 goes on 17 h 17 h" in text
    assert "How the stores are spread" not in text


def test_nothing_is_known() -> None:
    text = text_of(UP, window=("1d",), as_of="2024-12-01")
    assert "Nothing is known of this time: no poll is recent enough to be believed." in text
    assert "0.00 % of the open time is known. Of 48 h nobody can tell" in text


def test_no_store_and_no_open_time() -> None:
    before = text_of(UP, window=("1d",), as_of="2024-10-01")
    assert "0 stores" in before
    assert "No such store had been polled by then" in before
    hours = {
        "store_id": ["a", "b"],
        "dayOfWeek": [0, 0],
        "start_time_local": 2 * ["9:00"],
        "end_time_local": 2 * ["9:30"],
    }
    closed = text_of(
        polled(("a", "active", "2024-10-13 12:00:00 UTC"), ("b", "active", "2024-10-13 12:00:00 UTC"), hours=hours),
        window=("1h",),
    )
    assert "By their hours no store was open in this time" in closed
    with pytest.raises(EmptyLakeError):
        document(ReportQuestion(), polled(), MEANS)


def test_maintenance_is_told() -> None:
    maintenance = {
        "store_id": ["a"],
        "starts_at_utc": ["2024-10-14 00:00:00 UTC"],
        "ends_at_utc": ["2024-10-14 06:00:00 UTC"],
        "reason": [""],
    }
    source = polled(*[("a", "active", f"2024-10-14 {hour:02d}:00:00 UTC") for hour in (0, 12)], maintenance=maintenance)
    assert "Maintenance took out 6 h." in text_of(source, window=("12h",))


HOSTILE = [
    '#panic("x")',
    "*bold* _em_ $x^2$ `raw`",
    r"\ @ref <label> // c /* d */",
    "[#sys.inputs] {x} ~ --- ...",
    '=1+1 "quoted" \\"',
    "<script>alert(1)</script>",
]
ODD = {
    "Ωmega Жук": "Ωmega Жук",
    "東京 😀": r"\u6771\u4eac \U0001f600",
    "\u202eevil": r"\u202eevil",
    "a\tb": "a b",
}


def test_what_is_data_is_never_markup() -> None:
    ids = [*HOSTILE, *ODD]
    rows = [(store, "inactive", f"2024-10-14 0{hour}:00:00 UTC") for store in ids for hour in (0, 6)]
    stores = {"store_id": ids, "#tag*": [f"{store}!" for store in ids], "name": [f"{store} named" for store in ids]}
    text = text_of(polled(*rows, stores=stores), window=("6h",), group_by=("#tag*",))
    assert "By #tag*" in text
    for store in HOSTILE:
        assert f"{' '.join(store.split())} named" in text
        assert f"{' '.join(store.split())}!" in text
    for store, seen in ODD.items():
        assert f"{seen} named" in text, store


@pytest.mark.parametrize(
    "name", ["W" * 300, "wide name " * 40, "שלום" * 20, "e\u0301\u0323" * 90, "ᄀ\u0301ᅡ\u1ab0", "\U000e0041"]
)
def test_a_name_of_any_length_and_script(name: str) -> None:
    rows = [(name, "inactive", f"2024-10-14 0{hour}:00:00 UTC") for hour in (0, 6)]
    stores = {"store_id": [name], "name": [name], "region": [name]}
    asked = ReportQuestion(window=("6h",), group_by=("region",), where=(f"region={name}",))
    content = document(asked, polled(*rows, stores=stores), MEANS)
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) <= 2


@pytest.mark.parametrize(
    ("window", "title", "before"),
    [
        ("last-week", "Last week", "the week before"),
        ("28d", "The last 28 days", "the 28 days before"),
        ("last_hour", "Last hour", "the hour before"),
        ("90m", "The last 90 minutes", "the 90 minutes before"),
        ("2024-10", "October 2024", "the month before"),
        ("2024-W41", "Week 41", "the week before"),
        ("2024-10-14", "Monday", "the day before"),
        ("board_meeting=2024-10", "Board meeting", "the month before"),
    ],
)
def test_what_a_window_is_called(window: str, title: str, before: str) -> None:
    made = paper(ReportQuestion(window=(window,)), UP, MEANS)
    assert (made.title, made.before) == (title, before)


def test_the_window_between_two_instants() -> None:
    made = paper(ReportQuestion(from_="2024-10-14T06:00Z", to="2024-10-14T12:00Z"), UP, MEANS)
    assert made.stretch == "Mon 14 Oct 2024, 06:00 to Mon 14 Oct 2024, 12:00 UTC"
    assert made.before == "as long a time before"


def test_dates_that_differ_by_zone_are_both_told() -> None:
    zones = {"store_id": ["a", "b"], "timezone_str": ["Pacific/Kiritimati", "America/Chicago"]}
    polls = {"store_id": ["a", "b"], "status": 2 * ["active"], "timestamp_utc": 2 * ["2024-10-14 12:00:00 UTC"]}
    made = paper(ReportQuestion(window=("yesterday",)), Frames(polls=polls, zones=zones), MEANS)
    assert made.stretch == (
        "Sunday 13 October 2024 or Monday 14 October 2024, by each store's own clocks, whose dates differ"
    )


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            {"window": ("1d", "2d")},
            "a PDF tells of one window, but these were asked for: last_1d, last_2d; ask for one",
        ),
        ({"measures": ("uptime",)}, "a PDF chooses its figures itself; leave out --measures"),
        ({"wide": True}, "leave out --wide"),
        ({"every": "day"}, "leave out --every"),
        ({"target": "0"}, "'0' is not a target"),
        ({"group_by": ("colour",)}, "there is no tag 'colour'"),
        ({"policy": "guess"}, "there is no policy 'guess'"),
    ],
)
def test_what_no_document_can_tell(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=re.escape(why)):
        document(ReportQuestion(**asked), UP, MEANS)


def test_other_options_reach_the_figures() -> None:
    rows = [("a", status, f"2024-10-14 {hour}:00:00 UTC") for status, hour in (("active", "00"), ("inactive", "08"))]
    source = polled(*rows, ("a", "active", "2024-10-14 10:00:00 UTC"))
    assert "up for 80.00 %" in text_of(source, window=("10h",))
    assert "up for 50.00 %" in text_of(source, window=("10h",), policy="nearest")
    assert "The nearest poll is believed, before or after, if it is at most 36 hours away" in text_of(
        source, window=("10h",), policy="nearest", carry_limit="36h"
    )
    assert "60.00 % of the open time is known." in text_of(source, window=("10h",), carry_limit="4h")


def test_how_much_work_it_is() -> None:
    def count(*window: str) -> int:
        return parts(ReportQuestion(window=window, group_by=("region",), versus="previous"), UP)

    assert count() == count("last-week") < count("28d") <= 62 + 8
    assert count("2000d") <= 2000 / 28 + 8
    assert check(ReportQuestion()).name == "last_week"


def test_typst_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, globals_: Any = None, locals_: Any = None, names: Sequence[str] = (), level: int = 0) -> Any:
        if name == "typst":
            raise ModuleNotFoundError(name)
        return real(name, globals_, locals_, names, level)

    made = paper(ReportQuestion(), UP, MEANS)
    monkeypatch.delitem(sys.modules, "typst", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"to write PDF, install: pip install 'storemon\[pdf\]'"):
        drawn(made)


def test_the_template_is_where_it_is_looked_for() -> None:
    assert (Path(sys.modules[drawn.__module__].__file__ or "").parent / "paper.typ").is_file()
