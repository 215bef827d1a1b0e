"""Prometheus' Alertmanager: alerts are posted to it, again and again as long as they last.

What is not posted again ends by itself: so when we die, no alert stays for ever.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult

import msgspec

from storemon.errors import ChannelError
from storemon.watch.channels.channel import Way
from storemon.watch.channels.posting import post, require_taken
from storemon.watch.messages import Message
from storemon.watch.phrases import described, headline

AHEAD = timedelta(minutes=5)
"""How long an alert stays there that is told of once."""
_AT_ONCE = 500
_OURS = ("alertname", "severity", "subject")


class Alertmanager(Way):
    """Posts alerts to one server."""

    kind = "alertmanager"
    keeps = True

    def __init__(self, url: SplitResult) -> None:
        self._url = url._replace(path=f"{url.path.rstrip('/')}/api/v2/alerts")
        self.where = f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")

    def send(self, message: Message) -> None:
        """Post the alerts of a message; a test is an alert of its own, that is over soon."""
        link = str(message.data.get("link") or "")
        if alerts := message.data.get("alerts"):
            self._post([posted(alert, AHEAD, link) for alert in alerts])
        elif message.data.get("kind") == "test":
            self._post([_test(message)])
        else:
            raise ChannelError("Alertmanager takes alerts only, and this is none; name another channel", again=False)

    def keep(self, alerts: Sequence[Mapping[str, Any]], ahead: timedelta) -> None:
        """Post all of them again."""
        self._post([posted(alert, ahead, str(alert.get("link") or "")) for alert in alerts])

    def _post(self, alerts: Sequence[dict[str, Any]]) -> None:
        for part in _parts(alerts):
            body = msgspec.json.encode(part)
            require_taken(post(self._url, body, {"Content-Type": "application/json"}, private=True))


def posted(alert: Mapping[str, Any], ahead: timedelta, link: str = "") -> dict[str, Any]:
    """Write an alert as Alertmanager reads it; one that is open ends so long after now."""
    told = {
        "labels": {
            **_labels(alert.get("tags") or {}),
            "alertname": alert["rule"],
            "severity": alert["severity"],
            "subject": alert["subject"],
        },
        "annotations": {"summary": headline(alert), "description": described(alert)},
        "startsAt": alert["fired_at"],
        "endsAt": alert.get("resolved_at") or datetime.now(UTC) + ahead,
    }
    return told | ({"generatorURL": link} if link else {})


def _labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Make labels of tags: their names valid, and no two the same. Those without a value are left out."""
    labels: dict[str, str] = {}
    for tag, value in sorted(tags.items()):
        name = re.sub(r"\W", "_", tag, flags=re.ASCII)
        name = f"tag_{name}" if not name or name[0].isdigit() or name in _OURS else name
        while name in labels:
            name += "_"
        if value:
            labels[name] = str(value)
    return labels


def _test(message: Message) -> dict[str, Any]:
    return {
        "labels": {"alertname": "storemon_test", "severity": message.severity},
        "annotations": {"summary": message.title, "description": message.text},
        "endsAt": datetime.now(UTC) + timedelta(minutes=1),
    }


def _parts(alerts: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    return (alerts[place : place + _AT_ONCE] for place in range(0, len(alerts), _AT_ONCE))
