"""What commands share that tell of records: lines of labels and texts, instants in UTC, ids that are given in part."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from getpass import getuser

from storemon.errors import InputError
from storemon.units.instants import instant_of

_SHORTEST = 8  # characters of an id


def write_labelled(told: Mapping[str, str]) -> None:
    """Write a line for each label, its text beside it."""
    from storemon.views.table import printable

    width = max(map(len, told))
    sys.stdout.writelines(f"{label:<{width}}  {printable(text)}\n" for label, text in told.items())


def moment(us: int) -> str:
    """Write an instant, given in microseconds, to the second."""
    return f"{instant_of(us):%Y-%m-%d %H:%M:%S} UTC"


def whole_id(given: str | None, what: str, beginning: Callable[[str], Sequence[str]]) -> str:
    """Find the id that begins as given.

    Args:
        given: the id, or its first 8 characters or more.
        what: what it is of, which is also what the command is called, but for its plural.
        beginning: finds the ids that begin so.

    Raises:
        InputError: there is none, or more than one.

    """
    see = f"see: storemon {what}s list"
    if given is None:
        raise InputError(f"name the {what} by its id, or by its first {_SHORTEST} characters; {see}")
    text = given.strip().lower()
    if len(text) < _SHORTEST or not re.fullmatch(r"[0-9a-f-]+", text):
        raise InputError(f"{given!r} is not an id, nor the first {_SHORTEST} characters of one; {see}")
    found = beginning(text)
    if not found:
        raise InputError(f"there is no {what} {given!r}; {see}")
    if len(found) > 1:
        raise InputError(f"several {what}s begin with {given!r}; give more of the id; {see}")
    return found[0]


def this_user() -> str:
    """Name who runs the command."""
    try:
        return getuser()
    except (KeyError, OSError):  # a container may have a user without a name
        return "somebody"


def require_only(given: Mapping[str, object], allowed: Sequence[str], action: str) -> None:
    """Refuse what does not go with an action: passed over, it would be missed.

    Raises:
        InputError: something else is given.

    """
    for name, value in given.items():
        if value and name not in allowed:
            raise InputError(f"{name} does not go with {action}; leave it out")
