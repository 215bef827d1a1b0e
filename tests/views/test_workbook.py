"""Workbooks as those see them who open them: the cells, how they are shown, and what the file says of itself."""

import builtins
import io
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from storemon.errors import InputError
from storemon.views.answer import About, Column, Legend
from storemon.views.workbook import book
from storemon.views.workbook.book import workbook
from storemon.views.workbook.meanings import _COLUMNS, _MEASURES, sections

AT = datetime(2024, 10, 14, 23, 55, 18, 727055, tzinfo=UTC)
WALL = datetime(2024, 10, 14, 9)  # noqa: DTZ001 - what a local clock shows
ABOUT = About(AT, {"As of": "Monday", "Policy": "carry"})
LEGEND: Legend = {
    "availability_w": Column("availability", "percent", "w"),
    "availability_w_change": Column("availability", "percent", "w", "change"),
    "uptime_w": Column("uptime", "hours", "w"),
    "uptime_w_previous": Column("uptime", "hours", "w", "previous"),
    "uptime_w_change": Column("uptime", "hours", "w", "change"),
    "left_w": Column("left", "minutes", "w"),
    "burn_rate_w": Column("burn_rate", "number", "w"),
    "outages_w": Column("outages", "number", "w"),
}
HUNDREDTHS = pl.Decimal(38, 2)
ROWS = pl.DataFrame(
    {
        "store_id": ["=1+1", "0042"],
        "availability_w": pl.Series([Decimal("68.65"), None], dtype=HUNDREDTHS),
        "availability_w_change": pl.Series([Decimal("-1.20"), None], dtype=HUNDREDTHS),
        "uptime_w": [timedelta(hours=100, minutes=1, seconds=30), None],
        "uptime_w_previous": [timedelta(0), None],
        "uptime_w_change": [timedelta(hours=-2, minutes=-30), None],
        "left_w": [timedelta(seconds=-90), None],
        "burn_rate_w": pl.Series([Decimal("1234.50"), None], dtype=HUNDREDTHS),
        "outages_w": [1234, None],
        "starts_at": [AT, None],
        "hour": [WALL, None],
        "day": [date(2024, 10, 14), None],
        "ongoing": [True, None],
        "region": ["", "_x0041_\x01"],
    }
)


def opened(frame: pl.DataFrame, legend: Legend = LEGEND, about: About = ABOUT) -> tuple[Worksheet, Worksheet, Any]:
    opened = openpyxl.load_workbook(io.BytesIO(workbook([frame], legend, about)))
    assert opened.sheetnames == ["storemon", "About"]
    return opened["storemon"], opened["About"], opened.properties


def shown(frame: pl.DataFrame) -> dict[str, tuple[object, str]]:
    """Give the first row: each value with its number format, by the columns' names."""
    sheet, *_ = opened(frame)
    return {name: (cell.value, cell.number_format) for name, cell in zip(frame.columns, sheet[2], strict=True)}


def test_headings_name_measure_window_unit_and_clocks() -> None:
    sheet, *_ = opened(ROWS)
    assert [cell.value for cell in sheet[1]] == [
        "Store",
        "Availability, w",
        "Availability, w, change (points)",
        "Uptime, w",
        "Uptime, w, before",
        "Uptime, w, change (hours)",
        "Left, w (minutes)",
        "Burn rate, w",
        "Outages, w",
        "Starts at (UTC)",
        "Hour (local time)",
        "Day",
        "Ongoing",
        "region",
    ]
    assert all(cell.font.bold and cell.alignment.wrap_text for cell in sheet[1])


def test_each_kind_of_value_is_what_it_is() -> None:
    row = shown(ROWS)
    assert row["availability_w"] == (0.6865, "0.00%")
    assert row["availability_w_change"] == (-1.2, "+0.00;-0.00;0.00")
    assert row["uptime_w"] == (timedelta(hours=100, minutes=1, seconds=30), "[h]:mm:ss")
    assert row["uptime_w_previous"][1] == "[h]:mm:ss"
    assert row["uptime_w_change"] == (-2.5, "#,##0.00")
    assert row["left_w"] == (-1.5, "#,##0.00")
    assert row["burn_rate_w"] == (1234.5, "#,##0.00")
    assert row["outages_w"] == (1234, "#,##0")
    assert row["starts_at"] == (datetime(2024, 10, 14, 23, 55, 18, 727_000), "yyyy-mm-dd hh:mm:ss")  # noqa: DTZ001
    assert row["hour"] == (WALL, "yyyy-mm-dd hh:mm:ss")
    assert row["day"] == (WALL.replace(hour=0), "yyyy-mm-dd")
    assert row["ongoing"][0] is True


def test_text_stays_text_and_what_is_null_is_empty() -> None:
    sheet, *_ = opened(ROWS)
    assert [(sheet.cell(row, 1).data_type, sheet.cell(row, 1).value) for row in (2, 3)] == [
        ("s", "=1+1"),
        ("s", "0042"),
    ]
    assert {cell.value for cell in sheet[3][1:-1]} == {None}
    assert openpyxl.utils.escape.unescape(sheet.cell(3, 14).value) == "_x0041_\x01"


def test_the_sheet_is_ready_to_be_read() -> None:
    sheet, *_ = opened(ROWS)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:N3")
    assert all(9 <= dimension.width <= 50 for dimension in sheet.column_dimensions.values())
    assert opened(ROWS.with_columns(store_id=pl.lit("x" * 500)))[0].column_dimensions["A"].width < 50
    (shaded,) = sheet.conditional_formatting
    assert str(shaded.sqref) == "B2:B3"  # the availability, not its change
    assert [rule.colorScale is not None for rule in shaded.rules] == [True]
    assert (sheet.print_title_rows, sheet.page_setup.orientation) == ("$1:$1", "landscape")


def test_dates_that_no_sheet_knows_are_text() -> None:
    early = datetime(1900, 2, 28, 23, 59, tzinfo=UTC)
    rows = pl.DataFrame({"starts_at": [early, AT], "day": [early.date(), AT.date()]})
    sheet, *_ = opened(rows, {})
    assert [cell.value for cell in sheet[2]] == ["1900-02-28T23:59:00.000000Z", "1900-02-28"]
    assert all(isinstance(cell.value, datetime) for cell in sheet[3])


def test_it_says_what_it_is_of_and_what_the_columns_mean() -> None:
    sheet, about, properties = opened(ROWS)
    lines = dict(about.iter_rows(min_row=3, max_col=2, values_only=True))
    assert (lines["As of"], lines["Policy"]) == ("Monday", "carry")
    for heading in sheet[1]:
        assert lines[heading.value], heading.value
    assert lines["Availability, w"] == "Uptime / (uptime + downtime). Unknown time counts neither way."
    assert lines["Uptime, w, change (hours)"] == "How much more that is than in the window before."
    assert "rounded down" in lines["Percentages"]
    assert "100 %" in lines["Colours"]
    assert properties.created == AT.replace(microsecond=0, tzinfo=None)


def test_the_same_answer_is_the_same_bytes() -> None:
    assert workbook([ROWS], LEGEND, ABOUT) == workbook([ROWS.head(1), ROWS.tail(1)], LEGEND, ABOUT)


def test_no_rows_are_headings() -> None:
    sheet, about, _ = opened(ROWS.clear())
    assert (sheet.max_row, sheet.auto_filter.ref) == (1, "A1:N1")
    assert about["A1"].value == "About this file"


def test_more_than_a_sheet_holds_is_refused() -> None:
    with patch.object(book, "SHEET_ROWS", 1), pytest.raises(InputError, match=r"there are 2 rows or more, .* has 1 at"):
        workbook([ROWS.head(1), ROWS.tail(1)], LEGEND, ABOUT)
    assert book.SHEET_ROWS == 1_048_575
    with pytest.raises(InputError, match=r"32,768 characters in a text or more, .* 32,767 at the most; choose csv"):
        workbook([pl.DataFrame({"store_id": ["x" * 32_768]})], {}, ABOUT)
    with pytest.raises(InputError, match=r"16,385 columns or more"):
        workbook([pl.DataFrame({f"{number}": [1] for number in range(16_385)})], {}, ABOUT)


def test_what_writes_it_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *given: Any) -> Any:
        if name.startswith("xlsxwriter"):
            raise ModuleNotFoundError(name)
        return real(name, *given)

    for name in [name for name in sys.modules if name.startswith("xlsxwriter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'storemon\[excel\]'"):
        workbook([ROWS], LEGEND, ABOUT)


def test_every_meaning_is_a_sentence() -> None:
    for heading, meaning in [*_MEASURES.values(), *_COLUMNS.values()]:
        assert heading[0].isupper()
        assert meaning.endswith(".")


def test_columns_of_alerts_are_no_tags_and_tags_no_columns_of_alerts() -> None:
    names = ["rule", "subject", "kind", "severity", "fired_at", "resolved_at", "stale", "notices"]
    told = sections({name: name for name in names}, {}, About())["What the columns mean"]
    assert told["rule"] == "The rule, by its name."
    assert "A tag of the stores." not in told.values()
    assert sections({"kind": "kind"}, {}, About())["What the columns mean"] == {"kind": "A tag of the stores."}
