"""Alerts put into the records as a look does, without one."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from storemon.rules.planning import Told
from storemon.watch.alerts.kept import Alerts, Happened, Kept

FIRED_AT = 1_728_930_000_000_000


def alert(subject: str = "4711", **other: Any) -> Kept:
    """Make an alert of a store, or of a group if its kind says so; ``tags`` are those that its facts have."""
    is_group = other.get("kind") == "group"
    facts = {
        "zone": None if is_group else "America/Chicago",
        "tags": other.pop("tags", {}),
        "share": None if is_group else {"group": "region=West", "open": 14, "down": 6},
        "facts": {"open": 4, "down": 3} if is_group else {"open_time_s": 900},
    }
    parts: dict[str, Any] = {
        "id": str(uuid4()),
        "rule": "down",
        "kind": "down",
        "severity": "critical",
        "fired_at": FIRED_AT,
        "found_at": FIRED_AT + 1,
        "resolved_at": None,
        "closed_at": None,
        "quiet_since": None,
        "quiet_us": 0,
        "stale": False,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "telling": Told(),
        "due_at": None,
    }
    return Kept(subject=subject, facts=facts, **parts | other)


def put(records: Engine, *some: Kept) -> None:
    alerts = Alerts(records)
    with records.begin() as connection:
        alerts.write(connection, some, [])
        alerts.note(connection, [Happened(each.id, each.fired_at, "fired", reason="down for 15m") for each in some])
