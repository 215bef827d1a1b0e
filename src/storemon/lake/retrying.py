"""Compare-and-swap, again and again: what a change does when another writer was faster."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from storemon.errors import ConflictError

_ATTEMPTS = 50
T = TypeVar("T")


def retrying(attempt: Callable[[], T]) -> T:
    """Repeat what another writer's commit thwarted: read again, decide again, commit again.

    Raises:
        ConflictError: the others were faster each time.

    """
    for nth in range(_ATTEMPTS):
        try:
            return attempt()
        except ConflictError:
            if nth == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, min(1.0, 0.01 * 2**nth)))  # noqa: S311 - spreads the writers, no secret
    raise AssertionError
