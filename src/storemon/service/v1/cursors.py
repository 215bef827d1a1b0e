"""Cursors: where a page begins, as a text that one page tells and the next one is asked for with."""

import base64
from typing import TypeVar

import msgspec

from storemon.errors import InputError

T = TypeVar("T")


def written(place: object) -> str:
    """Write a place as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def read(cursor: str, kind: type[T]) -> T:
    """Read the place that a cursor was written of.

    Raises:
        InputError: it is none.

    """
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InputError("the cursor is not one that a page told; leave it out to begin anew") from error
