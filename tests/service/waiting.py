import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


def until(ask: Callable[[], T | None], seconds: float = 30) -> T:
    """Ask again and again until there is an answer that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.02)
    raise TimeoutError(f"nothing after {seconds} s")


def report_of(client: httpx.Client, report_id: str) -> httpx.Response:
    """Poll a report until it has ended."""

    def ended() -> httpx.Response | None:
        answer = client.get("/get_report", params={"report_id": report_id})
        return None if answer.content == b'{"status":"Running"}' else answer

    return until(ended)


def trigger(client: httpx.Client) -> str:
    answer = client.post("/trigger_report")
    assert answer.status_code == 200, answer.text
    report_id: str = answer.json()["report_id"]
    return report_id


def ingestion_of(client: httpx.Client, path: str) -> dict[str, Any]:
    """Ingest, and poll until it has ended."""
    answer = client.post("/ingest", json={"path": path})
    assert answer.status_code == 200, answer.text

    def ended() -> dict[str, Any] | None:
        status: dict[str, Any] = client.get(f"/ingest/{answer.json()['ingest_id']}").json()
        return status if status["status"] in ("Complete", "Failed") else None

    return until(ended)


def eventually(url: str) -> httpx.Response | None:
    """Ask by a connection of its own: processes come and go."""
    try:
        return httpx.get(url, timeout=10)
    except httpx.TransportError:
        return None


def downloaded(url: str, report_id: str) -> bytes:
    """Poll until the report is complete."""

    def once() -> bytes | None:
        answer = eventually(f"{url}/get_report/{report_id}")
        if answer is None or answer.status_code in (502, 503):
            return None
        assert answer.status_code == 200, answer.text
        return answer.content if "x-report-status" in answer.headers else None

    return until(once)
