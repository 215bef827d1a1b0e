"""Watching: the threads that judge rules, send notices and start schedules, as one thing to start and to stop."""

from datetime import timedelta

import structlog
from sqlalchemy import Engine, select

from storemon.errors import InputError
from storemon.records.database import now
from storemon.settings import Settings
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.looking import Looked
from storemon.watch.book import Book
from storemon.watch.outbox import Outbox
from storemon.watch.schedules.ticking import Ticking
from storemon.watch.sending import Counting, Sender
from storemon.watch.watcher import Told, Watcher

_MICROSECOND = timedelta(microseconds=1)
_log = structlog.stdlib.get_logger("storemon.alerts")


class Watching:
    """What watches, in any number of processes over the same records: these let one do each piece of work."""

    def __init__(
        self,
        settings: Settings,
        records: Engine,
        book: Book,
        *,
        looked: Told = lambda _, __: None,
        counting: Counting = lambda _, __, ___: None,
    ) -> None:
        """Take what is told after each look, as for a `Watcher`, and of each sending, as for a `Sender`."""
        self.alerts, self.outbox = Alerts(records), Outbox(records)
        self._records, self._book = records, book

        def told(looked_up: Looked, seconds: float) -> None:
            _tell(looked_up, seconds)
            looked(looked_up, seconds)

        self._threads: dict[str, Watcher | Sender | Ticking] = {
            "rules": Watcher(settings, records, book, self.outbox, looked=told),
            "notices": Sender(self.outbox, book.channel, link=settings.link.replace("{id}", ""), counting=counting),
            "schedules": Ticking(records),
        }

    def start(self) -> None:
        """Begin."""
        for thread in self._threads.values():
            thread.start()

    def stop(self) -> None:
        """End, each after what it has in hand."""
        for thread in self._threads.values():
            thread.stop()

    def ended(self) -> list[str]:
        """Name what this process no longer does, though nobody stopped it: rules, notices, schedules."""
        return [name for name, thread in self._threads.items() if thread.has_ended()]

    def looked_ago(self) -> timedelta | None:
        """Tell how long ago that was up to which the alerts of all rules are known; None where none is watched.

        Raises:
            SQLAlchemyError: the records are out of reach.

        """
        with self._records.connect() as connection:
            known = self.alerts.looked_at(connection).values()
            return ((connection.scalar(select(now())) or 0) - min(known)) * _MICROSECOND if known else None

    def channels(self) -> list[str]:
        """Name the channels of the file of rules; none if it can't be read."""
        try:
            return [*self._book.in_force().channels.named]
        except InputError:
            return []


def _tell(looked: Looked, seconds: float) -> None:
    """Write a line of a look that has found something."""
    if looked.fired or looked.resolved or looked.notices:
        _log.info("rules judged", **looked._asdict(), milliseconds=round(1000 * seconds, 2))
