"""One local date of an explanation as one row of a picture."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from storemon.answers.explanation.parts import Day, Explanation, Held, Interval, Piece, Poll
from storemon.units.zones import zone_info
from storemon.views import marks
from storemon.views.words import brief, length, moment, time_of_day

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_SEEN, _TICK, _CROSS = 1.5, 2.5, 6.0  # pixels: the narrowest bar that is seen, and the room that marks of polls take
GAP, SUM = 12, 56  # pixels: between the dates and their sums, and for each column of those
WORDS: dict[Held, str] = {"active": "up", "inactive": "down", "unknown": "unknown", "excluded": "excluded"}


@dataclass(frozen=True)
class Size:
    """How large rows are: how many go below one another, the room above the bar, the bar, and the room below it.

    ``detailed`` rows have their polls below the bar, and words above it.
    """

    most: int
    above: int
    bar: int
    below: int
    detailed: bool


ROOMY, COMPACT = Size(10, 17, 24, 14, detailed=True), Size(35, 12, 13, 13, detailed=True)
THIN, THINNEST = Size(92, 2, 9, 2, detailed=False), Size(92, 1, 6, 1, detailed=False)


@dataclass(frozen=True)
class Row:
    """A local date with its place: the corner of its bar, pixels for each hour, and the width of the longest date."""

    explanation: Explanation
    day: Day
    size: Size
    left: float
    top: float
    scale: float
    width: float

    @property
    def bottom(self) -> float:
        """Where the bar ends."""
        return self.top + self.size.bar

    @property
    def end(self) -> float:
        """Where the next row may begin; one whose clocks change names its own hours."""
        own_hours = 12 if self.day.clock_changes and self.size.detailed else 0
        return self.bottom + self.size.below + own_hours

    def x(self, at: datetime) -> float:
        """Find where an instant lies."""
        return self.left + (at - self.day.starts_at) / _HOUR * self.scale

    @cached_property
    def pieces(self) -> Sequence[Piece]:
        """The pieces, as much of them as lies on the date."""
        pieces, day = self.explanation.pieces, self.day
        first = bisect_right(pieces, day.starts_at, key=lambda piece: piece.ends_at)
        last = bisect_left(pieces, day.ends_at, key=lambda piece: piece.starts_at)
        return [
            piece._replace(starts_at=max(piece.starts_at, day.starts_at), ends_at=min(piece.ends_at, day.ends_at))
            for piece in pieces[first:last]
        ]

    @property
    def polls(self) -> Sequence[Poll]:
        """The polls of the date."""
        polls = self.explanation.polls
        first, last = (
            bisect_left(polls, at, key=lambda poll: poll.polled_at) for at in (self.day.starts_at, self.day.ends_at)
        )
        return polls[first:last]

    def drawn(self) -> Iterator[str]:
        """Draw the row but for its polls, from the back to the front."""
        yield from self._ground()
        for piece in self.pieces:
            yield from self._piece(piece)
        for opened in self.day.open:
            yield from self._outline(opened)
        yield from self._edges()
        yield from self._words()

    def drawn_polls(self) -> Iterator[str]:
        """Draw the polls; one too near to the mark before goes without, but no inactive one for an active one."""
        last = {True: -_CROSS, False: -_CROSS}
        for poll in self.polls:
            x = self.x(poll.polled_at)
            if poll.active and x - last[True] >= _TICK and x - last[False] >= _TICK:
                yield marks.poll_up(x, self.bottom + 3)
            elif not poll.active and x - last[False] >= _CROSS:
                yield marks.poll_down(x, self.bottom + 3)
            else:
                continue
            last[poll.active] = x

    def _ground(self) -> Iterator[str]:
        explanation, day = self.explanation, self.day
        for begins, ends in (
            (day.starts_at, min(explanation.starts_at, day.ends_at)),
            (max(explanation.ends_at, day.starts_at), day.ends_at),
        ):
            if begins < ends:
                yield self._bar(Interval(begins, ends), "beyond")
        for at in (*hours(day, explanation.zone).values(), day.ends_at):
            yield marks.line(self.x(at), self.top, self.bottom, "grid")

    def _piece(self, piece: Piece) -> Iterator[str]:
        lasts, zone = piece.ends_at - piece.starts_at, self.explanation.zone
        title = f"{WORDS[piece.held]} {length(lasts)}, {moment(piece.starts_at, zone)} to {moment(piece.ends_at, zone)}"
        yield self._bar(Interval(*piece[:2]), piece.held, title, data_us=lasts // _MICROSECOND)
        if piece.held == "inactive" and lasts / _HOUR * self.scale < _SEEN:
            yield marks.short_down(self.x(piece.starts_at), self.top)

    def _outline(self, opened: Interval) -> Iterator[str]:
        """Outline open time: what the window has of it plainly, what it cuts off with dashes."""
        starts_at, ends_at = self.explanation.starts_at, self.explanation.ends_at
        for begins, ends, class_ in (
            (opened.starts_at, min(opened.ends_at, starts_at), "cut"),
            (max(opened.starts_at, starts_at), min(opened.ends_at, ends_at), "open"),
            (max(opened.starts_at, ends_at), opened.ends_at, "cut"),
        ):
            if begins < ends:
                yield self._bar(Interval(begins, ends), class_)

    def _edges(self) -> Iterator[str]:
        explanation, zone = self.explanation, self.explanation.zone
        until = "as of" if explanation.ends_at == explanation.as_of else "to"
        for at, word, side in ((explanation.starts_at, "from", "small end"), (explanation.ends_at, until, "small")):
            if self.day.starts_at < at < self.day.ends_at:
                yield from self._edge(at, "edge", f"{word} {time_of_day(at, zone)[:8]}", side)
        for at, before, after in self.day.clock_changes:
            yield from self._edge(at, "clocks", f"clocks {at + before:%H:%M} to {at + after:%H:%M}", "small middle")
            if self.size.detailed:
                for hour, begins in hours(self.day, zone).items():
                    yield marks.text(self.x(begins), self.bottom + 21, f"{hour:02d}", "small middle")

    def _edge(self, at: datetime, class_: str, words: str, of_words: str) -> Iterator[str]:
        yield marks.line(self.x(at), self.top - 3, self.bottom + 2, class_)
        if self.size.detailed:
            yield marks.text(self.x(at), self.top - 5, words, of_words)

    def _words(self) -> Iterator[str]:
        day, baseline = self.day, self.top + self.size.bar / 2 + 4
        if self.size is THINNEST:
            if day.date.day == 1:
                yield marks.text(self.left - 5, self.bottom + 1, f"{day.date:%b %Y}", "small end")
            return
        class_ = "label end" if self.size.detailed else "small end"
        yield marks.text(self.left - 8, baseline, f"{day.date:%a} {day.date.day} {day.date:%b}", class_)
        if self.size.detailed:
            yield marks.text(self.left - 8, baseline + 12, self._notes(), "small end")
            if not day.open:
                yield marks.text(self.left + 8, baseline, "closed", "small")
        for place, held in enumerate(WORDS, 1):
            total = sum((piece.ends_at - piece.starts_at for piece in self.pieces if piece.held == held), timedelta())
            if total:
                yield marks.text(self.left + self.width + GAP + place * SUM, baseline, brief(total), class_)

    def _notes(self) -> str:
        """Say what is special about the date."""
        lasts = (self.day.ends_at - self.day.starts_at) / _HOUR
        notes = [f"{lasts:g} hours"] if self.day.clock_changes else []
        return ", ".join([*notes, *(["special hours"] if self.day.source.startswith("special") else [])])

    def _bar(self, part: Interval, class_: str, title: str = "", **data: object) -> str:
        x, until_x = self.x(part.starts_at), self.x(part.ends_at)
        return marks.rectangle(x, self.top, until_x, self.size.bar, class_=class_, title=title, **data)


def hours(day: Day, zone: str) -> dict[int, datetime]:
    """Find where every third hour lies that the clocks of a zone show on a date, each for the first time."""
    found = {}
    for hour in range(0, 24, 3):
        at = datetime.combine(day.date, time(hour), zone_info(zone)).astimezone(UTC)
        if day.starts_at <= at < day.ends_at:
            found[hour] = at
    return found
