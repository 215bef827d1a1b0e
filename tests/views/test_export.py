import errno
import io
import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storemon.calendar.windows import DEFAULT_WINDOWS
from storemon.engine.measures import MEASURES
from storemon.errors import FileError, InputError
from storemon.views.answer import Column, Legend, legend_of_report
from storemon.views.export import export, form_of, remove_parts, write
from storemon.views.forms import FORMS, Form, pieces, to_csv
from tests.printed import report_csv

WINDOWS = ("last_hour", "last_day", "last_week")
FIGURES = [f"{measure}_{window}" for measure in ("uptime", "downtime", "unknown") for window in WINDOWS]
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000


def frame(*rows: tuple[str | int, ...]) -> pl.DataFrame:
    schema = {"store_id": pl.String} | dict.fromkeys(FIGURES, pl.Int64)
    exact = pl.DataFrame(rows, schema=schema, orient="row")
    return exact.with_columns(pl.col(FIGURES).cast(pl.Duration("us")))


def encoded(frame: pl.DataFrame, form: Form, legend: Legend) -> bytes:
    return b"".join(pieces([frame], form, legend))


def read(content: bytes, form: Form) -> pl.DataFrame:
    return pl.read_parquet(content) if form == "parquet" else pl.read_ipc_stream(content)


ROWS = frame(
    ("1481966498820158979", 60 * MINUTE_US, 24 * HOUR_US, 168 * HOUR_US, 0, 0, 0, 0, 0, 0),
    ("a,b", 1, 18_000_000, 17_999_999, 300_000, 54_000_000, 53_999_999, 299_999, HOUR_US // 3, 2 * HOUR_US // 3),
    ('say "hi"', 0, 0, 0, 0, 0, 0, 60 * MINUTE_US, 24 * HOUR_US, 168 * HOUR_US),
)


def test_golden_bytes() -> None:
    assert report_csv(ROWS) == (
        b"store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
        b"downtime_last_hour,downtime_last_day,downtime_last_week\n"
        b"1481966498820158979,60.00,24.00,168.00,0.00,0.00,0.00\n"
        b'"a,b",0.00,0.01,0.00,0.01,0.02,0.01\n'
        b'"say ""hi""",0.00,0.00,0.00,0.00,0.00,0.00\n'
    )


def test_golden_bytes_wide() -> None:
    header, *rows = report_csv(ROWS, wide=True).decode().splitlines()
    assert header == ",".join(["store_id", *FIGURES])
    assert rows[0] == "1481966498820158979,60.00,24.00,168.00,0.00,0.00,0.00,0.00,0.00,0.00"
    assert rows[1] == '"a,b",0.00,0.01,0.00,0.01,0.02,0.01,0.00,0.33,0.67'


def test_a_report_without_rows_is_a_header() -> None:
    assert report_csv(frame()).decode() == ",".join(["store_id", *FIGURES[:6]]) + "\n"


@given(st.lists(st.integers(0, 168 * HOUR_US), min_size=9, max_size=9))
def test_figures_are_rounded_half_up(exact: list[int]) -> None:
    printed = report_csv(frame(("a", *exact)), wide=True).decode().splitlines()[1].split(",")[1:]
    units = [MINUTE_US, HOUR_US, HOUR_US] * 3
    hundredths = [floor(Fraction(us * 100, unit) + Fraction(1, 2)) for us, unit in zip(exact, units, strict=True)]
    assert printed == [f"{cents // 100}.{cents % 100:02}" for cents in hundredths]


@given(st.integers(0, 167 * 100), st.integers(-1, 1))
def test_figures_at_the_edge_of_rounding(hundredths: int, off_by_us: int) -> None:
    week = HOUR_US // 100 * hundredths + HOUR_US // 200 + off_by_us
    printed = report_csv(frame(("a", 0, 0, week, 0, 0, 0, 0, 0, 0))).decode().splitlines()[1].split(",")[3]
    expected = hundredths + (off_by_us >= 0)
    assert printed == f"{expected // 100}.{expected % 100:02}"


@given(st.integers(-(10**15), 10**15), st.sampled_from(["minutes", "hours"]))
def test_lengths_below_zero_are_rounded_half_up_too(us: int, unit: Literal["minutes", "hours"]) -> None:
    unit_us = MINUTE_US if unit == "minutes" else HOUR_US
    left = pl.DataFrame({"left": [us]}).cast(pl.Duration("us"))
    printed = to_csv(left, {"left": Column("left", unit)}).decode().splitlines()[1]
    assert Decimal(printed) == Decimal(floor(Fraction(us * 100, unit_us) + Fraction(1, 2))) / 100
    assert printed != "-0.00"


AT = datetime(2024, 10, 14, 23, 55, 18, 727055, tzinfo=UTC)
ALL_KINDS = pl.DataFrame(
    {
        "store_id": ['a,"b"', "c"],
        "starts_at": [AT, datetime(1, 1, 1, tzinfo=UTC)],
        "hour": [datetime(2024, 10, 14, 9), None],  # noqa: DTZ001 - what a local clock shows
        "day": [date(2024, 10, 14), None],
        "ongoing": [True, None],
        "outages": [3, None],
        "availability": pl.Series([Decimal("99.50"), None], dtype=pl.Decimal(38, 2)),
        "left": [timedelta(minutes=-90, seconds=-18), None],
        "left_last_hour": [timedelta(minutes=-90, seconds=-18), None],
    }
)
LEGEND = {"left": Column("left", "hours"), "left_last_hour": Column("left", "minutes", "last_hour")}


def test_what_each_kind_of_value_looks_like_in_csv() -> None:
    assert to_csv(ALL_KINDS, LEGEND).decode().splitlines()[1:] == [
        '"a,""b""",2024-10-14T23:55:18.727055Z,2024-10-14T09:00:00,2024-10-14,true,3,99.50,-1.50,-90.30',
        "c,0001-01-01T00:00:00.000000Z,,,,,,,",
    ]


def test_what_each_kind_of_value_looks_like_in_json() -> None:
    first, second = json.loads(encoded(ALL_KINDS, "json", LEGEND))
    assert first == {
        "store_id": 'a,"b"',
        "starts_at": "2024-10-14T23:55:18.727055Z",
        "hour": "2024-10-14T09:00:00",
        "day": "2024-10-14",
        "ongoing": True,
        "outages": 3,
        "availability": 99.5,
        "left": -5_418_000_000,
        "left_last_hour": -5_418_000_000,
    }
    assert second == dict.fromkeys(first) | {"store_id": "c", "starts_at": "0001-01-01T00:00:00.000000Z"}


def test_what_each_kind_of_value_looks_like_in_ndjson() -> None:
    lines = encoded(ALL_KINDS, "ndjson", LEGEND).decode().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(encoded(ALL_KINDS, "json", LEGEND))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "xlsx"])
def test_frames_one_after_the_other_are_one_file(form: Form) -> None:
    parts = [ALL_KINDS.clear(), ALL_KINDS.head(1), ALL_KINDS.clear(), ALL_KINDS.tail(1), ALL_KINDS.clear()]
    whole, empty = io.BytesIO(), io.BytesIO()
    assert (export(parts, form, LEGEND, whole), export(parts[:1], form, LEGEND, empty)) == (2, 0)
    if form in ("parquet", "arrow"):
        assert read(whole.getvalue(), form).equals(ALL_KINDS)
        assert read(empty.getvalue(), form).equals(ALL_KINDS.clear())
    else:
        assert whole.getvalue() == encoded(ALL_KINDS, form, LEGEND)
        assert empty.getvalue() == encoded(ALL_KINDS.clear(), form, LEGEND)
        assert form != "json" or json.loads(empty.getvalue()) == []


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_arrow_s_forms_are_exact(form: Form) -> None:
    assert read(encoded(ALL_KINDS, form, LEGEND), form).equals(ALL_KINDS)


def test_json_of_a_report_is_exact() -> None:
    microseconds = [
        {name: figure // timedelta(microseconds=1) if name != "store_id" else figure for name, figure in row.items()}
        for row in ROWS.rows(named=True)
    ]
    assert json.loads(encoded(ROWS, "json", {})) == microseconds


def test_the_csv_of_a_report_is_that_of_its_legend() -> None:
    measures = {name: MEASURES[name] for name in ("uptime", "downtime", "unknown")}
    assert encoded(ROWS, "csv", legend_of_report(measures, DEFAULT_WINDOWS)) == report_csv(ROWS, wide=True)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("report.csv", "csv"),
        ("report.CSV", "csv"),
        ("report", "csv"),
        (".report", "csv"),
        ("/dev/stdout", "csv"),
        ("pipe.txt", "csv"),
        ("report.json", "json"),
        ("report.v2.PARQUET", "parquet"),
    ],
)
def test_the_ending_tells_the_form(name: str, form: Form, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert form_of(tmp_path / name) == form


def test_only_a_report_is_a_document(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"only a report is written as PDF: storemon report --out .*week\.PDF"):
        form_of(tmp_path / "week.PDF")


@pytest.mark.parametrize("name", ["report.xls", "report.csv.gz", "report.txt"])
def test_there_are_no_other_forms(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no form '\.\w+'; let it end in .*, \.arrow or \.xlsx"):
        form_of(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; name the file to write, like .*csv"):
        form_of(tmp_path)


CONTENT = report_csv(ROWS)


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.csv"
    file.write_text("before")
    monkeypatch.setattr(os, "fsync", _no_space)
    with pytest.raises(FileError, match=r"report\.csv: the report cannot be written: No space left on device"):
        write(file, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
    assert file.read_text() == "before"


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder / "missing" / "report.csv",
        lambda folder: folder,
        lambda folder: _written(folder / "file") / "report.csv",
        lambda folder: folder / ("x" * 250),
    ],
)
def test_a_file_that_cannot_be_written(tmp_path: Path, spoil: Callable[[Path], Path]) -> None:
    path = spoil(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileError, match="the report cannot be written"):
        write(path, CONTENT)
    assert sorted(tmp_path.iterdir()) == before


def _written(path: Path) -> Path:
    path.write_text("a file")
    return path


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """Nor is a device: to replace /dev/null by a file would break the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, CONTENT)
        assert os.read(reader, 10_000) == CONTENT
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "latest.csv").symlink_to(tmp_path / "report.csv")
    write(tmp_path / "latest.csv", CONTENT)
    assert (tmp_path / "latest.csv").is_symlink()
    assert (tmp_path / "report.csv").read_bytes() == CONTENT


def test_a_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        write(tmp_path / "report.csv", CONTENT)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "report.csv").stat().st_mode) == 0o640


def test_parts_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".report.csv.1234.part").write_text("store_id,up")
    (tmp_path / ".other.csv.1234.part").write_text("store_id,up")
    remove_parts(tmp_path / "report.csv")
    assert [path.name for path in tmp_path.iterdir()] == [".other.csv.1234.part"]
