"""Work that can be stopped from outside: a thread can't be ended, so it is told, and lets go at its next step.

::

    stop = Stop()
    with stop.heeded():     # by the thread that works
        report(lake)        # ends with a StoppedError soon after stop.now("it was canceled") in another thread

The work calls `check` between its steps, and `advance` to tell how far it is. Where a library works for long,
`interrupted_by` says what wakes it up.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

from storemon.errors import StoppedError


class Stop:
    """Whether some work is to stop, and why."""

    def __init__(self) -> None:
        self.progress: float | None = None
        """The share of the work that is done, from 0 to 1; None as long as that was not told."""
        self._reason: str | None = None
        self._interrupts: list[Callable[[], None]] = []
        self._lock = Lock()

    def now(self, reason: str) -> None:
        """Have the work end with ``reason``, the first one that is given.

        Call it again as long as the work goes on: what a library begins at that very moment may miss it.
        """
        with self._lock:
            self._reason = self._reason or reason
            for interrupt in self._interrupts:
                interrupt()

    def check(self) -> None:
        """Let go, if that was said.

        Raises:
            StoppedError: it was.

        """
        if self._reason is not None:
            raise StoppedError(self._reason)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Let all that is done in this context, and in threads that get a copy of it, heed this one."""
        token = _heeded.set(self)
        try:
            yield
        finally:
            _heeded.reset(token)

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Have ``interrupt`` called to stop, as long as the context lasts; whatever it raises is taken as the end.

        Raises:
            StoppedError: it was stopped, before or meanwhile.

        """
        self.check()
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            yield
        except Exception as error:
            if self._reason is not None:
                raise StoppedError(self._reason) from error
            raise
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)


_heeded: ContextVar[Stop | None] = ContextVar("heeded", default=None)


def check() -> None:
    """Let go, if the work that this is a step of is to stop. It takes a tenth of a microsecond.

    Raises:
        StoppedError: it is.

    """
    stop = _heeded.get()
    if stop is not None:
        stop.check()


def advance(done: float, of: float) -> None:
    """Tell how far the work is that this is a step of."""
    stop = _heeded.get()
    if stop is not None:
        stop.progress = done / of


@contextmanager
def interrupted_by(interrupt: Callable[[], None]) -> Iterator[None]:
    """Say what wakes a library up that this context works with; it is called from another thread.

    Raises:
        StoppedError: the work is to stop.

    """
    stop = _heeded.get()
    if stop is None:
        yield
        return
    with stop.interrupting(interrupt):
        yield
