"""An explanation as lines of text: plain ASCII but for names and reasons, at most 100 columns but for long names."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise
from textwrap import wrap
from typing import Literal

from storemon.answers.explanation.parts import Day, Edge, Explanation, Piece, Poll
from storemon.units.zones import EDITION
from storemon.views.words import BOUND, FIGURES, length, limit, moment, offset, printed, time_of_day, why, written

_WIDTH = 100
_MAINTENANCE = "Maintenance, taken out of the schedule"
_OTHER = {"start": "end", "end": "start"}


def lines(explanation: Explanation) -> Iterator[str]:
    """Tell one figure line by line: the schedule, the polls, what is held between them, and the sums."""
    yield from _heading(explanation)
    sections = {
        "Schedule, by local date": [line for day in explanation.schedule for line in _day(day, explanation)],
        _MAINTENANCE: [*_maintenance(explanation)],
        "Polls that decide; runs of equal ones in one line": [*_polls(explanation)],
        "Spells, and why each is held": [*_spells(explanation)],
        "Pieces of the schedule, by what is held of them": [*_pieces(explanation)],
        "Sums": [*_sums(explanation)],
    }
    if not explanation.maintenance:
        del sections[_MAINTENANCE]
    for title, told in sections.items():
        yield from ("", title, *(told or ["  none"]))


def _heading(explanation: Explanation) -> Iterator[str]:
    zone, default = explanation.zone, ", the default: it has no zone" if explanation.zone_is_default else ""
    until = ", which is as-of" if explanation.ends_at == explanation.as_of else ""
    yield f"Store {explanation.store_id}, {explanation.window}"
    yield f"  zone    {zone}{default}, by edition {EDITION} of the IANA database"
    yield f"  from    {moment(explanation.starts_at, zone)}"
    yield f"  to      {moment(explanation.ends_at, zone)}{until}"
    if not until:
        yield f"  as-of   {moment(explanation.as_of, zone)}"
    yield f"  policy  {explanation.policy}; a poll is believed for {limit(explanation.carry_limit)}"


def _day(day: Day, explanation: Explanation) -> Iterator[str]:
    rows = "; ".join(written(shift) for shift in day.shifts) or "closed on this weekday"
    yield from _wrapped(f"{day.date:%a %Y-%m-%d}  ", f"{day.source}: {rows}")
    zone, indent = explanation.zone, " " * 16
    if day.tail:
        yield f"{indent}the hours of the date before reach into this one"
    for at, before, after in day.clock_changes:
        by = f"{'forward' if after > before else 'back'} by {length(abs(after - before))}"
        lasts = f"this date lasts {length(day.ends_at - day.starts_at)}"
        yield f"{indent}the clocks go {by} at {(at + before).time():%H:%M:%S}: {lasts}"
    if day.starts_at == day.ends_at:
        yield f"{indent}the clocks skip this date"
    for opens, closes in day.open:
        ends = "24:00:00" if closes == day.ends_at else time_of_day(closes, zone)
        utc = f"{time_of_day(opens, 'UTC')} to {time_of_day(closes, 'UTC')} UTC"
        yield f"{indent}open {time_of_day(opens, zone)} to {ends} {offset(opens, zone)} = {utc}"
    if any(opens < explanation.starts_at < closes for opens, closes in day.open):
        yield f"{indent}the window starts at {time_of_day(explanation.starts_at, zone)}: what lies before is cut"
    if any(opens < explanation.ends_at < closes for opens, closes in day.open):
        yield f"{indent}the window ends at {time_of_day(explanation.ends_at, zone)}: what lies after is cut"


def _maintenance(explanation: Explanation) -> Iterator[str]:
    for starts_at, ends_at, reason, every_store in explanation.maintenance:
        yield f"  {moment(starts_at, explanation.zone)} to {moment(ends_at, explanation.zone)}"
        told = ("for every store", reason) if every_store else (reason,)
        yield from _wrapped("    ", ": ".join(part for part in told if part))


def _polls(explanation: Explanation) -> Iterator[str]:
    for _, run in groupby(explanation.polls, key=lambda poll: poll[1:]):
        polls = [*run]
        yield f"  {moment(polls[0].polled_at, explanation.zone)}  {_said(polls[0])}"
        if len(polls) > 1:
            apart = max(after.polled_at - before.polled_at for before, after in pairwise(polls))
            last = moment(polls[-1].polled_at, explanation.zone)
            yield f"      and {len(polls) - 1} more, the last {last}, at most {length(apart)} apart"


def _said(poll: Poll) -> str:
    notes = [
        "before the window" if poll.place == "before" else "after the window" if poll.place == "after" else "",
        "" if poll.open or poll.place != "inside" else "outside open time",
        "" if poll.counts else "overruled by an inactive one",
    ]
    return ", ".join(["active" if poll.active else "inactive", *filter(None, notes)])


def _spells(explanation: Explanation) -> Iterator[str]:
    for spell in explanation.spells:
        edges = f"{moment(spell.starts_at, explanation.zone)} to {moment(spell.ends_at, explanation.zone)}"
        yield f"  {edges}  {spell.state}"
        cut = [
            "cut by the window's start" if spell.starts_at == explanation.starts_at else "",
            "cut by the window's end" if spell.ends_at == explanation.ends_at else "",
        ]
        yield "      " + "; ".join(filter(None, [f"open time in it {length(spell.open_time)}", *cut]))
        for reason in spell.because:
            yield from _wrapped("    ", why(reason, explanation))


def _pieces(explanation: Explanation) -> Iterator[str]:
    for piece in explanation.pieces:
        edges = f"{moment(piece.starts_at, explanation.zone)} to {moment(piece.ends_at, explanation.zone)}"
        yield f"  {edges}  {piece.held}"
        lasts = length(piece.ends_at - piece.starts_at)
        yield f"      {lasts}, from {_edge(piece, piece.started_by, 'start')} to {_edge(piece, piece.ended_by, 'end')}"


def _edge(piece: Piece, by: Edge, side: Literal["start", "end"]) -> str:
    if by == "maintenance":
        return f"the {side if piece.held == 'excluded' else _OTHER[side]} of maintenance"
    if by == "schedule":
        return "opening" if side == "start" else "closing"
    return f"the window's {side} (cut)" if by == "window" else "a change of state"


def _sums(explanation: Explanation) -> Iterator[str]:
    figures = explanation.figures
    for held, name in FIGURES.items():
        count = sum(piece.held == held for piece in explanation.pieces)
        of = f"{count} piece{'' if count == 1 else 's'}"
        yield _sum(name, getattr(figures, name), f"the sum of {of}", explanation)
        if name == "unknown":
            yield _sum("service time", figures.service, "uptime + downtime + unknown", explanation)
    yield _sum("schedule", figures.service + figures.excluded, "service time + excluded", explanation)


def _sum(name: str, exact: timedelta, of: str, explanation: Explanation) -> str:
    report = f"{printed(exact, explanation.unit)} {explanation.unit} in a report"
    return f"  {name:<13}{length(exact):>22}   {of:<28}{report}"


def _wrapped(first: str, text: str) -> list[str]:
    lines = wrap(text, _WIDTH, initial_indent=f"  {first}", subsequent_indent=" " * (len(first) + 4))
    return [line.replace(BOUND, " ") for line in lines]
