"""Alerts and messages as the watcher makes them."""

from typing import Any
from uuid import uuid4

from storemon.watch.messages import Message
from storemon.watch.texts import message_of

FACTS: dict[str, dict[str, Any]] = {
    "down": {
        "since": "2024-10-14T19:05:00Z",
        "started_after": "2024-10-14T18:55:18Z",
        "first_inactive_at": "2024-10-14T19:05:00Z",
        "open_time_s": 900,
    },
    "silent": {"last_polled_at": "2024-10-14T17:20:00Z", "open_time_s": 7200},
    "below": {"availability": 0.97429, "threshold": 0.98, "window": "7d", "coverage": 0.91},
    "burn": {"long": 8.2, "short": 12.3333, "factor": 6, "target": 0.995},
    "group": {"open": 14, "down": 6, "members": ["4711", "4712", "4713", "4714", "4715", "4716"]},
}
TAGS = {"name": "Acme Loop", "brand": "Acme", "region": "West", "city": "Chicago"}
SHARE = {"group": "region=West", "open": 14, "down": 6}


def alert(kind: str = "down", **other: Any) -> dict[str, Any]:
    group = {"subject": "region=West", "tags": {"region": "West"}, "share": None} if kind == "group" else {}
    return {
        "id": "5f0c9a1e-8f0b-4d3c-9a57-2f4f1f6f3a10",
        "rule": kind,
        "kind": kind,
        "subject": "4711",
        "tags": TAGS,
        "severity": "critical",
        "fired_at": "2024-10-14T19:20:00Z",
        "resolved_at": None,
        "zone": "America/Chicago",
        "facts": FACTS[kind],
        "share": SHARE if kind == "down" else None,
        **group,
        **other,
    }


def message(notice_id: str = "", kind: str = "fired", **other: Any) -> Message:
    return message_of(notice_id or str(uuid4()), kind, "down", [alert(**other)])
