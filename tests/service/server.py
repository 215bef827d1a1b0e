"""A service in processes of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.service.waiting import until

SLOW = (str(Path(__file__).parent / "slow_service.py"),)
REAL = ("-m", "storemon", "serve")


class Server:
    """A running service in the working directory, and what it logs."""

    def __init__(self, *command: str, workers: int, **environ: str) -> None:
        self._log = Path.cwd() / (f"service-{len(list(Path.cwd().glob('service-*')))}.log")
        variables = {"STOREMON_PORT": "0", "STOREMON_LEASE": "1s", "STOREMON_WORKERS": str(workers)}
        variables |= {"TMPDIR": str(Path.cwd())} | environ  # where those that are killed leave what they leave
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], env=os.environ | variables, stderr=log, start_new_session=True
            )
        (listening,) = until(lambda: self.logged("listening"))
        self.url = f"http://127.0.0.1:{listening['port']}"

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line["event"] == event]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30)

    def workers(self) -> list[int]:
        """The ids of the processes under the first one that answer requests."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def kill(self) -> None:
        """End all of its processes at once, as a loss of power would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, with_signal: signal.Signals) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(20)


@contextmanager
def running(*command: str, workers: int = 1, **environ: str) -> Iterator[Server]:
    server = Server(*command, workers=workers, **environ)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
        with suppress(ProcessLookupError):  # whatever it left
            os.killpg(server.process.pid, signal.SIGKILL)
