"""The sender: brings notices from the outbox to their channels, in as many processes as there are.

Each channel that has something due gets a thread, which ends when there is nothing more: so a slow one holds up no
other. What a process is sending it says by renewing a lease; killed between the sending and the record of it, a notice
is sent again by another one when the lease has run out, with the same id.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Lock, Thread
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import ChannelError, InputError, StoremonError
from storemon.records.opening import said
from storemon.threads import Lasting
from storemon.troubles import Trouble
from storemon.watch.channels.channel import Channel
from storemon.watch.channels.reading import shown
from storemon.watch.outbox import Notice, Outbox, pause_after
from storemon.watch.texts import digest_of

LEASE = timedelta(seconds=30)

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 30  # for what is being sent
_RENEW_SECONDS = LEASE.total_seconds() / 4
_TIDY_SECONDS = 600
_MOST_THREADS = 32
_DIGESTED = 1000  # notices that become one

Counting = Callable[[str, str, int], None]
"""Told of each end of a sending: the channel as it may be shown, ``sent``, ``failed`` or ``dead``, and how many."""
_log = structlog.stdlib.get_logger("storemon.notices")


class Sender(Lasting):
    """Threads that send what is due."""

    def __init__(
        self,
        outbox: Outbox,
        channel_of: Callable[[str], Channel],
        *,
        link: str = "",
        counting: Counting = lambda _, __, ___: None,
        lease: timedelta = LEASE,
    ) -> None:
        """Take what gives the channel of a name or raises an InputError, and the link that digests get."""
        self._outbox, self._channel_of, self._link, self._counting = outbox, channel_of, link, counting
        self._lease = lease
        self._owner = str(uuid4())
        super().__init__("notices")
        self._lock = Lock()
        self._sending: dict[str, tuple[Thread, Sequence[str]]] = {}
        """By channel: the thread that sends there, and the notices that it has in hand."""
        self._renewed_at, self._tidied_at = time.monotonic(), float("-inf")
        self._trouble = Trouble(_log, "notices wait", "notices go on")

    def stop(self) -> None:
        """End, after what is being sent; what takes too long goes on by itself, or is sent again by another process."""
        ends_at = time.monotonic() + _STOP_SECONDS
        self._end(_STOP_SECONDS)
        with self._lock:
            left = [thread for thread, _ in self._sending.values()]
        for thread in left:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self._look()
                self._trouble.is_over()
            except (StoremonError, SQLAlchemyError, OSError, MemoryError, RuntimeError) as error:
                self._trouble.tell(said(error) or repr(error))
            self._stopping.wait(_LOOK_SECONDS)

    def _look(self) -> None:
        """Give each channel that has something due a thread, unless it has one, or its hours are over."""
        self._renew()
        self._tidy()
        at, due = self._outbox.due()
        for name in due:
            with self._lock:
                if name not in self._sending and len(self._sending) < _MOST_THREADS and self._is_open(name, at):
                    thread = Thread(target=self._send_all, args=(name,), name="notice", daemon=True)
                    self._sending[name] = thread, ()
                    thread.start()

    def _is_open(self, name: str, at: datetime) -> bool:
        try:
            hours = self._channel_of(name).hours
        except InputError:
            return True  # so that it is tried, and told why it can't be
        return hours is None or hours.next_open(at) <= at

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_at < min(_RENEW_SECONDS, self._lease.total_seconds() / 4):
            return
        self._renewed_at = time.monotonic()
        with self._lock:
            in_hand = [notice for _, notices in self._sending.values() for notice in notices]
        if in_hand:
            self._outbox.renew(in_hand, self._owner, self._lease)

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_at < _TIDY_SECONDS:
            return
        self._tidied_at = time.monotonic()
        if gone := self._outbox.give_up():
            _log.error("notices given up", notices=gone, reason="each process that sent them died")
        self._outbox.let_go()

    def _send_all(self, name: str) -> None:
        """Send what is due for a channel, until nothing is."""
        try:
            while not self._stopping.is_set() and (notices := self._claimed(name)):
                self._send(name, notices)
        except (SQLAlchemyError, OSError, MemoryError) as error:
            self._trouble.tell(said(error) or repr(error))
        finally:
            with self._lock:
                del self._sending[name]

    def _claimed(self, name: str) -> list[Notice]:
        """Claim the next notice; those that waited together for the hours of the channel to begin, all at once."""
        at, _ = self._outbox.due()
        if not self._is_open(name, at):
            return []
        try:
            hours = self._channel_of(name).hours
        except InputError:
            hours = None
        opened_at = hours.opened_at(at) if hours else None
        claim = partial(self._outbox.claim, self._owner, self._lease)
        notices: list[Notice] = []
        if opened_at is not None:
            notices = claim(name, most=_DIGESTED, opened_at=opened_at, waited=True)
        notices = notices or claim(name, opened_at=opened_at)
        with self._lock:
            self._sending[name] = self._sending[name][0], [notice.id for notice in notices]
        return notices

    def _send(self, name: str, notices: Sequence[Notice]) -> None:
        ids, started = [notice.id for notice in notices], time.perf_counter()
        message = notices[0].message
        try:
            if len(notices) > 1:
                message = digest_of([notice.message for notice in sorted(notices, key=_made)], self._link)
            self._channel_of(name).send(message)
        except InputError as error:  # the file of rules may be mended
            self._failed(name, notices, ChannelError(str(error)))
        except ChannelError as error:
            self._failed(name, notices, error)
        except Exception:  # noqa: BLE001 - a bug in one channel holds up no other
            _log.exception("a channel failed as nobody foresaw", channel=shown(name))
            self._failed(name, notices, ChannelError("this was not foreseen; the log says more"))
        else:
            self._outbox.sent(ids, self._owner)
            self._counting(shown(name), "sent", len(ids))
            took = round(1000 * (time.perf_counter() - started), 2)
            _log.info("notice sent", notice=message.id, channel=shown(name), notices=len(ids), milliseconds=took)

    def _failed(self, name: str, notices: Sequence[Notice], error: ChannelError) -> None:
        attempts, told = max(notice.attempts for notice in notices), shown(name)
        pause = pause_after(attempts, error.after_s) if error.again else None
        self._outbox.failed([notice.id for notice in notices], self._owner, str(error), pause)
        self._counting(told, "failed" if pause else "dead", len(notices))
        write = _log.warning if pause else _log.error
        event = "notice not sent, tried again later" if pause else "notice given up"
        again_s = round(pause.total_seconds()) if pause else None
        about = {"attempts": attempts, "reason": str(error), "again_s": again_s}
        for notice in notices:
            write(event, notice=notice.id, channel=told, **about)


def _made(notice: Notice) -> tuple[int, str]:
    return notice.created_at, notice.id
