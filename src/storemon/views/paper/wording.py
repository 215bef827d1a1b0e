"""Figures and instants as the pages of a report print them."""

from datetime import datetime, timedelta
from decimal import Decimal

from storemon.units.zones import zone_info

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_MANY = 100 * _HOUR
_LONGEST_NAME = 56
NONE = "–"  # noqa: RUF001 - a dash
MINUS = "−"  # noqa: RUF001 - a minus


def percent(value: Decimal | None) -> str:
    """Write a percentage with its two decimals."""
    return NONE if value is None else f"{value:.2f} %"


def points(value: Decimal | None) -> str:
    """Write by how many percentage points something changed."""
    return NONE if value is None else "±0.00" if not value else f"{_sign(value > 0)}{abs(value):.2f}"


def length(value: timedelta | None) -> str:
    """Write a length of time: to the minute, rounded half up; from a hundred hours on, in whole hours."""
    if value is None:
        return NONE
    if value < timedelta():
        return f"{MINUS}{length(-value)}"
    if value >= _MANY:
        return f"{(value + _HOUR / 2) // _HOUR:,} h"
    if value < _MINUTE:
        return "< 1 min" if value else "0"
    hours, minutes = divmod((value + _MINUTE / 2) // _MINUTE, 60)
    return " ".join(
        [f"{hours} h"] * bool(hours) + [f"{minutes:02d} min" if hours else f"{minutes} min"] * bool(minutes)
    )


def change(value: timedelta | None) -> str:
    """Write by how much a length of time changed."""
    if value is None:
        return NONE
    return f"{_sign(value > timedelta())}{length(abs(value))}" if value else "±0"


def more_or_less(number: int) -> str:
    """Write by how much a number changed."""
    return f"{_sign(number > 0)}{abs(number):,}" if number else "±0"


def count(value: int | None) -> str:
    """Write a number."""
    return NONE if value is None else f"{value:,}"


def several(number: int, what: str) -> str:
    """Write how many there are of something."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def local(at: datetime, zone: str, now: datetime) -> str:
    """Write what the clocks of a zone show: ``Mon 7 Oct, 09:30``, and the year if it is not that of ``now``."""
    shown = at.astimezone(zone_info(zone))
    year = f" {shown.year}" if shown.year != now.astimezone(zone_info(zone)).year else ""
    return f"{shown:%a} {shown.day} {shown:%b}{year}, {shown:%H:%M}"


def spoken(length: timedelta) -> str:
    """Write a length of time in the largest unit that it is several of: ``7 days``, ``36 hours``."""
    for unit, least in (("day", 24 * _HOUR), ("hour", _HOUR), ("minute", _MINUTE), ("second", _SECOND)):
        number, rest = divmod(length, least)
        if number and not rest:
            return several(number, unit)
    return f"{length / _SECOND:,.6f} seconds"


def shortened(name: str) -> str:
    """Cut the middle out of a name that no line has room for."""
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[1 - half :]}"


def share(part: timedelta, whole: timedelta) -> float:
    """Tell which share of a bar something takes: a length to be drawn, not a figure to be read."""
    return round(part / whole, 5) if whole else 0.0


def _sign(is_more: bool) -> str:  # noqa: FBT001
    return "+" if is_more else MINUS
