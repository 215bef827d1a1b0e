"""A running service, and a client that keeps its connection."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

POLL_SECONDS = 0.005


@contextmanager
def served(folder: Path, *, lake: Path, data: Path) -> Iterator[httpx.Client]:
    """Start ``storemon serve`` with its reports and its log in ``folder``; wait until it is healthy."""
    folder.mkdir()
    port = free_port()
    flags = ["--lake", str(lake), "--data", str(data), "--reports", str(folder / "reports"), "--port", str(port)]
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "storemon", "serve", *flags], stdout=output, stderr=output)
    (folder / "pid").write_text(str(process.pid))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _await_health(client, process, log)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def trigger(client: httpx.Client) -> str:
    """Trigger a report and give its id."""
    report_id: str = client.post("/trigger_report").raise_for_status().json()["report_id"]
    return report_id


def poll(client: httpx.Client, report_id: str) -> bytes | None:
    """Ask for a report: its CSV if it is complete, None while it is not."""
    answer = client.get("/get_report", params={"report_id": report_id}).raise_for_status()
    return answer.content if answer.headers.get("X-Report-Status") == "Complete" else None


def download(client: httpx.Client) -> bytes:
    """Trigger a report and poll it until its CSV is here."""
    report_id = trigger(client)
    while (csv := poll(client, report_id)) is None:
        time.sleep(POLL_SECONDS)
    return csv


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_health(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.get("/health").is_success:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(0.05)
    raise RuntimeError(f"the service did not come up; its log:\n{log.read_text()}")
