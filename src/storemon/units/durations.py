"""Durations as people write them: ``7d``, ``90m``, ``1h30m``."""

import re
from datetime import timedelta

from storemon.errors import InputError

UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def is_duration(text: str) -> bool:
    """Tell whether text is written like a duration, be it too long or no time at all."""
    return re.fullmatch(r"(\d+[wdhms])+", text.strip().lower(), re.ASCII) is not None


def parse_duration(text: str) -> timedelta:
    """Read a positive duration: whole numbers, each with one of the units w, d, h, m and s.

    Raises:
        InputError: it is not written like that, is zero, or is longer than Python's timedelta.

    """
    written = text.strip().lower()
    if not is_duration(text):
        raise InputError(f"{text!r} is not a duration; write it like 7d, 36h, 90m or 1d12h")
    try:
        duration = sum((int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)([wdhms])", written)), timedelta())
    except (OverflowError, ValueError):  # the latter for thousands of digits
        raise InputError(f"{text!r} is too long a duration; it may be at most {timedelta.max.days} days") from None
    if not duration:
        raise InputError(f"{text!r} is no time at all; a duration must be longer than zero")
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration of whole seconds the way `parse_duration` reads it: ``timedelta(days=7)`` is ``7d``."""
    parts = []
    for unit, length in list(UNITS.items())[1:]:
        count, duration = divmod(duration, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)
