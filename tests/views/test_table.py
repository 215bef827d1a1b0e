"""Tables as a terminal shows them, line by line."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from rich.console import Console

from storemon.calendar.windows import parse_window
from storemon.engine.measures import chosen
from storemon.views.answer import Answer, Legend, Worst, legend_of_report, worst_of
from storemon.views.table import draw_answer

AS_OF = datetime(2024, 10, 14, 23, 55, 18, 727055, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WINDOWS = [parse_window("last_hour"), parse_window("2024-10")]
REPORT = pl.DataFrame(
    {
        "store_id": ["harbour", "quay", "7a9d970f-fddb-44b8-8eaf-b945475c9bd8"],
        "uptime_last_hour": [60 * MINUTE, 0 * MINUTE, 29 * MINUTE + timedelta(milliseconds=300)],
        "uptime_2024-10": [240 * HOUR, 1000 * HOUR, 2 * HOUR],
        "downtime_last_hour": [0 * MINUTE, 60 * MINUTE, 31 * MINUTE],
        "downtime_2024-10": [1 * HOUR, 120 * HOUR, 12 * HOUR],
    },
    schema_overrides=dict.fromkeys(
        ("uptime_last_hour", "uptime_2024-10", "downtime_last_hour", "downtime_2024-10"), pl.Duration("us")
    ),
)
LEGEND = legend_of_report(chosen(["uptime", "downtime"], None), WINDOWS)
ANSWER = Answer([REPORT], LEGEND, "stores", AS_OF, worst_of(LEGEND))


def drawn(answer: Answer, width: int = 80, top: int = 20, *, in_order: bool = False) -> list[str]:
    file = io.StringIO()
    draw_answer(Console(file=file, width=width, highlight=False), answer, top=top, in_order=in_order)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def of(frame: pl.DataFrame, legend: Legend | None = None, worst: Worst | None = None) -> Answer:
    return Answer([frame], legend or {}, "rows", AS_OF, worst)


def test_a_report() -> None:
    assert drawn(ANSWER, 100) == [
        "                                         uptime   uptime   downtime  downtime",
        "                                      last_hour  2024-10  last_hour   2024-10",
        "store_id                                minutes    hours    minutes     hours",
        "─────────────────────────────────────────────────────────────────────────────",
        "quay                                       0.00  1000.00      60.00    120.00",
        "7a9d970f-fddb-44b8-8eaf-b945475c9bd8      29.01     2.00      31.00     12.00",
        "harbour                                   60.00   240.00       0.00      1.00",
        "3 stores as of 2024-10-14 23:55:18 UTC, most downtime_2024-10 first",
    ]


def test_as_many_rows_as_one_wants() -> None:
    *table, counted, more = drawn(ANSWER, 100, top=2)
    assert [line.split()[0] for line in table[4:]] == ["quay", "7a9d970f-fddb-44b8-8eaf-b945475c9bd8"]
    assert counted == "2 of 3 stores as of 2024-10-14 23:55:18 UTC, most downtime_2024-10 first"
    assert more == "… 1 more: --top 0 or --out FILE"


def test_as_many_columns_as_there_is_room_for_and_the_one_that_orders_them() -> None:
    assert drawn(ANSWER, 60)[:6] == [
        "                                         uptime  downtime",
        "                                      last_hour   2024-10",
        "store_id                                minutes     hours",
        "─────────────────────────────────────────────────────────",
        "quay                                       0.00    120.00",
        "7a9d970f-fddb-44b8-8eaf-b945475c9bd8      29.01     12.00",
    ]
    assert drawn(ANSWER, 60)[-1] == "… 2 more columns: a wider terminal or --out FILE"
    assert drawn(ANSWER, 77)[-1] == "3 stores as of 2024-10-14 23:55:18 UTC, most downtime_2024-10 first"
    assert drawn(ANSWER, 76)[-1] == "… 1 more columns: a wider terminal or --out FILE"


@pytest.mark.parametrize("width", [1, 10, 20, 40])
def test_a_terminal_may_be_too_narrow_for_anything(width: int) -> None:
    text = "".join(drawn(ANSWER, width))
    assert "more columns" in text.replace("\n", " ")
    assert max(map(len, drawn(ANSWER, width)[:4])) <= width


def test_a_window_that_all_share_stands_above() -> None:
    windows = [parse_window("last-month")]
    legend = legend_of_report(chosen(["availability", "outages"], None), windows, versus=True)
    columns = [Decimal("99.50"), Decimal("99.75"), Decimal("-0.25"), 4, 2, 2]
    frame = pl.DataFrame({"stores": [3]} | {name: [value] for name, value in zip(legend, columns, strict=True)})
    assert drawn(of(frame, legend)) == [
        "last-month",
        "                      availability  availability",
        "        availability      previous        change            outages  outages",
        "stores             %             %             %  outages  previous   change",
        "────────────────────────────────────────────────────────────────────────────",
        "     3         99.50         99.75         -0.25        4         2        2",
        "1 rows as of 2024-10-14 23:55:18 UTC",
    ]


def test_every_kind_of_value() -> None:
    frame = pl.DataFrame(
        {
            "store_id": ["a", None],
            "starts_at": [AS_OF, None],
            "hour": [datetime(2024, 10, 14, 9), None],  # noqa: DTZ001 - what a local clock shows
            "day": [AS_OF.date(), None],
            "ongoing": [True, False],
            "outages": [3, None],
        }
    )
    assert drawn(of(frame)) == [
        "          starts_at",
        "store_id  UTC               hour              day         ongoing  outages",
        "──────────────────────────────────────────────────────────────────────────",
        "a         2024-10-14 23:55  2024-10-14 09:00  2024-10-14  yes            3",
        "-         -                 -                 -           no             -",
        "2 rows as of 2024-10-14 23:55:18 UTC",
    ]


def test_text_is_shown_and_never_obeyed() -> None:
    frame = pl.DataFrame({"store_id": ["\x1b[31mred", "[red]x[/red]", ":warning:", "two\nlines\u202e", "漢字"]})
    assert drawn(of(frame))[2:-1] == [r"\x1b[31mred", "[red]x[/red]", ":warning:", r"two\nlines\u202e", "漢字"]


def test_long_text_is_folded() -> None:
    frame = pl.DataFrame({"store_id": ["x" * 100], "n": [1]})
    assert drawn(of(frame))[2:-1] == ["x" * 40 + "  1", "x" * 40, "x" * 20]


def test_no_rows() -> None:
    assert drawn(of(pl.DataFrame({"store_id": []}), worst=Worst("store_id", "most"))) == [
        "no rows as of 2024-10-14 23:55:18 UTC"
    ]


def test_rows_that_follow_each_other_in_time() -> None:
    lines = drawn(ANSWER, 100, in_order=True)
    assert [line.split()[0] for line in lines[4:7]] == REPORT["store_id"].to_list()
    assert lines[-1] == "3 stores as of 2024-10-14 23:55:18 UTC"
