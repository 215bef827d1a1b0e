"""Instants, lengths of time and reasons in words, as an explanation shows them."""

from datetime import datetime, timedelta

from storemon.answers.explanation.parts import Explanation, Held, Reason, Shift
from storemon.units.durations import format_duration
from storemon.units.zones import zone_info

_MICROSECOND, _SECOND = timedelta(microseconds=1), timedelta(seconds=1)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
BOUND = "\u00a0"
FIGURES: dict[Held, str] = {"active": "uptime", "inactive": "downtime", "unknown": "unknown", "excluded": "excluded"}
"""The figure that a piece adds to, by what is held of it."""


def length(exact: timedelta) -> str:
    """Write a length of time exactly: ``3h 05m 12.345678s``."""
    hours, rest = divmod(exact, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, micros = divmod(rest // _MICROSECOND, 1_000_000)
    fraction = f".{micros:06d}" if micros else ""
    if hours:
        return f"{hours}h {minutes:02d}m {seconds:02d}{fraction}s"
    return f"{minutes}m {seconds:02d}{fraction}s" if minutes else f"{seconds}{fraction}s"


def brief(exact: timedelta) -> str:
    """Write a length of time to the minute, rounded half up; one of less than a minute, but some, is not nothing."""
    if exact < _MINUTE:
        return "<1m" if exact else "0"
    hours, minutes = divmod((exact + _MINUTE / 2) // _MINUTE, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m"


def limit(carry_limit: timedelta) -> str:
    """Write a carry limit as it is asked for, or exactly where that has no words."""
    return length(carry_limit) if carry_limit % _SECOND else format_duration(carry_limit)


def printed(exact: timedelta, unit: str) -> str:
    """Write a figure as a report does: in minutes or hours, two decimals, rounded half up."""
    hundredth = (_MINUTE if unit == "minutes" else _HOUR) / 100
    hundredths = (exact + hundredth / 2) // hundredth
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def time_of_day(at: datetime, zone: str) -> str:
    """Write what the clocks of a zone show, to the microsecond where there are any."""
    local = at.astimezone(zone_info(zone))
    return f"{local:%H:%M:%S.%f}" if local.microsecond else f"{local:%H:%M:%S}"


def moment(at: datetime, zone: str) -> str:
    """Write date, time and offset of an instant in a zone: ``Mon 2024-10-14 18:55:18 -05:00``."""
    return f"{at.astimezone(zone_info(zone)):%a %Y-%m-%d} {time_of_day(at, zone)} {offset(at, zone)}"


def offset(at: datetime, zone: str) -> str:
    """Write by how much a zone is ahead of UTC."""
    ahead = at.astimezone(zone_info(zone)).utcoffset() or timedelta()
    return f"{'-' if ahead < timedelta() else '+'}{shown(abs(ahead) // _SECOND)}"


def shown(seconds: int) -> str:
    """Write a time of day told in seconds, without seconds that are zero: ``09:00``, ``23:59:59``."""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours:02d}:{minutes:02d}" + (f":{rest:02d}" if rest else "")


def written(shift: Shift) -> str:
    """Write a row of the hours, and how it is read where that is not plain."""
    notes = "; ".join(shift.notes)
    if shift.opens_local is None or shift.closes_local is None:
        return notes
    return f"{shown(shift.opens_local)}-{shown(shift.closes_local)}" + (f" ({notes})" if notes else "")


def why(reason: Reason, explanation: Explanation) -> str:
    """Tell in words why a state is held; the numbers are those of docs/semantics.md, "State between polls".

    Spaces inside instants and lengths of time are not for breaking lines at: `BOUND`.
    """
    believed = limit(explanation.carry_limit)
    if reason.rule == "far":
        return f"no poll within {believed} on either side"
    if reason.first_poll is None or reason.last_poll is None:
        return f"rule 3: no poll that is less than {believed} old, nor a first poll ever at most {believed} later"
    first, last = (_bound(moment(poll, explanation.zone)) for poll in (reason.first_poll, reason.last_poll))
    if reason.furthest is None:
        return f"rule 3: the latest poll, {first}, is {believed} old or older"
    furthest = _bound(length(reason.furthest))
    if reason.rule == "first":
        return f"rule 2: the first poll ever, {first}, reaches back {believed}; at most {furthest} here"
    polls = f"{first}, and {reason.polls - 1} more up to {last}" if reason.polls > 1 else first
    if reason.rule == "nearest":
        return f"the nearest poll: {polls}; at most {furthest} away"
    return f"rule 1: the latest poll: {polls}; at most {furthest} old"


def _bound(words: str) -> str:
    return words.replace(" ", BOUND)
