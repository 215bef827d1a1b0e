"""The ``storemon`` command. What is heavy is imported by the command that needs it."""

import atexit
import os
import sys

from storemon.cli.overview import ASKED_FOR, overview

__all__ = ["main", "process"]


def main() -> None:
    """Run the command line; exits with 0, or 2 when nothing could be done, saying why on standard error."""
    if sys.argv[1:] in ASKED_FOR and sys.stdout is not None:
        sys.stdout.write(overview())
        return
    from storemon.cli.app import run

    run()


def process() -> None:
    """Be the whole process, and end it as soon as all is done: to take the libraries apart is of use to nobody."""
    status = 1

    def end() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(status)

    atexit.register(end)  # as the first one, so that it is called after all others
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
