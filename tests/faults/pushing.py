"""Clients that push polls over several connections, and know what was acknowledged."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

import httpx

from tests.arrivals.listening import Polls, sent, written

_BATCH = 20


class Pushing:
    """All polls that were sent up to now, and those of them that were acknowledged."""

    def __init__(self) -> None:
        self.sent: Polls = set()
        self.acknowledged: Polls = set()
        self.refused = 0
        """Requests that were answered, but not with 202."""
        self._numbers = count()
        self._lock = threading.Lock()

    @contextmanager
    def going_on(self, urls: Sequence[str]) -> Iterator[None]:
        """Push to each of these over two connections, by batches and one by one, as long as somebody answers."""
        over = threading.Event()
        threads = [
            threading.Thread(target=self._push_on, args=(url, size, over)) for url in urls for size in (1, _BATCH)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def push_again(self, url: str, polls: Polls) -> bool:
        """Push these in one request; tell whether it was acknowledged."""
        with httpx.Client(base_url=url, timeout=30) as client, suppress(httpx.TransportError):
            return self._pushed(client, polls) == 202
        return False

    def some(self, size: int) -> Polls:
        """So many polls that nobody has sent yet."""
        with self._lock:
            return {one for _ in range(size) for one in sent(1, next(self._numbers))}

    def _push_on(self, url: str, size: int, over: threading.Event) -> None:
        with httpx.Client(base_url=url, timeout=30) as client, suppress(httpx.TransportError):
            while not over.is_set():
                polls = self.some(size)
                self._note_sent(polls)
                if self._pushed(client, polls) != 202:
                    with self._lock:
                        self.refused += 1
                    time.sleep(0.05)

    def _note_sent(self, polls: Polls) -> None:
        with self._lock:
            self.sent |= polls

    def _pushed(self, client: httpx.Client, polls: Polls) -> int:
        bodies = written(polls)
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        answer = client.post("/v1/polls", content=body, headers={"Content-Type": "application/json"})
        if answer.status_code == 202:
            assert answer.json()["taken"] == len(polls)
            with self._lock:
                self.acknowledged |= polls
        return answer.status_code
