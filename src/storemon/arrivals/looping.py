"""An event loop in a thread of its own, for clients that are written for one: heartbeats go on whatever we do."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Looping:
    """Runs coroutines for threads that wait for them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Wait for the end of some work.

        Raises:
            ConnectionError: it took too long, or the client gave it up, as one does whose connection is lost.

        """
        try:
            return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds), self._loop).result()
        except TimeoutError as error:
            raise ConnectionError(f"it does not answer for {seconds:.0f} s") from error
        except CancelledError as error:
            raise ConnectionError("the connection is lost") from error

    def close(self) -> None:
        """End what still runs, and the thread."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _cancel_all() -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
