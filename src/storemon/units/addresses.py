"""Addresses of databases as people write them: ``postgresql://user:password@host:5432/name``."""

import re
from typing import NewType

from storemon.errors import InputError

DatabaseAddress = NewType("DatabaseAddress", str)
"""Where a PostgreSQL database is, or `SQLITE`."""

SQLITE = DatabaseAddress("sqlite")
"""A file beside the reports."""

_ADDRESS = re.compile(r"postgres(?:ql)?://[^\s]*?/[^\s/?]+(?:\?\S*)?")
_PASSWORD = re.compile(r"(\w://[^\s:@/?#]*:)\S+@")
_PARAMETER = re.compile(r"([?&][\w.]*(?:password|passwd|secret|token|key)=)[^&\s]+", re.IGNORECASE)


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
    """Put stars in the place of every secret in the addresses of a text, up to the last @ where one was not encoded."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))
