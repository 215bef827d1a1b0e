"""The ``storemon`` command. What is heavy is imported by the command that needs it."""

import atexit
import os
import sys
from typing import NoReturn

from storemon.cli.overview import ASKED_FOR, overview


def main() -> None:
    """Run the command line; exits with 0, or 2 when nothing could be done, saying why on standard error."""
    if sys.argv[1:] in ASKED_FOR and sys.stdout is not None:
        sys.stdout.write(overview())
        return
    from storemon.cli.app import run

    run()


def process() -> NoReturn:
    """Be the whole process, and end it at once: to take the libraries apart takes long, and is of use to nobody."""
    code: int | str | None = 0
    try:
        main()
        sys.stdout.flush()
    except SystemExit as ended:
        code = ended.code
    atexit._run_exitfuncs()  # noqa: SLF001 - Python has no other name for it
    os._exit(code if isinstance(code, int) else 1)


__all__ = ["main", "process"]
