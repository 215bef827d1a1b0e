"""A folder into which files are dropped: each is ingested once, and moved to ``done`` or ``failed``.

A file is taken by a lock and by moving it into a folder of its own under ``.taking``. The lock ends with the process,
however that ends, and then another one takes up what lies there: what was committed already is not added again.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple
from uuid import uuid4

import structlog

from storemon.arrivals.addresses import Address
from storemon.errors import InputError, LakeError, StoppedError, StoremonError
from storemon.intake.lake import Lake
from storemon.settings import Settings
from storemon.stopping import Stop
from storemon.units.durations import parse_duration

_log = structlog.stdlib.get_logger("storemon.arrivals")
_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 5.0  # for the file that is being ingested when we are to stop
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_UNFINISHED = (".part", ".tmp")
_TAKING, _DONE, _FAILED = ".taking", "done", "failed"


class _Seen(NamedTuple):
    """How a file was when it was looked at; one that stays so for a while is complete."""

    inode: int
    size: int
    changed_ns: int


class Folder:
    """Ingests what is dropped into a folder, the oldest first, until it is told to stop."""

    def __init__(self, address: Address, settings: Settings, *, stopping: Event) -> None:
        """Take ``folder://PATH?settle=2s``: a file that has not changed for so long is complete.

        Raises:
            InputError: the folder can't be used.

        """
        address.require_only("settle")
        path = f"{address.hosts}/{address.path}".rstrip("/")
        if not path:
            raise InputError("folder:// names no folder; write it like folder://data/incoming")
        self._folder = Path(path)
        self._settle = parse_duration(address.options.get("settle", "2s")).total_seconds()
        self._settings, self._stopping = settings, stopping
        self._since: dict[Path, tuple[_Seen, float]] = {}
        self._told: set[str] = set()
        self._passed_over: set[str] = set()
        self._log = _log.bind(source=f"folder://{path}")
        try:
            for name in (_TAKING, _DONE, _FAILED):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder}: files can't be taken from here: {error.strerror}") from error

    def run(self) -> None:
        """Look each second, and ingest what is complete. A lake that can't be written is waited for."""
        self._log.info("listening")
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                for file in self._complete():
                    if self._stopping.is_set():
                        break
                    self._take(file)
                pause = _FIRST_PAUSE
                self._told.clear()
                wait = _LOOK_SECONDS
            except (LakeError, OSError) as error:
                self._say_once(f"it has to be waited for: {error}")
                wait, pause = pause, min(2 * pause, _LONGEST_PAUSE)
            self._stopping.wait(wait)
        self._log.info("stopped")

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._log.warning(text)
        self._told.add(text)

    def _complete(self) -> list[Path]:
        """List the files that can be taken: those that others left half way, then those that stay as they are."""
        left = sorted((self._folder / _TAKING).glob("*/*"))
        now, seen = time.monotonic(), {}
        for entry in os.scandir(self._folder):
            if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED) or entry.is_dir(follow_symlinks=False):
                continue
            if not entry.is_file(follow_symlinks=False):
                if entry.name not in self._passed_over:
                    self._passed_over.add(entry.name)
                    self._log.warning("passed over", file=_shown(entry.name), reason="it is no plain file")
                continue
            with suppress(FileNotFoundError):
                found = entry.stat()
                state = _Seen(found.st_ino, found.st_size, found.st_mtime_ns)
                before, since = self._since.get(Path(entry.path), (state, now))
                seen[Path(entry.path)] = (state, since if before == state else now)
        self._since = seen
        ready = [(state.changed_ns, file) for file, (state, since) in seen.items() if now - since >= self._settle]
        return [*left, *(file for _, file in sorted(ready))]

    def _take(self, file: Path) -> None:
        """Ingest one file, unless another process is at it."""
        with _locked(file) as is_ours:
            if not is_ours:
                return
            taken = file
            if file.parent == self._folder:
                taken = self._folder / _TAKING / uuid4().hex / file.name
                taken.parent.mkdir()
                file.rename(taken)
            try:
                self._ingest(taken)
            finally:
                with suppress(OSError):
                    taken.parent.rmdir()

    def _ingest(self, file: Path) -> None:
        name = self._free_name(file.name)
        started = time.perf_counter()
        stop = Stop()
        try:
            with stop.heeded(), self._ended_by(stop):
                done = Lake(self._settings.lake).ingest(file, memory=self._settings.memory, called=_shown(name))
        except StoppedError:
            return  # it stays, and is taken up again
        except LakeError:
            raise
        except StoremonError as error:
            self._move(file, _FAILED, name, str(error).replace(str(file), file.name))
            return
        counts = {each.table: {"added": each.added, "rejected": each.rejected} for each in done.tables}
        if not done.readable:
            reasons = (f"{count:,} rows: {reason}" for each in done.tables for reason, count in each.reasons.items())
            self._move(file, _FAILED, name, "\n".join(["not one row could be read:", *reasons]))
            return
        self._move(file, _DONE, name)
        seconds = round(time.perf_counter() - started, 2)
        self._log.info("ingested", file=file.name, moved_to=f"{_DONE}/{name}", tables=counts, seconds=seconds)

    @contextmanager
    def _ended_by(self, stop: Stop) -> Iterator[None]:
        """Let work that outlasts its time go on no longer, once we are to stop."""
        ended = Event()

        def watch() -> None:
            while not ended.wait(0.1):
                if self._stopping.is_set() and ended.wait(_GRACE_SECONDS):
                    return
                if self._stopping.is_set():
                    stop.now("the listener was told to stop")

        watcher = Thread(target=watch, name="stopping", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _free_name(self, name: str) -> str:
        """Name a file as no other one is called in ``done`` or ``failed``: its rejected rows are kept under that."""
        stem, dot, endings = name.partition(".")
        number, free = 1, name
        while any((self._folder / place / free).exists() for place in (_DONE, _FAILED)):
            number += 1
            free = f"{stem}-{number}{dot}{endings}"
        return free

    def _move(self, file: Path, place: str, name: str, reason: str = "") -> None:
        """Move a file to where no other one is; beside it goes the reason, if there is one."""
        target = self._folder / place / name
        target.touch(exist_ok=False)  # takes the name; another process may be moving a file of the same one
        if reason:
            target.with_name(f"{name}.reason.txt").write_text(f"{reason}\n", "utf-8", "backslashreplace")
            self._log.warning("failed", file=file.name, moved_to=f"{place}/{name}", reason=reason)
        file.replace(target)


def _shown(name: str) -> str:
    """Write the name of a file, which may be in any encoding."""
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Hold a lock on a file as long as the process lives; tell whether it is ours, and still there."""
    try:
        # It may have become a link or a pipe since it was looked at.
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(opened)
            is_there = stat.S_ISREG(found.st_mode) and file.stat().st_ino == found.st_ino
        except (BlockingIOError, FileNotFoundError):
            is_there = False
        yield is_there
    finally:
        os.close(opened)
