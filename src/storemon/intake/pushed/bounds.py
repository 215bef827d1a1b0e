"""How much a body may hold, found out cheaply before anything in it is judged."""

from collections.abc import Sequence

import msgspec

from storemon.errors import InputError
from storemon.intake.forms.columns import doubled
from storemon.intake.forms.known import POLLS_FORM

MOST_ROWS = 100_000
"""So many polls a body that is sent over HTTP can hold."""
MOST_COLUMNS = 1_000
"""So many columns a table can have, and so many members an object."""
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def require_few(body: bytes, form: str, most: int) -> None:
    """Refuse a text that holds more than ``most`` polls, blank lines and comments among them.

    Raises:
        InputError: it does.

    """
    if form == "json":
        rows = _elements(body) if body.count(b",") >= most else 0
    else:
        ends = (b"\n", b"\r") if form == "csv" else (b"\n",)  # a return ends a line of a CSV as well
        rows = body.count(b"\n") + (not body.endswith(ends))
    if form == "csv":
        rows += body.count(b"\r") - body.count(b"\r\n") - 1  # one is the header
    if rows > most:
        raise too_many(most)


def too_many(most: int) -> InputError:
    """Say that a body holds too many polls."""
    return InputError(f"it holds more than {most:,} polls; send less at once")


def require_clear(names: Sequence[str]) -> None:
    """Refuse a header that has too many names, or several for a column.

    Raises:
        InputError: it does.

    """
    if why := unclear(names):
        raise InputError(f"the columns of the body cannot be told apart: {why}")


def unclear(names: Sequence[str]) -> str | None:
    """Say what is wrong with the names of columns or members, None if each needed one is there once at the most."""
    if len(names) > MOST_COLUMNS:
        return f"there are more than {MOST_COLUMNS:,} of them; send less"
    for column in POLLS_FORM.columns:
        if len(found := doubled(column, names)) > 1:
            several = " and ".join(found)[:300]
            return f"{several} are names of {column}, and nobody can tell which counts; send one of them"
    return None


def _elements(body: bytes) -> int:
    try:
        return len(_ARRAY.decode(body))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return 0  # whoever reads it says what is wrong
