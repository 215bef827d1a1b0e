"""What a command takes: time, memory and bytes read from the disk, each measured on a fresh process of its own."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

_FRAME = " │╭╮╰╯─"  # that some errors are drawn in


class CommandFailedError(Exception):
    """A command ended with an error; its last words are the text."""


class Measured(NamedTuple):
    """What a command took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all its processors, and of the processes that it waited for.
        peak: bytes of memory, in its largest process.
        read: bytes that came from the disk; what lies in the page cache does not count.
        output: what it wrote to standard output.

    """

    seconds: float
    cpu_seconds: float
    peak: int
    read: int
    output: str


def storemon(*arguments: object) -> list[str]:
    """Make the command line of a storemon command."""
    return [sys.executable, "-m", "storemon", *map(str, arguments)]


def measured(command: Sequence[str]) -> Measured:
    """Run a command.

    It is started by a small process, which is this module: a child's peak is never less than what its parent holds.

    Raises:
        CommandFailedError: it did not end well.

    """
    told = subprocess.run([sys.executable, "-S", __file__, *command], check=True, stdout=subprocess.PIPE, text=True)
    status, errors, *taken = json.loads(told.stdout)
    if status:
        lines = [line.strip(_FRAME) for line in errors.splitlines()]
        raise CommandFailedError(next(filter(None, reversed(lines)), f"it ended with {status}"))
    return Measured(*taken)


def forget(folders: Iterable[Path]) -> None:
    """Put the files of these folders out of the page cache, so that they must be read from the disk."""
    os.sync()  # what is not on the disk yet stays
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _main() -> None:
    started = time.perf_counter()
    ran = subprocess.run(sys.argv[1:], check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = (seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, used.ru_inblock * 512, ran.stdout)
    json.dump((ran.returncode, ran.stderr, *taken), sys.stdout)


if __name__ == "__main__":
    _main()
