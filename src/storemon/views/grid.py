"""The hour of week on a terminal: a grid of availabilities, its worst hours marked by signs and by colour."""

from decimal import Decimal

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from storemon.views.answer import Answer
from storemon.views.table import draw_note, printable

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORST = 10
"""So many hours are marked, and those that are no better."""

_SHADES = " ░▒▓█"
_STYLES = ("", "", "yellow", "red", "bold red")


def draw_grids(console: Console, answer: Answer) -> None:
    """Draw a grid for each group of `storemon.answers.week.hour_of_week`: hours down, weekdays across."""
    (window,) = {column.window for column in answer.legend.values()}
    tags = answer.frame.columns[: answer.frame.columns.index("stores")]
    for (*values, count), week in answer.frame.group_by([*tags, "stores"], maintain_order=True):
        whose = ", ".join(f"{tag}={value}" for tag, value in zip(tags, values, strict=True))
        title = " · ".join(filter(None, (f"availability in %, {window}", whose, f"{count:,} stores")))
        _draw_grid(console, week["availability"], printable(title))
    as_of = f"{answer.as_of:%Y-%m-%d %H:%M:%S} UTC"
    draw_note(console, f"by local clocks, as of {as_of}; the darker the worse, * the worst {WORST}, - no time known")


def _draw_grid(console: Console, availability: pl.Series, title: str) -> None:
    known = availability.drop_nulls().sort()
    if known.is_empty():
        draw_note(console, f"{title}: no time known")
        return
    worst, marked, best = known[0], known[min(WORST, len(known)) - 1], known[-1]
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    table.title = Text(title, style="bold")
    for heading in ("hour", *WEEKDAYS):
        table.add_column(heading, justify="right", min_width=0 if heading == "hour" else 8)
    for hour in range(24):
        cells = (availability[weekday * 24 + hour] for weekday in range(7))
        table.add_row(f"{hour:02}", *(_cell(value, worst, marked, best) for value in cells))
    console.print(table)


def _cell(value: Decimal | None, worst: Decimal, marked: Decimal, best: Decimal) -> Text:
    if value is None:
        return Text("-  ")
    shade = int(4 * (best - value) / (best - worst)) if best > worst else 0
    sign = "*" if value <= marked and value < best else " "
    return Text(f"{value}{_SHADES[shade]}{sign}", style=_STYLES[shade])
