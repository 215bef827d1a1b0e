"""Sizes of memory as people write them: ``2GiB``, ``512MiB``, ``1.5GB``, or ``50%`` of what the machine has."""

import os
import re
from decimal import Decimal
from pathlib import Path

from storemon.errors import InputError

HALF = "50%"
"""What work may take unless something else is said."""

_UNITS = {"b": 1} | {
    f"{prefix}{binary}b": base**power
    for binary, base in (("i", 1024), ("", 1000))
    for power, prefix in enumerate("kmgt", 1)
}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) *(%|[KMGT]?i?B)", re.ASCII | re.IGNORECASE)
_LIMIT = Path("/sys/fs/cgroup/memory.max")


def parse_size(text: str) -> int:
    """Read a positive size in bytes: a number with one of the units B, KiB, MiB, GiB, TiB, KB, MB, GB and TB, or %.

    Raises:
        InputError: it is not written like that, is less than a byte, or more than the machine has in percent.

    """
    written = _SIZE.fullmatch(text.strip())
    number, unit = (Decimal(written[1]), written[2].lower()) if written else (Decimal(0), "b")
    size = int(number * (_of_machine() / Decimal(100) if unit == "%" else _UNITS.get(unit, 0)))
    if not size or (unit == "%" and number > 100):  # noqa: PLR2004 - percent
        raise InputError(f"{text!r} is not a size; write it like 2GiB, 512MiB, 1.5GB or 50%")
    return size


def _of_machine() -> int:
    """Tell how much memory the machine has, or its container may take."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _LIMIT.read_text().strip() if _LIMIT.exists() else "max"
    return machine if limit == "max" else min(machine, int(limit))
