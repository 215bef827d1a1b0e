"""Sizes of memory as people write them, and how much the machine has."""

import os
import re

from storemon.errors import InputError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([KMGT]?)(?:iB|B)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read a size like ``2GiB``, ``512M`` or ``1.5 TB`` in bytes; every unit is a power of 1024.

    Raises:
        InputError: it is not written like that, or it is zero.

    """
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size <= 0:
        raise InputError(f"{text!r} is not a size of memory; write a number and a unit, like 2GiB or 512MiB")
    return size


def half_of_machine() -> int:
    """Tell how many bytes half of this machine's memory are."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
