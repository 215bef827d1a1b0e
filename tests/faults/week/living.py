"""What goes on all along a week: something is killed and started again, and somebody says something of alerts."""

import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

from storemon.errors import InputError
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.silences import Silences
from tests.faults.week.fleet import REGIONS
from tests.faults.week.place import Place


class Living:
    """Kills, drawn by a seed."""

    def __init__(self, place: Place, seed: int) -> None:
        self._place = place
        self._draw = Random(seed)  # noqa: S311 - it is to be the same each time

    def live(self, pause: float) -> None:
        """Let the week go by, and kill something after each pause."""
        victims: list[str] = []
        kill = {
            "watcher": self._kill_watcher,
            "a process of the service": self._kill_worker,
            "service": self._kill_server,
            "listener": self._kill_listener,
            "broker": self._kill_broker,
            "Alertmanager": self._kill_alertmanager,
        }
        while (now := time.time() - self._place.fleet.begins_at.timestamp()) < self._place.fleet.seconds:
            if not victims:
                victims = self._draw.sample(["watcher", *kill], len(kill) + 1)
            time.sleep(min(pause * self._draw.uniform(0.6, 1.4), self._place.fleet.seconds - now))
            self._say_something()
            kill[victims.pop()]()

    def _say_something(self) -> None:
        """Care for an alert, and want to hear nothing of a region."""
        opened = Alerts(self._place.records).open()
        if opened:
            with suppress(InputError):  # it is over by now
                Alerts(self._place.records).acknowledge(self._draw.choice(opened).id, "one", "is at it")
        if self._draw.random() < 0.3:
            ends_at = datetime.now(UTC) + timedelta(seconds=self._draw.uniform(5, 15))
            Silences(self._place.records).add(
                {"region": self._draw.choice(REGIONS)}, None, ends_at, "another", "asleep"
            )

    def _kill_watcher(self) -> None:
        nth = self._draw.randrange(2)
        self._place.watches[nth].kill()
        self._place.watches[nth] = self._place.watching()
        self._place.kills["watcher"] += 1

    def _kill_worker(self) -> None:
        if workers := self._place.server.workers():
            subprocess.run(["kill", "-9", str(self._draw.choice(workers))], check=False)
            self._place.kills["a process of the service"] += 1

    def _kill_server(self) -> None:
        self._place.server.kill()
        self._place.server = self._place.serving()
        self._place.kills["service"] += 1

    def _kill_listener(self) -> None:
        self._place.listener.kill()
        self._place.listener = self._place.listening()
        self._place.kills["listener"] += 1

    def _kill_broker(self) -> None:
        self._place.broker.kill()
        self._place.broker.start()
        self._place.kills["broker"] += 1

    def _kill_alertmanager(self) -> None:
        self._place.alertmanager.kill()
        self._place.alertmanager.start()
        self._place.kills["Alertmanager"] += 1
