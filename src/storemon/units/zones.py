"""Time zones by their IANA names, as the tzdata package has them whatever the machine has.

Python itself prefers the machine's own, which are another edition on another machine: one lake would give two answers.
"""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

from storemon.errors import InputError

EDITION = tzdata.IANA_VERSION
"""The edition of the IANA database, like 2026a."""


@cache
def zone_info(name: str) -> ZoneInfo:
    """Read a zone.

    Raises:
        InputError: there is no such zone in this edition.

    """
    if name not in zone_names():
        raise InputError(f"there is no time zone {name!r} in edition {EDITION} of the IANA database")
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def zone_names() -> frozenset[str]:
    """List the names of all zones, links among them."""
    return frozenset(files(tzdata).joinpath("zones").read_text(encoding="utf-8").split())
