"""Debian's Prometheus, with the configuration that is delivered."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.service.waiting import until

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "storemon.json").read_text(encoding="utf-8"))


class Prometheus:
    """A running one, and what it answers."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=30)

    def close(self) -> None:
        self._client.close()

    def is_ready(self) -> bool:
        try:
            return self._client.get("/status/runtimeinfo").status_code == 200
        except httpx.ConnectError:
            return False

    def ask(self, path: str, **asked: str) -> Any:
        answer = self._client.get(path, params=asked)
        told = answer.json()
        assert told["status"] == "success", (asked, told)
        return told["data"]

    def series(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("/query", query=query)["result"]
        return found


def laid_out(folder: Path, target: str, key: str) -> Path:
    """Lay the sample of a configuration into a folder, with the service's address and key in it."""
    folder.mkdir()
    shutil.copy(RULES, folder)
    (folder / "storemon.key").write_text(f"{key}\n")
    file = folder / "prometheus.yaml"
    text = (DEPLOY / "prometheus" / "prometheus.yaml").read_text(encoding="utf-8")
    assert text.count("127.0.0.1:8000") == 1
    file.write_text(text.replace("127.0.0.1:8000", target).replace(": 15s", ": 1s"))
    return file


@contextmanager
def watching(file: Path) -> Iterator[Prometheus]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={file.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (file.parent / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            with closing(Prometheus(f"http://127.0.0.1:{port}")) as prometheus:
                until(prometheus.is_ready)
                yield prometheus
        finally:
            process.kill()


def queries() -> list[str]:
    """The queries of the dashboard, with Grafana's variables filled in."""
    return [
        target["expr"].replace("$__rate_interval", "1m").replace("$job", ".+")
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    ]
