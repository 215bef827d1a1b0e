"""The poller: it sends what it sees, one half to the service and one half by the broker, until they have taken it."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import httpx
import nats
import nats.errors

from tests.arrivals.brokers import NatsServer
from tests.faults.week.fleet import Fleet, Poll

_EVERY_SECONDS = 0.3
_WAITS_SECONDS = 3.0


class Poller:
    """Two threads, one for each way."""

    def __init__(self, fleet: Fleet, url: Callable[[], str], key: str, broker: NatsServer) -> None:
        self.polls: list[Poll] = []
        """All that it saw up to now."""
        self.waits = [0, 0]
        """How many nobody has taken yet, by each way."""
        self._fleet, self._url, self._key, self._broker = fleet, url, key, broker
        self._over = Event()
        self._threads = [
            Thread(target=self._push, daemon=True),
            Thread(target=lambda: asyncio.run(self._publish()), daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """See nothing more, and wait until all is taken."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _seen(self, since: float, *, published: bool) -> tuple[float, list[Poll]]:
        until = time.time() - self._fleet.begins_at.timestamp()
        seen = [poll for poll in self._fleet.polls(since, until) if poll.is_published == published]
        self.polls += seen
        return until, seen

    def _push(self) -> None:
        since, left = 0.0, list[Poll]()
        while left or not self._over.is_set():
            if not self._over.is_set():
                since, seen = self._seen(since, published=False)
                left += seen
            if left and self._is_taken(left):
                left = []
            self.waits[0] = len(left)
            self._over.wait(_EVERY_SECONDS)

    def _is_taken(self, polls: Sequence[Poll]) -> bool:
        with suppress(httpx.TransportError):
            body = [_written(poll) for poll in polls]
            answer = httpx.post(
                f"{self._url()}/v1/polls", json=body, headers={"X-API-Key": self._key}, timeout=_WAITS_SECONDS
            )
            assert answer.status_code in (202, 503), answer.text
            return answer.status_code == 202
        return False

    async def _publish(self) -> None:
        since, left, client = 0.0, list[Poll](), None
        while left or not self._over.is_set():
            if not self._over.is_set():
                since, seen = self._seen(since, published=True)
                left += seen
            try:
                client = client or await nats.connect(
                    f"nats://127.0.0.1:{self._broker.port}", allow_reconnect=False, error_cb=_passed_over
                )
                while left:
                    body = json.dumps(_written(left[0])).encode()
                    await client.jetstream(timeout=_WAITS_SECONDS).publish(self._broker.topic, body)
                    left.pop(0)
            except (nats.errors.Error, OSError):
                with suppress(Exception):
                    await client.close() if client else None
                client = None
            self.waits[1] = len(left)
            await asyncio.sleep(_EVERY_SECONDS)
        if client:
            await client.close()


def _written(poll: Poll) -> dict[str, Any]:
    status = "active" if poll.active else "inactive"
    return {"store_id": poll.store, "status": status, "timestamp_utc": poll.at.isoformat()}


async def _passed_over(_: Exception) -> None:
    """Say nothing of a broker that is gone: that is what is tried."""
