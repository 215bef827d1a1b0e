"""The ``storemon`` command, and how it ends. What is heavy is imported by the command that needs it."""

import atexit
import gc
import io
import os
import sys
from pathlib import Path

from storemon.cli.overview import ASKED_FOR, overview
from storemon.errors import StoremonError

__all__ = ["main", "process"]

_NEW_OBJECTS = 100_000


def main() -> None:
    """Run the command line; exits with 0, or 2 when nothing could be done, saying why on standard error."""
    _ready_streams()
    try:
        code = _run()
        sys.stdout.flush()
    except StoremonError as error:
        sys.stderr.write(f"storemon: {error}\n")
        code = 2
    except BrokenPipeError:
        code = _silenced(0)  # whoever read our output has seen enough
    except OSError as error:  # the disk that standard output goes to is full, say
        sys.stderr.write(f"storemon: {error}\n")
        code = _silenced(2)
    except KeyboardInterrupt:
        sys.stderr.write("storemon: interrupted\n")
        code = 130
    sys.exit(code)


def process() -> None:
    """Be the whole process, and end it as soon as all is done: to take the libraries apart is of use to nobody."""
    # Importing makes objects that stay. To look through them for garbage a hundred times takes a seventh of a report.
    gc.set_threshold(_NEW_OBJECTS)
    status = 1

    def end() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(status)

    atexit.register(end)  # as the first one, so that it is called after all others
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _run() -> int:
    if sys.argv[1:] in ASKED_FOR:
        sys.stdout.write(overview())
        return 0
    from storemon.cli.app import run

    return run()


def _ready_streams() -> None:
    """Let no text that cannot be encoded, and no standard output that is closed, end a command."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - it is open as long as this process runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silenced(code: int) -> int:
    """Keep Python from writing what is left to a standard output that takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
