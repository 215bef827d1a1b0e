"""What an answer rests on, in words: for forms that have room to say it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from importlib.metadata import version

from storemon.calendar.periods import beginning, first_date, wall
from storemon.calendar.windows import Calendar, Rolling, Window
from storemon.questions.options import Chosen, Facts, Means, split
from storemon.units.durations import is_duration
from storemon.units.zones import EDITION
from storemon.views.paper.wording import spoken

EVERYWHERE = ("Etc/GMT+12", "UTC", "Pacific/Kiritimati")
"""Zones such that any date that any clock shows at an instant is that of one of them."""

_MICROSECOND = timedelta(microseconds=1)
_POLICIES = {
    "carry": "carry: the latest poll is believed until the next one",
    "nearest": "nearest: the nearest poll is believed, before or after",
}


def facts(
    question: Facts, now: datetime, means: Means, windows: Sequence[Window] = (), target: str | None = None
) -> dict[str, str]:
    """Say of which now, windows and stores an answer is, and what is believed."""
    told = {"As of": f"{now:%Y-%m-%d %H:%M:%S} UTC: nothing observed later counts"}
    told |= {f"Window {window.name}": stretch(window, now) for window in windows}
    if isinstance(question, Chosen):
        told["Stores"] = which(question)
        told["Policy"] = _POLICIES.get(question.policy, question.policy)
    if target is not None:
        told["Target"] = f"an availability of {target.strip().removesuffix('%').rstrip()} %"
    return told | {
        "Carry limit": f"{spoken(question.limit(means))}: so long a poll is believed; after that nothing is known",
        "Time zones": f"edition {EDITION} of the IANA database",
        "Made by": f"storemon {version('storemon')}; docs/semantics.md has the rules",
    }


def which(question: Chosen) -> str:
    """Say which stores are asked about."""
    conditions = split(question.where)
    return f"those with {' and '.join(conditions)}" if conditions else "all that were polled up to then"


def stretch(window: Window, now: datetime, zones: Collection[str] = EVERYWHERE) -> str:
    """Say from when to when a window goes, and by whose clocks: those of ``zones``."""
    if not isinstance(window.span, Calendar):
        starts_at, ends_at = window.span.bounds(now, "UTC", window.back)
        return f"{_instant(starts_at)} to {_instant(ends_at)} UTC"
    spans = sorted({dates(window, now, zone) for zone in zones})
    told = " or ".join(between(*span) for span in spans)
    clocks = "by each store's own clocks" + (", whose dates differ" if len(spans) > 1 else "")
    return f"{told}{' so far' if is_cut(window, now, zones) else ''}, {clocks}"


def is_cut(window: Window, now: datetime, zones: Collection[str] = EVERYWHERE) -> bool:
    """Tell whether a calendar window is not over yet, by some clocks at least."""
    span = window.span
    if not isinstance(span, Calendar):
        return False
    later = span.offset - window.back + 1
    firsts = {zone: first_date(span.day or wall(now, zone).date(), span.unit) for zone in zones}
    return any(beginning(first, span.unit, later, zone) > now for zone, first in firsts.items())


def title(window: Window) -> str:
    """Write what a window is called: its own name, but for those that are written in numbers."""
    span = window.span
    if isinstance(span, Rolling) and is_duration(window.name.removeprefix("last_")):
        return f"The last {_of_one(span.length)}"
    if isinstance(span, Calendar) and span.day is not None and window.name[:4] == f"{span.day:%Y}":
        names = {"day": f"{span.day:%A}", "week": f"Week {span.day.isocalendar().week}", "month": f"{span.day:%B %Y}"}
        return names[span.unit]
    name = window.name.replace("_", " ").replace("-", " ").strip() or window.name
    return name[0].upper() + name[1:]


def previous(window: Window) -> str:
    """Write what the window before is called: ``the week before``."""
    if isinstance(window.span, Calendar):
        return f"the {window.span.unit} before"
    if isinstance(window.span, Rolling):
        return f"the {_of_one(window.span.length)} before"
    return "as long a time before"


def _of_one(length: timedelta) -> str:
    return spoken(length).removeprefix("1 ")


def dates(window: Window, now: datetime, zone: str) -> tuple[date, date]:
    """Give the first and the last local date of a calendar window."""
    starts_at, ends_at = window.span.bounds(now, zone, window.back)
    first = wall(starts_at, zone).date()
    return first, max(first, wall(ends_at - _MICROSECOND, zone).date())


def between(first: date, last: date) -> str:
    """Write a stretch of dates: ``7 to 13 October 2024``."""
    if first == last:
        return f"{first:%A} {first.day} {first:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {last.day} {last:%B %Y}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {first:%B}{year} to {last.day} {last:%B %Y}"


def _instant(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}" + (f":{at:%S}" if at.second else "")
