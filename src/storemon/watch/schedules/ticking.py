"""What starts schedules when they are due: a thread in every process that watches; the records let one of them."""

import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import StoremonError
from storemon.records.opening import said
from storemon.threads import Lasting
from storemon.watch.schedules.kept import Schedules

_LOOK_SECONDS = 1
_STOP_SECONDS = 10  # for what is being started; BUSY_SECONDS is the longest that it waits
_TELL_SECONDS = 60  # how often trouble that stays is told again

_log = structlog.stdlib.get_logger("storemon.schedules")


class Ticking(Lasting):
    """A thread that starts the jobs of the schedules in ``records`` at their ticks."""

    def __init__(self, records: Engine) -> None:
        self._schedules = Schedules(records)
        super().__init__("schedules")
        self._told: dict[str, float] = {}

    def stop(self) -> None:
        """End."""
        self._end(_STOP_SECONDS)

    def tick(self) -> int:
        """Start what is due. Say how many jobs that were.

        Raises:
            SQLAlchemyError: the records can't be reached.

        """
        count = 0
        for name in self._schedules.due():
            try:
                job = self._schedules.start(name)
            except StoremonError as error:  # of this one; the others go on
                self._tell(f"{name}: {error}")
                continue
            if job is not None:
                _log.info("schedule started", schedule=name, id=job)
                count += 1
        return count

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except SQLAlchemyError as error:
                self._tell(said(error))
            except Exception:  # noqa: BLE001 - whatever it is, the next tick must not be lost with this thread
                _log.exception("schedules not looked at")
            self._stopping.wait(_LOOK_SECONDS)

    def _tell(self, reason: str) -> None:
        """Say what keeps schedules from starting: at once, and again as long as it stays."""
        at = time.monotonic()
        self._told = {told: told_at for told, told_at in self._told.items() if at - told_at < _TELL_SECONDS}
        if reason not in self._told:
            _log.error("schedule not started", reason=reason)
            self._told[reason] = at
