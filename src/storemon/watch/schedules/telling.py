"""What is told of an answer: a summary that a person reads, in text and as a mail shows it, and data for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from storemon.calendar.windows import Calendar, Window
from storemon.units.durations import format_duration
from storemon.units.zones import EDITION, zone_info
from storemon.watch.messages import Attached, Message
from storemon.watch.schedules.reach import RECENT, Edge, Reach, edges
from storemon.watch.schedules.schedule import Schedule
from storemon.watch.schedules.tables import Table


@dataclass(frozen=True)
class Summary:
    """What is known of an answer when it is told.

    Attributes:
        name: of the schedule.
        schedule: as it was at the tick.
        tick_at: the instant of the tick, which is the answer's now.
        job: the id of the job that made it.
        windows: what it is about, in words.
        tables: the totals, and the worst rows.
        missing: what is not as it should be, in sentences.
        is_whole: the polls reach as far as the windows.
        rows: how many rows the file has, in words.
        file: the file, None if there is none.
        figures: what programs are told besides.

    """

    name: str
    schedule: Schedule
    tick_at: datetime
    job: str
    windows: Sequence[str] = ()
    tables: Sequence[Table] = ()
    missing: Sequence[str] = ()
    is_whole: bool = True
    rows: str = ""
    file: Attached | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Say in a line what it is."""
        what = self.schedule.question.kind if self.file else f"no {self.schedule.question.kind}"
        weak = "" if self.is_whole else ", with polls missing"
        return f"{self.name}: {what} as of {moment(self.tick_at, self.schedule.zone)}{weak}"

    def message(self, notice: str) -> Message:
        """Write it for one recipient, as the notice of this id."""
        return Message(
            notice,
            self.title,
            self._text(),
            self._html(),
            "info" if self.file and self.is_whole else "warning",
            self._data(),
            (self.file,) if self.file else (),
        )

    def _text(self) -> str:
        parts = [
            "\n".join([self.schedule.words(), *self.windows]),
            *(["\n".join(f"! {line}" for line in self.missing)] if self.missing else []),
            *(table.text() for table in self.tables),
            self._foot(),
        ]
        return "\n\n".join(parts)

    def _html(self) -> str:
        return _template().render(
            title=self.title,
            asked=self.schedule.words(),
            windows=self.windows,
            missing=self.missing,
            is_whole=self.is_whole and self.file is not None,
            tables=self.tables,
            foot=self._foot(),
        )

    def _foot(self) -> str:
        file = f"{self.file.name}: {self.rows}. " if self.file else ""
        by = f"As of {self.tick_at:%Y-%m-%d %H:%M:%S} UTC, zone data {EDITION}, job {self.job}."
        return f"{file}{by} Sent by the schedule {self.name}: {self.schedule.cron}, {self.schedule.zone}."

    def _data(self) -> dict[str, Any]:
        told = {"kind": "answer", "schedule": self.name, "job": self.job, "as_of": self.tick_at.isoformat()}
        asked = {"kind": self.schedule.question.kind, "options": self.schedule.question.options}
        return {**told, "question": asked, "windows": [*self.windows], "missing": [*self.missing], **self.figures}


def window_words(window: Window, at: datetime, zones: Sequence[str], zone: str) -> str:
    """Say from when to when a window goes, and by whose clocks."""
    (starts, by_stores), (ends, also) = (_edge_words(edge, window, zone) for edge in edges(window, at, zones))
    if by_stores and also:
        return f"{window.name}: from {starts} to {ends}, by each store's clocks"
    by_stores_clocks = ", by each store's clocks," if by_stores else ""
    return f"{window.name}: from {starts}{by_stores_clocks} to {ends}"


def missing_words(reach: Reach, waited_for: str, zone: str) -> list[str]:
    """Say what is missing of the polls, how far they reach, and of which stores they are late."""
    if reach.newest is None:
        return [f"There are no polls.{waited_for}"]
    told = []
    if not reach.is_whole:
        told.append(
            f"The polls end at {moment(reach.newest, zone)}, before the windows do, at {moment(reach.ends_at, zone)}."
            f"{waited_for} What came later is in no figure here."
        )
    if reach.late_count:
        named = ", ".join(f"{store} ({moment(last, zone)})" for store, last in reach.late)
        more = ", …" if reach.late_count > len(reach.late) else ""
        far = f"more than {format_duration(RECENT)} before {moment(reach.ends_at, zone)}, where the windows end"
        told.append(f"{reach.late_count:,} of {reach.stores:,} stores were last polled {far}: {named}{more}.")
    return told


def moment(at: datetime, zone: str) -> str:
    """Write an instant by the clocks of a zone: ``Mon 2024-10-14 07:00 CDT``."""
    local = at.astimezone(zone_info(zone))
    shown = f"{local:%a %Y-%m-%d %H:%M:%S}" if local.second else f"{local:%a %Y-%m-%d %H:%M}"
    return f"{shown} {local:%Z}"


def _edge_words(edge: Edge, window: Window, zone: str) -> tuple[str, bool]:
    """Say where a window begins or ends, and whether that is told by each store's clocks."""
    if isinstance(window.span, Calendar) and len(edge.shown) == 1:
        (shown,) = edge.shown
        return f"{shown:%a %Y-%m-%d %H:%M}", True
    if edge.first == edge.last:
        return moment(edge.first, zone), False
    return f"{moment(edge.first, zone)} to {moment(edge.last, zone)}, store by store", False


@cache
def _template() -> Template:
    loader = PackageLoader("storemon.watch")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("answer.html")
