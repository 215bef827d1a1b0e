"""A report as a document that is read: several answers about one window, and what changed since the one before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from storemon.answers.outages import outages
from storemon.answers.report import report, report_by_range
from storemon.answers.week import hour_of_week
from storemon.calendar.schedule import DEFAULT_ZONE
from storemon.calendar.windows import LAST_WEEK, Window
from storemon.engine.chosen import chosen_stores
from storemon.engine.question import Asked, ask
from storemon.errors import InputError
from storemon.lake.lacking import told_lacking
from storemon.lake.snapshot import Snapshot
from storemon.questions import report as report_question
from storemon.questions.about import is_cut, previous, stretch, title
from storemon.questions.options import Means, ReportQuestion, split
from storemon.views.paper.document import drawn
from storemon.views.paper.parts import Paper, Part, Row, Spread
from storemon.views.paper.wording import several, shortened

GROUPS, STORES, STORES_ALONE, OUTAGES = 15, 10, 20, 10
"""So many of the worst are listed: groups; stores below groups, and on their own; outages."""

_TOTALS = ("availability", "coverage", "uptime", "downtime", "unknown", "service", "excluded", "outages")
_LISTED = ("availability", "uptime", "downtime", "unknown", "service", "outages", "longest_outage")
_UNITS: Sequence[tuple[timedelta, Part]] = (
    (timedelta(days=62), "day"),
    (timedelta(days=400), "week"),
)
_ALONE = 4  # the window and the one before, for stores and for groups
_PARTS = ("availability", "uptime", "downtime", "unknown", "service")
_NAME, _WINDOW = "name", "window"


class _Told(NamedTuple):
    """The stores: the worst of them, how they are spread, how many there are, and how many missed the target."""

    worst: pl.DataFrame
    spread: Spread
    number: int
    missed: int


def document(question: ReportQuestion, snapshot: Snapshot, means: Means) -> bytes:
    """Tell of one window, by default the last week, on a few pages in PDF: the same bytes for the same answers.

    The question's tags give a list of groups. What is told is always the same, and always with the window before.

    Raises:
        InputError: it is asked for more than one window, for measures or for a series, or typst is not installed.
        StoremonError: as for `storemon.answers.report.report`.

    """
    return drawn(paper(question, snapshot, means))


def parts(question: ReportQuestion, snapshot: Snapshot) -> int:
    """Estimate how many figures of each store a document is made of.

    Raises:
        StoremonError: as for `document`.

    """
    window, now = check(question), question.now(snapshot)
    series = replace(question, every=_unit(window, now), versus=None, overall=True, group_by=())
    return report_question.parts(series, snapshot) + _ALONE


def check(question: ReportQuestion) -> Window:
    """Give the window that a document is of.

    Raises:
        InputError: there are several, or something is asked for that a document has no room for.

    """
    windows = question.windows(LAST_WEEK)
    if len(windows) > 1:
        names = ", ".join(window.name for window in windows)
        raise InputError(f"a PDF tells of one window, but these were asked for: {names}; ask for one")
    for name, given in (("measures", question.measures), ("wide", question.wide), ("every", question.every)):
        if given:
            raise InputError(f"a PDF chooses its figures itself; leave out --{name}, or choose another form")
    return windows[0]


def paper(question: ReportQuestion, snapshot: Snapshot, means: Means) -> Paper:
    """Compute what is on the pages.

    Raises:
        StoremonError: as for `document`.

    """
    window, now, tags = replace(check(question), name=_WINDOW), question.now(snapshot), question.tags()
    asked = question.asked(now, [window], means)
    _, settled = ask(snapshot, **asked)
    stores = chosen_stores(snapshot, settled)
    unit, zones = _unit(window, now), stores["zone"].unique().sort().to_list()
    told = _stores(snapshot, question.target, STORES if tags else STORES_ALONE, asked)
    groups = _groups(snapshot, tags, asked) if tags else None
    found = outages(snapshot, **asked)
    longest = found.sort("downtime", "whole_downtime", descending=True, maintain_order=True).head(OUTAGES)
    zoned = longest.join(stores.select("store_id", "zone"), on="store_id", how="left", maintain_order="left")
    return Paper(
        title=title(check(question)),
        stretch=stretch(window, now, zones or [DEFAULT_ZONE]),
        which=_which(question, told.number, len(zones)),
        so_far=is_cut(window, now, zones),
        before=previous(window),
        as_of=now,
        totals=_totals(snapshot, question.target, asked) if told.number else None,
        unit=unit,
        parts=report(snapshot, measures=_PARTS, every=unit, group_by=[], **asked),
        hours=hour_of_week(snapshot, group_by=[], **asked),
        by=tags or (),
        groups=None if groups is None else _worst(groups, GROUPS),
        group_count=0 if groups is None else len(groups),
        stores=_named(snapshot, told.worst),
        store_count=told.number,
        spread=told.spread,
        outages=_named(snapshot, zoned),
        outage_count=len(found),
        weak=told_lacking(snapshot),
        target=question.target,
        missed=told.missed,
        policy=settled.policy,
        carry_limit=settled.carry_limit,
    )


def _unit(window: Window, now: datetime) -> Part:
    """Choose into which parts a window is cut, so that there are neither few nor many."""
    starts_at, ends_at = window.span.bounds(now, DEFAULT_ZONE, window.back)
    return next((unit for most, unit in _UNITS if ends_at - starts_at <= most), "month")


def _totals(snapshot: Snapshot, target: str | None, asked: Asked) -> Row:
    frame = report(snapshot, measures=_TOTALS, group_by=[], target=target, versus_previous=True, **asked)
    return _plain(frame, 1).row(0, named=True)


def _groups(snapshot: Snapshot, tags: Sequence[str], asked: Asked) -> pl.DataFrame:
    """Compute the groups, with what they are called in ``name``."""
    frame = report(snapshot, measures=_LISTED, group_by=tags, versus_previous=True, **asked)
    values = frame.select(frame.columns[: len(tags)])
    names = [" · ".join(value or f"no {tag}" for tag, value in zip(tags, row, strict=True)) for row in values.rows()]
    return _plain(frame, len(tags) + 1).insert_column(0, pl.Series(_NAME, names, pl.String))


def _stores(snapshot: Snapshot, target: str | None, most: int, asked: Asked) -> _Told:
    """Look at the stores range by range, and keep the worst."""
    worst: list[pl.DataFrame] = []
    spread, count, missed = Counter[str](), 0, 0
    for frame in report_by_range(snapshot, measures=_LISTED, target=target, versus_previous=True, **asked):
        rows = _plain(frame, 1).insert_column(0, frame["store_id"])
        worst = [_worst(pl.concat([*worst, rows]), most)]
        spread.update(rows.select(_SPREAD).to_series().to_list())
        count += len(rows)
        missed += 0 if target is None else rows.select((pl.col("left") < pl.duration()).sum()).item()
    return _Told(worst[0], Spread(**spread), count, missed)


def _worst(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """Keep those of the least availability, and of these the ones that were down the longest; none without downtime."""
    down = rows.filter(pl.col("downtime") > pl.duration())
    return down.sort("availability", "downtime", descending=[False, True], maintain_order=True).head(most)


def _plain(frame: pl.DataFrame, named: int) -> pl.DataFrame:
    """Name the figures without the window, after the columns that name the rows; ``stores`` stays."""
    figures = frame.select(frame.columns[named:]).rename(lambda name: name.replace(f"_{_WINDOW}", "", 1))
    return figures.insert_column(0, frame["stores"]) if "stores" in frame.columns[:named] else figures


def _named(snapshot: Snapshot, rows: pl.DataFrame) -> pl.DataFrame:
    """Add what the stores are called, null where nothing says it."""
    names = snapshot.tags().filter(tag=_NAME).select("store_id", pl.col("value").alias(_NAME))
    return rows.join(names, on="store_id", how="left", maintain_order="left")


def _which(question: ReportQuestion, stores: int, zones: int) -> str:
    conditions = split(question.where)
    whose = f" with {' and '.join(map(shortened, conditions))}" if conditions else ""
    return f"{several(stores, 'store')}{whose}" + (f" in {several(zones, 'time zone')}" if zones > 1 else "")


_SPREAD = (
    pl.when(pl.col("availability").is_null())
    .then(pl.lit("nothing_known"))
    .when(pl.col("uptime") == pl.duration())
    .then(pl.lit("down_throughout"))
    .when(pl.col("downtime") == pl.duration())
    .then(pl.lit("up_throughout"))
    .when(pl.col("availability") < 50)  # noqa: PLR2004 - percent, here and below
    .then(pl.lit("below_half"))
    .when(pl.col("availability") < 95)  # noqa: PLR2004
    .then(pl.lit("below_95"))
    .otherwise(pl.lit("below_100"))
)
