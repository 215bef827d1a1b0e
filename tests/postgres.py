"""Debian's PostgreSQL, started for tests in a folder of its own, and a new database for each of them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self

_USER = "postgres" if os.geteuid() == 0 else None  # it does not start as root
MISSING = "there is no PostgreSQL here: apt-get install postgresql"


def programs() -> Path | None:
    """The folder of its programs, None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


class Postgres:
    """A server on a port of its own."""

    def __init__(self) -> None:
        bin_folder = programs()
        assert bin_folder is not None, MISSING
        self._bin = bin_folder
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if _USER:
            shutil.chown(self._folder, _USER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._names = (f"records_{n}" for n in count())
        self._run("initdb", "--auth=trust", "--username=storemon", "--no-sync", "--pgdata", str(self._data))
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start it, again if what was killed before is not quite gone, and wait until it answers."""
        deadline = time.monotonic() + 60
        ask = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self._spawn()
        while subprocess.run(ask, check=False).returncode:
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)
            if self.process.poll() is not None:
                self._spawn()

    def _spawn(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port), "-k", self._folder, "-h", "127.0.0.1"],
                user=_USER,
                stdout=log,
                stderr=log,
                cwd="/",
            )

    def kill(self) -> None:
        """End all of its processes at once, as a loss of power would."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def database(self) -> str:
        """Make a database, and give its address."""
        name = next(self._names)
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "storemon"]
        subprocess.run([self._bin / "createdb", *where, name], check=True)
        return f"postgresql://storemon:secret@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._bin / program, *arguments], check=True, user=_USER, stdout=subprocess.DEVNULL, cwd="/")
