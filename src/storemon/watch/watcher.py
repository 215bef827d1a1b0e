"""The watcher: a thread that looks at all rules again and again, in one process of all over one database at a time."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from storemon.engine.question import Question
from storemon.errors import ChannelError, EmptyLakeError, InputError, RecordsError, StoremonError
from storemon.lake.kept import KeptLake
from storemon.records.database import require_there
from storemon.records.leases import Leases
from storemon.records.opening import said
from storemon.rules.rule import Rule
from storemon.settings import Settings
from storemon.threads import Lasting, give_way
from storemon.troubles import Trouble
from storemon.units.instants import EPOCH
from storemon.units.sizes import parse_size
from storemon.watch.alerts.kept import Alerts, Kept
from storemon.watch.alerts.looking import Looked, Looking
from storemon.watch.alerts.telling import Teller, told_as
from storemon.watch.book import Book
from storemon.watch.channels.channel import Channel
from storemon.watch.outbox import Outbox

LEASE = "watch"
"""The name of the lease that the watcher holds."""

_LEASE_LENGTH = timedelta(seconds=30)  # what a killed watcher costs the next one; a look that takes longer does no harm
_LOOK_SECONDS = 0.5
_STOP_SECONDS = 20  # for a look to end

_AHEAD = 4  # looks that may fail, before a channel lets alerts end that are not told of again
_LEAST_AHEAD = timedelta(minutes=1)
_CLOCKS_DIFFER = timedelta(minutes=1)  # from one machine to the next, without harm
_MICROSECOND = timedelta(microseconds=1)
_NAMED = 5

Told = Callable[[Looked, float], None]

_log = structlog.stdlib.get_logger("storemon.alerts")


class Watcher(Lasting):
    """A thread that looks whenever it is time, and this process has the lease for it."""

    def __init__(
        self, settings: Settings, records: Engine, book: Book, outbox: Outbox, *, looked: Told = lambda _, __: None
    ) -> None:
        """Take what is told after each look what it came to, and how many seconds it took."""
        self._settings, self._records, self._book, self._looked = settings, records, book, looked
        self._alerts, self._leases, self._lake = Alerts(records), Leases(records), KeptLake(settings.lake)
        self._looking = Looking(records, self._alerts, Teller(self._alerts, outbox, link=settings.link))
        self._owner = str(uuid4())
        super().__init__("watch")
        self._keeper = Keeper(book, settings.link)
        self._due_at, self._rests_until, self._has_looked = float("-inf"), float("-inf"), False
        self._trouble = Trouble(_log, "rules not judged", "rules judged again")

    def stop(self) -> None:
        """End, after the look that is being taken, and hand the lease over."""
        self._end(_STOP_SECONDS)
        with suppress(SQLAlchemyError):  # it runs out by itself
            self._leases.release(LEASE, self._owner)

    def look(self) -> Looked | None:
        """Look now, whether it is time or not; None if there is nothing to look at, or somebody has looked.

        Raises:
            InputError: the file of rules can't be read, or is not there though alerts of its rules are open.
            LakeError: the lake is out of reach, or has no polls, as one that is not mounted.
            RecordsError: a clock was set back.
            SQLAlchemyError: the records are.

        """
        require_there(self._records)
        try:
            return self._judged()
        finally:  # an alert that nobody can judge for now is not over
            self._keeper.keep(self._alerts, self._settings.watch_every)

    def _judged(self) -> Looked | None:
        rules = self._book.in_force().rules
        self._require_file(rules)
        as_of = datetime.now(UTC) - self._settings.watch_behind
        snapshot, memory = self._lake.snapshot(), parse_size(self._settings.memory)
        if rules and snapshot.newest_poll() is None:
            raise EmptyLakeError(
                f"{snapshot} has no polls. If it should have some: is it mounted? Alerts stay as they are"
            )
        question = Question(as_of, carry_limit=self._settings.carry_limit, memory=memory)
        started = time.perf_counter()
        looked = self._looking.look(snapshot, question, rules)
        if looked is not None:
            self._has_looked = True
            self._looked(looked, time.perf_counter() - started)
        elif (known := self._known_up_to()) > as_of + _CLOCKS_DIFFER:
            raise RecordsError(
                f"alerts are known up to {known:%Y-%m-%d %H:%M:%S} UTC, and by this machine's clock that is yet to "
                "come: a clock was set back. They are judged again from then on"
            )
        return looked

    def _require_file(self, rules: Sequence[Rule]) -> None:
        """Let no process begin with closing alerts because the file of their rules is not there, or not yet."""
        if self._has_looked or self._settings.rules.exists():
            return
        if gone := {alert.rule for alert in self._alerts.open()} - {rule.name for rule in rules}:
            raise InputError(
                f"{self._settings.rules} is not there, and alerts of rules that are nowhere else are open: "
                f"{', '.join(sorted(gone)[:_NAMED])}. To have no rules, leave it there empty"
            )

    def _known_up_to(self) -> datetime:
        return EPOCH + max(self._alerts.looked_at().values(), default=0) * _MICROSECOND

    def _work(self) -> None:
        give_way()
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= self._rests_until and self._leases.take(LEASE, self._owner, _LEASE_LENGTH):
                    self._look_if_due()
            except (StoremonError, SQLAlchemyError, OSError, MemoryError) as error:
                self._trouble.tell(said(error) or repr(error))
                self._let_others()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look goes on
                _log.exception("a look failed as nobody foresaw")
                self._trouble.tell(repr(error))
                self._let_others()
            self._stopping.wait(_LOOK_SECONDS)

    def _look_if_due(self) -> None:
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + self._settings.watch_every.total_seconds()
            self.look()
            self._trouble.is_over()

    def _let_others(self) -> None:
        """Hand the lease over until the next look: another process may have what this one lacks."""
        self._rests_until = self._due_at
        with suppress(SQLAlchemyError):
            self._leases.release(LEASE, self._owner)


class Keeper:
    """Tells channels again and again of the alerts that there are, where that is how they know of them."""

    def __init__(self, book: Book, link: str) -> None:
        """Take the link that each alert has, with its id in the place of ``{id}``; empty for none."""
        self._book, self._link = book, link
        self._threads: dict[str, Thread] = {}
        self._trouble: dict[str, Trouble] = {}

    def keep(self, alerts: Alerts, every: timedelta) -> None:
        """Tell each such channel, beside what else there is to do: one may not answer."""
        named = {name: channel for name, channel in self._book.in_force().channels.named.items() if channel.keeps}
        if not named:
            return
        opened = alerts.open()
        for name, channel in named.items():
            thread = self._threads.get(name)
            some = [self._told(each) for each in opened if name in each.telling.channels]
            if some and not (thread and thread.is_alive()):
                ahead = max(_AHEAD * every, _LEAST_AHEAD)
                self._threads[name] = Thread(target=self._tell, args=(name, channel, some, ahead), daemon=True)
                self._threads[name].start()

    def _told(self, alert: Kept) -> dict[str, Any]:
        return told_as(alert) | {"link": self._link.replace("{id}", alert.id)}

    def _tell(self, name: str, channel: Channel, alerts: Sequence[Mapping[str, Any]], ahead: timedelta) -> None:
        trouble = self._trouble.setdefault(
            name, Trouble(_log.bind(channel=name), "alerts not kept", "alerts kept again")
        )
        try:
            channel.keep(alerts, ahead)
            trouble.is_over()
        except ChannelError as error:
            trouble.tell(str(error))
