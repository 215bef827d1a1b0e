"""An answer as it is shown: a frame, what its columns tell and in which unit, and which rows are the worst."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple

import polars as pl

from storemon.calendar.periods import Unit
from storemon.calendar.windows import Window
from storemon.engine.measures import Measure
from storemon.units.instants import EPOCH

Printed = Literal["minutes", "hours", "percent", "number"]
"""The unit that a figure is printed in."""


class Column(NamedTuple):
    """A column of figures: the measure and its unit; the window, and which side of a comparison if not itself."""

    measure: str
    unit: Printed
    window: str = ""
    side: Literal["", "previous", "change"] = ""


Legend = Mapping[str, Column]
"""The columns of figures of an answer, by their names; every length of time is among them."""

_OUTAGES = ("downtime", "whole_downtime", "elapsed")
_WEEK = ("uptime", "downtime", "unknown", "service", "excluded", "availability")

TELLING = {
    "burn_rate": "most",
    "availability": "least",
    "downtime": "most",
    "longest_outage": "most",
    "outages": "most",
    "unknown": "most",
    "coverage": "least",
    "uptime": "least",
}
"""The measures that tell the worse from the better, the most telling one first, and what is worst."""


class Worst(NamedTuple):
    """By which column rows are sorted when the worst come first: ``most`` or ``least`` of it, ties by ``then``.

    Where the rows are of several ``kinds``, those of the lowest number come first.
    """

    column: str
    way: str
    then: tuple[str, ...] = ()
    kinds: pl.Expr | None = None
    words: str = ""
    """What the order is called, if not by its column."""

    def __str__(self) -> str:
        return f"{self.words or f'{self.way} {self.column}'} first"


@dataclass(frozen=True)
class About:
    """What an answer rests on: its now, and what is to be said of it in words, each under a name."""

    as_of: datetime = EPOCH
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a command answers.

    Attributes:
        frames: all rows, in the order in which a file has them; they can be computed as they are read, once.
        legend: its columns of figures.
        rows: what the rows are, in the plural.
        as_of: the answer's now.
        worst: which rows are the worst.
        in_time: the rows follow each other in time, which one wants to see unless one asks for the worst.
        columns: the order of the columns on a terminal, which may be too narrow for the last ones.
        facts: what is said of it in a form that has room for that, as in `About`.

    """

    frames: Iterable[pl.DataFrame]
    legend: Legend
    rows: str
    as_of: datetime
    worst: Worst | None = None
    in_time: bool = False
    columns: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> About:
        """What it rests on."""
        return About(self.as_of, self.facts)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """All rows at once."""
        return pl.concat(self.frames)

    def worst_first(self) -> pl.DataFrame:
        """Sort the rows; those without the figure come last, those alike stay in order."""
        if self.worst is None:
            return self.frame
        worst = self.worst
        keys = [worst.column, *worst.then]
        descending = [worst.way == "most"] * len(keys)
        if worst.kinds is None:
            return self.frame.sort(keys, descending=descending, nulls_last=True, maintain_order=True)
        by = [worst.kinds, *map(pl.col, keys)]
        return self.frame.sort(by, descending=[False, *descending], nulls_last=True, maintain_order=True)


def legend_of_report(
    measures: Mapping[str, Measure], windows: Sequence[Window], *, every: Unit | None = None, versus: bool = False
) -> dict[str, Column]:
    """Tell of the figures of `storemon.answers.report.report`, asked the same."""
    if every is not None:
        (window,) = windows
        short = every == "hour" or window.span.is_short()
        return {name: Column(name, _printed(told, short=short), window.name) for name, told in measures.items()}
    sides: tuple[Literal["", "previous", "change"], ...] = ("", "previous", "change") if versus else ("",)
    return {
        "_".join(filter(None, (name, window.name, side))): Column(
            name, _printed(measure, short=window.span.is_short()), window.name, side
        )
        for name, measure in measures.items()
        for window in windows
        for side in sides
    }


def legend_of_outages(windows: Sequence[Window]) -> dict[str, Column]:
    """Tell of the figures of `storemon.answers.outages.outages`, whose rows name a window where there are several."""
    window = windows[0].name if len(windows) == 1 else ""
    return {name: Column(name, "minutes", window) for name in _OUTAGES}


def legend_of_now() -> dict[str, Column]:
    """Tell of the figures of `storemon.answers.now.now`."""
    return {"open_time": Column("open_time", "minutes")}


def legend_of_week(window: Window) -> dict[str, Column]:
    """Tell of the figures of `storemon.answers.week.hour_of_week`."""
    return {name: Column(name, "percent" if name == "availability" else "minutes", window.name) for name in _WEEK}


def worst_of(legend: Legend) -> Worst | None:
    """Choose the most telling measure that is told, in the last window, as it is now."""
    for measure, way in TELLING.items():
        told = [name for name, column in legend.items() if column.measure == measure and not column.side]
        if told:
            return Worst(told[-1], way)
    return None


def _printed(measure: Measure, *, short: bool) -> Printed:
    if measure.unit == "window":
        return "minutes" if short else "hours"
    return measure.unit
