"""``storemon listen`` in a process of its own, polls to send to it, and what came of them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conftest import COMMAND, environment
from tests.lake.contents import contents
from tests.service.waiting import until

FIRST = datetime(2024, 10, 3, tzinfo=UTC)
Polls = set[tuple[str, datetime, bool]]


def sent(count: int, first: int = 0) -> Polls:
    """So many polls, all different: of a thousand stores, minute by minute."""
    return {(f"store-{n % 1000}", FIRST + timedelta(minutes=n // 1000), n % 3 > 0) for n in range(first, first + count)}


def written(polls: Polls) -> list[bytes]:
    """The polls as JSON, one a message, in the order of their making."""
    return [
        json.dumps(
            {"store_id": store, "status": "active" if active else "inactive", "timestamp_utc": at.isoformat()}
        ).encode()
        for store, at, active in sorted(polls, key=lambda poll: poll[1])
    ]


def in_lake(folder: Path) -> Polls:
    """All polls of the lake; it fails where one is there twice."""
    return {*contents(folder / "parquet").polls}


def rejected_in(folder: Path) -> set[tuple[str, int, str, str]]:
    return {*contents(folder / "parquet").rejected}


class Listener:
    """A running ``storemon listen`` and its log."""

    def __init__(self, folder: Path, *args: str, **variables: str) -> None:
        self._log = folder / f"listen-{len(list(folder.glob('listen-*')))}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "listen", *args], cwd=folder, env=environment(**variables), stderr=log
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["event"].startswith(event)]

    def said(self, event: str) -> dict[str, Any]:
        """Wait until it says this, and give the line."""

        def there() -> dict[str, Any] | None:
            lines = self.logged(event)
            assert lines or self.process.poll() is None, self.log
            return lines[-1] if lines else None

        return until(there)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        self.said("listening")  # before that a signal just ends it
        self.process.send_signal(with_signal)
        status = self.process.wait(20)
        assert "Traceback" not in self.log, self.log
        return status

    def kill(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def listening(folder: Path, *args: str, **variables: str) -> Iterator[Listener]:
    listener = Listener(folder, *args, **variables)
    try:
        yield listener
    finally:
        listener.kill()


def arrived(folder: Path, polls: Polls, seconds: float = 60) -> bool:
    """Wait until exactly these polls are in the lake. A look in the midst of a commit may find two versions of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(AssertionError, FileNotFoundError):
            if in_lake(folder) == polls:
                return True
        time.sleep(0.2)
    return in_lake(folder) == polls
