"""For how long something is kept, as people write it: ``90d``, ``1000``, ``90d,1000``, or ``all``."""

import re
from dataclasses import dataclass
from datetime import timedelta

from storemon.errors import InputError
from storemon.units.durations import format_duration, is_duration, parse_duration

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Keeping:
    """What is kept: for how long, and how many; None for all."""

    age: timedelta | None = None
    count: int | None = None

    def __str__(self) -> str:
        """Write it as `parse_keeping` reads it."""
        age = [] if self.age is None else [format_duration(self.age)]
        return ",".join([*age, *([] if self.count is None else [str(self.count)])]) or "all"


def parse_keeping(text: str) -> Keeping:
    """Read a duration, a number, or both with a comma between.

    Raises:
        InputError: it is not written like that.

    """
    parts = [part.strip() for part in text.split(",")]
    ages = [parse_duration(part) for part in parts if is_duration(part)]
    counts = [int(part) for part in parts if _NUMBER.fullmatch(part)]
    if parts == ["all"]:
        return Keeping()
    if len(ages) + len(counts) != len(parts) or max(len(ages), len(counts)) > 1:
        raise InputError(f"{text!r} does not say what is kept; write it like 90d, 1000, or 90d,1000; or all")
    return Keeping(ages[0] if ages else None, counts[0] if counts else None)
