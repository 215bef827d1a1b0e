"""Where the work of an answer is done: in this process, or by the workers of a Ray cluster."""

import re
from importlib.util import find_spec
from typing import NewType

from storemon.errors import InputError

Workplace = NewType("Workplace", str)
"""``local``; ``ray``, a cluster on this machine; or ``ray://HOST:PORT``, one that is running."""

LOCAL = Workplace("local")
_KNOWN = re.compile(r"local|ray|ray://\S+:\d+")


def parse_workplace(text: str) -> Workplace:
    """Check the name of a workplace, and that what it takes is installed.

    Raises:
        InputError: there is none of that name, or Ray is not installed.

    """
    if not _KNOWN.fullmatch(text):
        raise InputError(f"there is no workplace {text!r}; choose local, ray or ray://HOST:PORT")
    if text != LOCAL and find_spec("ray") is None:
        raise InputError(f"to work on {text}, Ray must be installed; install it with: pip install 'storemon[ray]'")
    return Workplace(text)
