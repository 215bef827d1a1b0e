"""Time limits for what talks to others: a peer that answers a byte now and then ends with them too."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_AGAIN_SECONDS = 0.5


@contextmanager
def within(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection when the time is over, whatever the context waits for.

    Raises:
        TimeoutError: it was cut.

    """
    done, over = Event(), Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        over.set()
        while not done.wait(_AGAIN_SECONDS):  # it may just be making another one
            if (there := connection()) is not None:
                with suppress(OSError):
                    socket.socket.shutdown(there, socket.SHUT_RDWR)  # TLS would wait for the peer to agree

    Thread(target=watch, name="time limit", daemon=True).start()
    try:
        yield
    except Exception as error:
        if over.is_set():
            raise TimeoutError(f"it took longer than {seconds:g} s") from error
        raise
    finally:
        done.set()
