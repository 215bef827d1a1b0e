"""Time zones by their IANA names, as the tzdata package has them whatever the machine has.

Python itself prefers the machine's own, which are another edition on another machine: one lake would give two answers.
"""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

from storemon.errors import LakeError

EDITION = tzdata.IANA_VERSION
"""The edition of the IANA database, like 2026a."""


@cache
def zone_info(name: str) -> ZoneInfo:
    """Read a zone.

    Raises:
        LakeError: this edition has no such zone; what is ingested is checked, but perhaps by another edition.

    """
    if name not in zone_names():
        raise LakeError(
            f"there is no time zone {name!r} in zone data {EDITION}; install a newer tzdata, or ingest time zones "
            "without it"
        )
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def zone_names() -> frozenset[str]:
    """List the names of all zones, links among them."""
    return frozenset(files(tzdata).joinpath("zones").read_text(encoding="utf-8").split())
