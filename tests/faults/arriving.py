"""A place where polls arrive: its services, all that was pushed to them, and what must hold."""

import os
import signal
from contextlib import chdir
from functools import partial
from pathlib import Path

from storemon.records.inbox import Inbox
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.arrivals.listening import Polls, in_lake
from tests.faults.pushing import Pushing
from tests.service import waiting
from tests.service.server import Server

QUICK = str(Path(__file__).parent / "quick_arrivals.py")
until = partial(waiting.until, seconds=120)


class Place:
    """A folder with a lake and an inbox, the services at work there, and all that was pushed to them."""

    def __init__(self, folder: Path, database: str, *, services: int, workers: int) -> None:
        self.folder, self._database, self._workers = folder, database, workers
        with chdir(folder):
            self.records = opened_records(Settings.load(database=database, reports=folder / "reports"))
        self.inbox = Inbox(self.records, most=1_000_000_000)
        self.pushing = Pushing()
        self.rejected: set[int] = set()
        self._killed = 0
        self.servers = [self._started() for _ in range(services)]

    def start_again(self, nth: int = 0) -> None:
        self.servers[nth], self._killed = self._started(), 0

    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def ready(self) -> list[int]:
        """Give the processes of the one service, once all of them answer.

        One that dies before that is missed by the first process only after many seconds.
        """
        (server,) = self.servers
        until(lambda: len(server.logged("Application startup complete.")) == self._workers + self._killed)
        return server.workers()

    def kill(self, processes: list[int]) -> None:
        for process in processes:
            os.kill(process, signal.SIGKILL)
        self._killed += len(processes)

    def begun(self) -> None:
        """Wait until something more is acknowledged."""
        before = len(self.pushing.acknowledged)
        until(lambda: len(self.pushing.acknowledged) > before)

    def hold_all(self, sent_before: Polls) -> None:
        """Check what is promised, and that to send again all that was sent since adds nothing."""
        self._until_moved()
        found = in_lake(self.folder)
        assert not self.pushing.acknowledged - found, "polls that were acknowledged are lost"
        assert not found - self.pushing.sent, "there are polls that nobody sent"
        again = self.pushing.sent - sent_before
        if again:
            until(lambda: self.pushing.push_again(self.urls()[0], again))
            self._until_moved()
        assert in_lake(self.folder) == self.pushing.sent

    def end(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        self.records.dispose()

    def _started(self) -> Server:
        with chdir(self.folder):
            return Server(QUICK, "serve", workers=self._workers, STOREMON_DATABASE=self._database)

    def _until_moved(self) -> None:
        until(lambda: self.inbox.waiting().batches == 0)
