"""The rows of an answer in short: the totals of all stores, and the worst of the rows, kept while all pass by."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from storemon.answers.now import now
from storemon.answers.report import report_by_range
from storemon.calendar.windows import Window
from storemon.engine.measures import chosen
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Chosen, Facts, Means
from storemon.views.answer import Answer, legend_of_report
from storemon.watch.schedules.reach import Reach
from storemon.watch.schedules.tables import WORST, Table, few_columns, order_of, table_of, worst_of

_MEASURES = ("availability", "uptime", "downtime", "unknown", "coverage")
"""What the totals of a window tell."""
_NOTHING = "0.00"


class WorstRows:
    """Keeps the worst rows of an answer while all of them pass by."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._kept: pl.DataFrame | None = None

    def seen(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Give frames on, one after the other."""
        for frame in frames:
            together = frame if self._kept is None else pl.concat([self._kept, frame])
            self._kept = worst_of(self._answer, together)
            yield frame

    def table(self, rows: int) -> Table | None:
        """Tell the worst; None if there are no rows."""
        if self._kept is None or self._kept.is_empty():
            return None
        count = min(WORST, rows)
        order = f", {order}" if rows > 1 and (order := order_of(self._answer)) else ""
        which = f"{count} of {rows:,} {self._answer.rows}" if count < rows else f"All {rows} {self._answer.rows}"
        return table_of(f"{which}{order}", few_columns(self._answer, self._kept), self._answer.legend)


def asked_of(question: Facts, at: datetime, means: Means) -> Mapping[str, Any]:
    """Say which stores are asked about."""
    if isinstance(question, Chosen):
        return question.asked(at, (), means)
    return {"carry_limit": means.carry_limit, "memory": means.memory, "on": means.on}


def totals_of(
    snapshot: Snapshot, question: Facts, at: datetime, windows: Iterable[Window], means: Means
) -> Table | None:
    """Add up all stores that are asked about: in each window, or as they are now."""
    over = list(windows)
    if not isinstance(question, Chosen):
        return None
    if not over:
        counts = now(snapshot, group_by=[], **question.asked(at, (), means))
        return table_of("All stores", counts, {}) if len(counts) else None
    asked = question.asked(at, over, means)
    frame = pl.concat(report_by_range(snapshot, measures=_MEASURES, group_by=[], **asked))
    if frame.is_empty():
        return None
    legend = legend_of_report(chosen(_MEASURES, None), over)
    if any(column.unit == "hours" for column in legend.values()):  # one heading is for all windows
        legend = {
            name: column._replace(unit="hours" if column.unit == "minutes" else column.unit)
            for name, column in legend.items()
        }
    rows = []
    for window in over:
        own = {name: column for name, column in legend.items() if column.window == window.name}
        rows.append(table_of("", frame.select(*own), own))
    stores = f"{frame['stores'].item():,} stores together" if "stores" in frame.columns else "All stores together"
    many = len(over) > 1
    return Table(
        stores,
        [*(["window"] if many else []), *rows[0].headings],
        [[*([window.name] if many else []), *row.rows[0]] for window, row in zip(over, rows, strict=True)],
        [*([False] if many else []), *rows[0].right],
    )


def unknown_words(totals: Table | None) -> list[str]:
    """Say of which windows nothing is known: no poll lies in them, nor shortly before."""
    told = []
    for row in totals.rows if totals else ():
        cells = dict(zip(totals.headings, row, strict=True)) if totals else {}
        if cells.get("coverage (%)") == _NOTHING:
            window = f"the window {cells['window']}" if "window" in cells else "this time"
            told.append(
                f"Nothing is known of {window}: coverage is {_NOTHING} %, no poll is recent enough to be believed."
            )
    return told


def figures_of(reach: Reach, rows: int, totals: Table | None) -> dict[str, Any]:
    """Tell programs how much there is, and how far the polls reach."""
    told: dict[str, Any] = {"rows": rows, "stores": reach.stores, "late_stores": reach.late_count}
    told |= {"polls_until": reach.newest and reach.newest.isoformat(), "windows_until": reach.ends_at.isoformat()}
    if totals:
        told["totals"] = [dict(zip(totals.headings, row, strict=True)) for row in totals.rows]
    return told
