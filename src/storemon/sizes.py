"""Sizes of memory as people write them: ``2GiB``, ``512MiB``, ``1.5GB``."""

import re
from decimal import Decimal

from storemon.errors import InputError

UNITS = {"B": 1} | {
    f"{prefix}{binary}B": base**power
    for binary, base in (("i", 1024), ("", 1000))
    for power, prefix in enumerate("KMGT", 1)
}
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?) *([KMGT]?i?B)", re.ASCII | re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read a positive size in bytes: a number with one of the units B, KiB, MiB, GiB, TiB, KB, MB, GB and TB.

    Raises:
        InputError: it is not written like that, or is less than a byte.

    """
    written = _SIZE.fullmatch(text.strip())
    size = written and int(
        Decimal(written[1]) * {unit.lower(): n for unit, n in UNITS.items()}.get(written[2].lower(), 0)
    )
    if not size:
        raise InputError(f"{text!r} is not a size; write it like 2GiB, 512MiB or 1.5GB")
    return size


def format_size(size: int) -> str:
    """Write a size the way `parse_size` reads it, exactly: 536,870,912 is ``512MiB``."""
    return next(f"{size // n}{unit}" for unit, n in sorted(UNITS.items(), key=lambda u: -u[1]) if size % n == 0)
