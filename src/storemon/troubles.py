"""Trouble that may last: told in the log at once, again and again while it lasts, and when it is over."""

import time
from typing import Any

_AGAIN_SECONDS = 60


class Trouble:
    """Tells of what keeps a thread from its work."""

    def __init__(self, log: Any, event: str, over: str) -> None:
        """Take the log, what its lines are called, and what one is called that says that it is over."""
        self._log, self._event, self._over = log, event, over
        self._told: tuple[str, float] = ("", 0)

    def tell(self, reason: str) -> None:
        """Say what it is, unless that was said less than a minute ago."""
        told, at = self._told
        if reason != told or time.monotonic() - at >= _AGAIN_SECONDS:
            self._log.error(self._event, reason=reason)
            self._told = (reason, time.monotonic())

    def is_over(self) -> None:
        """Say that it is over, if there was any."""
        if self._told[0]:
            self._log.info(self._over)
            self._told = ("", 0)
