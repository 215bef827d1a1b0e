"""The threads that do the work: how many the libraries take, which of ours give way to others, and which last."""

import os
import sys
from threading import Event, Thread, get_native_id

NICENESS = 5  # halves the slowest polls while jobs run, and costs these nothing on an idle machine


def limit_threads(count: int) -> None:
    """Let Polars, which must not be imported yet, and DuckDB take so many threads each; 0 for one on each CPU."""
    if count:
        os.environ["POLARS_MAX_THREADS"] = str(count)


def give_way() -> None:
    """Let whoever waits for an answer go first: this thread, and those that DuckDB and Polars begin for it."""
    if sys.platform == "linux":  # elsewhere threads have no priority of their own
        os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)


class Lasting:
    """A thread that does its work again and again, until it is stopped."""

    def __init__(self, name: str) -> None:
        """Take what the thread is called."""
        self._stopping = Event()
        self._thread = Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def has_ended(self) -> bool:
        """Tell whether the thread has ended though nobody stopped it."""
        return self._thread.ident is not None and not self._thread.is_alive() and not self._stopping.is_set()

    def _end(self, seconds: float) -> None:
        """Have it end, and wait for so long."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        """Go on until ``_stopping`` is set."""
        raise NotImplementedError
