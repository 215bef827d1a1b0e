"""The place of the week: the processes at work, those that send and those that receive, and what is seen meanwhile."""

import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, chdir, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import httpx
import polars as pl
from sqlalchemy import select

from storemon.intake.lake import Lake
from storemon.records.inbox import Inbox
from storemon.records.keys import opened_keys
from storemon.records.opening import opened_records
from storemon.records.tables import EVENTS
from storemon.settings import Settings
from storemon.watch.alerts.kept import Alerts
from storemon.watch.outbox import Outbox
from tests.arrivals.brokers import NatsServer
from tests.arrivals.listening import Listener
from tests.conftest import environment
from tests.faults.publishing import consumer_of, left
from tests.faults.week.fleet import Fleet
from tests.faults.week.polling import Poller
from tests.faults.week.receivers import SECRET, Alertmanager, FailingHook, Held, Mails
from tests.faults.week.rules import rules_of
from tests.lake.contents import day_of, files
from tests.service.server import REAL, Server
from tests.service.waiting import until

BEHIND = timedelta(seconds=30)
CARRIED = timedelta(seconds=60)
_QUICK = str(Path(__file__).parent.parent / "quick_watching.py")
_LOOKS_SECONDS = 1.0
_SLACK = timedelta(seconds=3)
"""How long before it would be missed a poll counts as late: so far apart are two looks at the lake from here."""


class Watch:
    """A running ``storemon watch`` and its log."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.log = folder / f"watch-{len(list(folder.glob('watch-*')))}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, _QUICK, "watch"], cwd=folder, env=environment(**variables), stderr=log
            )

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Place:
    """Everything that is at work."""

    def __init__(self, folder: Path, seed: int, stores: int, seconds: float, *, nights: bool) -> None:
        self.folder, self.kills = folder, Counter[str]()
        """How often what was killed."""
        self.late: dict[str, list[datetime]] = {}
        """The instants of the polls that came, or may have come, too late to be looked at in time; by store."""
        self.events: list[tuple[Any, ...]] = []
        """What happened to alerts, row by row as it was first read."""
        self.held: set[Held] = set()
        """What Alertmanager ever held for active: rule, subject, and when it began."""
        self._seed, self._stores, self._seconds, self._nights = seed, stores, seconds, nights
        self._over = Event()
        self._thread = Thread(target=self._look_on, daemon=True)
        self._stack, self._read, self._seen = ExitStack(), set[Path](), set[datetime]()
        self.settings = Settings(reports=folder / "reports", lake=str(folder / "parquet"), carry_limit=CARRIED)
        self._variables = {
            "STOREMON_RATE": "off",
            "STOREMON_WATCH_EVERY": "1s",
            "STOREMON_WATCH_BEHIND": f"{BEHIND // timedelta(seconds=1)}s",
            "STOREMON_CARRY_LIMIT": f"{CARRIED // timedelta(seconds=1)}s",
            "HOOK_SECRET": SECRET,
        }

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        self.records = opened_records(self.settings)
        self._stack.callback(self.records.dispose)
        self.broker, self.alertmanager = enter(NatsServer()), enter(Alertmanager())
        self.hook, self.mails = enter(FailingHook(self._seed)), enter(Mails(self._seed))
        self.broker.make()
        self._listen_to = consumer_of(self.broker, "week")
        ports = self.mails.port, self.hook.port, self.alertmanager.port
        self.rules = self.folder / "rules.toml"
        self.rules.write_text(rules_of(*ports, nights=self._nights, begins_at=datetime.now(UTC)))
        with opened_keys(self.settings) as keys:
            _, self._key = keys.create("writer", {}, None)
        self._stack.callback(self._end)
        self.listener, self.server = self.listening(), self.serving()
        self.fleet = Fleet(self._seed, self._stores, datetime.now(UTC), self._seconds)
        self.fleet.write(self.folder / "data")
        Lake(self.settings.lake).ingest(self.folder / "data")
        self.watches = [self.watching() for _ in range(2)]
        self.poller = Poller(self.fleet, lambda: self.server.url, self._key, self.broker)
        self.poller.start()
        self.since = until(self.looked_at, 60)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def looked_at(self) -> int | None:
        """Tell up to when all alerts are known; None where nobody has looked yet."""
        known = Alerts(self.records).looked_at().values()
        return min(known, default=None)

    def settle(self) -> None:
        """Wait until nothing more is to be told; the poller goes on meanwhile, and all stores stay as they are."""
        until(self._is_settled, 900)
        until(self._alertmanager_agrees, 150)
        until(self._has_ended, 600)
        self.poller.stop()
        until(lambda: left(self.broker, "week") == 0, 120)
        until(lambda: Inbox(self.records, most=1).waiting().batches == 0, 120)
        self._over.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """Look for polls that are late, and for what has happened."""
        begins = datetime.now(UTC)
        for place in files(self.folder / "parquet", "polls"):
            if place not in self._read and day_of(place):
                with suppress(FileNotFoundError):  # two versions may be met
                    self._seen.update(pl.read_parquet(place, columns=["polled_at"])["polled_at"])
                    self._read.add(place)
        for poll in [*self.poller.polls]:
            if poll.at <= begins - BEHIND + _SLACK and poll.at not in self._seen:
                instants = self.late.setdefault(poll.store, [])
                instants += [] if poll.at in instants else [poll.at]
        with self.records.connect() as connection:
            last = self.events[-1][0] if self.events else 0
            asked = select(EVENTS).where(EVENTS.c.id > last).order_by(EVENTS.c.id)
            self.events += [tuple(row) for row in connection.execute(asked)]
        with suppress(httpx.TransportError):  # it may be gone just now
            self.held |= self.alertmanager.active()

    def _look_on(self) -> None:
        while not self._over.wait(_LOOKS_SECONDS):
            self.look()

    def _is_settled(self) -> bool:
        """Tell whether the end of the week was looked at, all that is over is told, and all that is told is sent."""
        time.sleep(0.5)
        ends_at = self.fleet.begins_at + timedelta(seconds=self.fleet.seconds)
        if (self.looked_at() or 0) < int(ends_at.timestamp() * 1_000_000):
            return False
        with self.records.connect() as connection:
            untold = any(alert.closed_at is not None for alert in Alerts(self.records).telling(connection))
        return not untold and not Outbox(self.records).waiting()

    def _alertmanager_agrees(self) -> bool:
        time.sleep(0.5)
        held = {(rule, subject) for rule, subject, _ in self.alertmanager.active()}
        opened = {(one.rule, one.subject) for one in Alerts(self.records).open() if "am" in one.telling.channels}
        return held == opened

    def _has_ended(self) -> bool:
        """End the watches where all is sent, and tell whether that is still so; else have others send the rest."""
        if not self._is_settled():
            return False
        for watch in self.watches:
            watch.process.terminate()
        for watch in self.watches:
            assert watch.process.wait(60) == 0, watch.log.read_text()
        if not Outbox(self.records).waiting():
            return True
        self.watches = [self.watching() for _ in self.watches]
        return False

    def watching(self) -> Watch:
        return Watch(self.folder, **self._variables)

    def listening(self) -> Listener:
        return Listener(self.folder, self._listen_to, **self._variables)

    def serving(self) -> Server:
        with chdir(self.folder):
            return Server(*REAL, workers=2, **self._variables)

    def _end(self) -> None:
        """End what is still at work."""
        with suppress(AttributeError):  # what was not started
            self.listener.kill()
            self.server.kill()
            for watch in self.watches:
                watch.kill()
