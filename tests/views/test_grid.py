"""The week as a terminal shows it, line by line."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
from rich.console import Console

from storemon.calendar.windows import parse_window
from storemon.views.answer import Answer, legend_of_week
from storemon.views.grid import draw_grids

AS_OF = datetime(2024, 10, 14, 23, 55, 18, tzinfo=UTC)
NOTE = "by local clocks, as of 2024-10-14 23:55:18 UTC; the darker the worse, * the worst 10, - no time known"


def week(availability: Callable[[int, int], str | None], **group: str | int) -> pl.DataFrame:
    """A row for each hour of the week, its availability a function of weekday and hour."""
    hours = [(weekday, hour) for weekday in range(7) for hour in range(24)]
    values = [None if (text := availability(*place)) is None else Decimal(text) for place in hours]
    cells = pl.DataFrame(hours, schema=["weekday", "hour"], orient="row")
    named = [pl.lit(value).alias(name) for name, value in group.items()]
    return cells.with_columns(availability=pl.Series(values, dtype=pl.Decimal(38, 2))).select(*named, pl.all())


def drawn(*weeks: pl.DataFrame, width: int = 80, colour: bool = False) -> list[str]:
    file = io.StringIO()
    console = Console(
        file=file, width=width, highlight=False, force_terminal=colour, color_system="standard" if colour else None
    )
    draw_grids(console, Answer(weeks, legend_of_week(parse_window("28d")), "hours", AS_OF))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def lunch_on_friday(weekday: int, hour: int) -> str | None:
    """Closed before six; from bad to worse on Friday from twelve to fourteen."""
    if hour < 6:
        return None
    return {(4, 12): "97.50", (4, 13): "95.01", (4, 14): "90.00"}.get((weekday, hour), "100.00")


def test_a_week() -> None:
    lines = drawn(week(lunch_on_friday, stores=4560))
    assert lines[:3] == [
        "availability in %, last_28d · 4,560 stores",
        "hour       Mon       Tue       Wed       Thu       Fri       Sat       Sun",
        "──────────────────────────────────────────────────────────────────────────",
    ]
    assert lines[3] == "  00         -         -         -         -         -         -         -"
    assert lines[14:19] == [
        "  11    100.00    100.00    100.00    100.00    100.00    100.00    100.00",
        "  12    100.00    100.00    100.00    100.00   97.50░*    100.00    100.00",
        "  13    100.00    100.00    100.00    100.00   95.01░*    100.00    100.00",
        "  14    100.00    100.00    100.00    100.00   90.00█*    100.00    100.00",
        "  15    100.00    100.00    100.00    100.00    100.00    100.00    100.00",
    ]
    assert lines[27:] == [NOTE]


def test_it_can_be_read_without_colour() -> None:
    plain, coloured = (drawn(week(lunch_on_friday, stores=1), colour=colour) for colour in (False, True))
    assert "\x1b" not in "".join(plain)
    assert any("\x1b[1;31m" in line and "90.00█*" in line for line in coloured)


def test_only_the_worst_are_marked() -> None:
    marked = "".join(drawn(week(lambda weekday, hour: f"{90 + (weekday * 24 + hour) / 100:.2f}", stores=1)))
    assert marked.count("*") == 10 + 1  # and once in the note
    assert "".join(drawn(week(lambda *_: "99.00", stores=1))).count("*") == 1


def test_a_grid_for_each_group() -> None:
    lines = drawn(
        week(lunch_on_friday, region="West", brand="Acme", stores=12),
        week(lambda *_: None, region="", brand="\x1b[31mred", stores=1),
    )
    assert [line for line in lines if "region" in line] == [
        "availability in %, last_28d · region=West, brand=Acme · 12 stores",
        r"availability in %, last_28d · region=, brand=\x1b[31mred · 1 stores: no time known",
    ]
    assert lines[-1] == NOTE


def test_no_stores_at_all() -> None:
    assert drawn(week(lunch_on_friday, stores=1).clear()) == [NOTE]
