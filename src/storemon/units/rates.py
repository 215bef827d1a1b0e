"""Rates as people write them: ``600/1m`` is 600 a minute."""

from datetime import timedelta
from typing import NamedTuple, NewType

from storemon.errors import InputError
from storemon.units.durations import parse_duration

Rate = NewType("Rate", str)
"""A rate as people write it, or `NO_LIMIT`."""

NO_LIMIT = Rate("off")
_MOST = 1_000_000


class Allowance(NamedTuple):
    """So many in a while."""

    number: int
    period: timedelta


def parse_rate(text: str) -> Allowance | None:
    """Read a rate: a whole number and a duration; None for no limit.

    Raises:
        InputError: it is not written like that.

    """
    if text.strip() == NO_LIMIT:
        return None
    count, slash, period = (part.strip() for part in text.partition("/"))
    if not slash or not (count.isascii() and count.isdecimal()) or not 1 <= int(count[:9]) <= _MOST:
        raise InputError(f"{text!r} is not a rate; write it like 600/1m, with a number up to {_MOST:,}, or {NO_LIMIT}")
    return Allowance(int(count), parse_duration(period))
