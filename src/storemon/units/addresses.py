"""Addresses of databases as people write them: ``postgresql://user:password@host:5432/name``."""

import re
from typing import NewType

from storemon.errors import InputError

DatabaseAddress = NewType("DatabaseAddress", str)
"""Where a PostgreSQL database is, or `SQLITE`."""

SQLITE = DatabaseAddress("sqlite")
"""A file beside the reports."""

_ADDRESS = re.compile(r"postgres(?:ql)?://[^\s]*?/[^\s/?]+(?:\?\S*)?")
_PASSWORD = re.compile(r"(?<=://)([^/?#:@\s]*):[^\s]*@|(?<=[?&]password=)[^&\s]*")


def parse_database(text: str) -> DatabaseAddress:
    """Read the address of a PostgreSQL database, or ``sqlite``.

    Raises:
        InputError: it is not written like that.

    """
    if text != SQLITE and not _ADDRESS.fullmatch(text):
        raise InputError(
            "this is no address of a database; write it like postgresql://user:password@host/name, or sqlite"
        )
    return DatabaseAddress(re.sub(r"^postgres:", "postgresql:", text))


def masked(text: str) -> str:
    """Show an address without its password."""
    return _PASSWORD.sub(lambda found: f"{found[1]}:***@" if found[1] is not None else "***", text)
