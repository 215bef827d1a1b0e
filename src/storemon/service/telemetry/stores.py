"""The stores by state now: counted beside the scrapes, one count at a time, and seldom where it takes long."""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from threading import Lock, Thread

import structlog

from storemon.answers.now import now
from storemon.errors import StoremonError
from storemon.lake.kept import KeptLake
from storemon.service.telemetry.counted import FOLDER, count_stores
from storemon.settings import Settings
from storemon.stopping import Stop
from storemon.threads import give_way
from storemon.units.sizes import parse_size

_FRESH_SECONDS = 10  # for so long a count is told again
_SHARE = 20  # a count that took a second is told for as many seconds at least
_PATIENCE_SECONDS = 1  # how long a scrape waits for a count, and a stop for its end
_MEMORY = 256 << 20  # bytes beside those of jobs and answers; with more it takes no less time
_STATES = ("active", "inactive", "unknown")
_log = structlog.stdlib.get_logger("storemon.metrics")


class StoresNow:
    """Counts the stores when somebody wants to know, unless that was done a moment ago or is being done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counting: Thread | None = None
        self._asking = Lock()
        self._rests_until = float("-inf")
        self._stop = Stop()

    def refresh(self) -> None:
        """Count anew if it is time to, and wait a little for it."""
        with self._asking:
            is_counting = self._counting is not None and self._counting.is_alive()
            if not is_counting and time.monotonic() >= self._rests_until:
                self._counting = Thread(target=self._count, name="stores by state", daemon=True)
                self._counting.start()
            counting = self._counting
        if counting is not None:
            counting.join(_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Have a count let go, and wait until it has."""
        self._stop.now("the service has stopped")
        if self._counting is not None:
            self._counting.join(_PATIENCE_SECONDS)

    def _count(self) -> None:
        give_way()
        started = time.monotonic()
        with _alone() as is_alone:
            if is_alone:
                try:
                    with self._stop.heeded():
                        self._tell(datetime.now(UTC))
                except StoremonError as error:
                    _log.warning("stores not counted", reason=str(error))
                except Exception:  # noqa: BLE001 - nobody else would tell of it, and the next count may go well
                    _log.exception("stores not counted")
        ended = time.monotonic()
        self._rests_until = max(started + _FRESH_SECONDS, ended + _SHARE * (ended - started))

    def _tell(self, as_of: datetime) -> None:
        memory = min(parse_size(self._settings.memory), _MEMORY)
        told = now(KeptLake(self._settings.lake), as_of=as_of, carry_limit=self._settings.carry_limit, memory=memory)
        found = Counter(told.select("state", "is_open").iter_rows())
        count_stores({each: found[each] for each in product(_STATES, (True, False))}, as_of.timestamp())


@contextmanager
def _alone() -> Iterator[bool]:
    """Tell whether no other process counts the stores within the context."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        yield True
        return
    with (Path(folder) / "stores.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
