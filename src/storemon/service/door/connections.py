"""Connections whose clients are slow: each may take its time, but not for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """A connection that is closed when nothing comes of it: no whole head of a request, or nobody reads the answer.

    uvicorn by itself closes only what is idle after an answer. The body of a request has a limit of its own.
    """

    def __init__(self, *given: Any, seconds: float, **named: Any) -> None:
        """Let a head take so many seconds to arrive, and a client so many to read on."""
        super().__init__(*given, **named)
        self._seconds = seconds

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at the clock."""
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        self._unread_since: float | None = None
        self._looking = self.loop.call_later(self._seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._looking.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for another request."""
        self._waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Take note that the client does not read."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Take note that it does again."""
        self._unread_since = None
        super().resume_writing()

    def _look(self) -> None:
        now = since = self.loop.time()
        if self._unread_since is not None:
            since = self._unread_since
        elif self.cycle is None or self.cycle.response_complete:
            since = self._waits_since
        if now - since >= self._seconds:
            self.transport.abort()  # to close it would mean to wait until the client has read all
        else:
            self._looking = self.loop.call_later(self._seconds - (now - since), self._look)
