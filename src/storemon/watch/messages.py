"""What is sent to a channel."""

from typing import Any

import msgspec

from storemon.rules.rule import Severity


class Attached(msgspec.Struct, frozen=True):
    """A file that goes with a message: its ``name`` there, its media type, and its place on this machine."""

    name: str
    kind: str
    place: str


class Message(msgspec.Struct, frozen=True):
    """A message, the same whatever channel it takes.

    Attributes:
        id: of the notice. It stays the same when it is sent again, so who gets it twice can tell.
        title: one line.
        text: what a person reads.
        html: the same for readers of mail that show it; empty for none.
        severity: how urgent it is.
        data: what a program reads. Of a notice of alerts: ``kind``, ``rule`` and ``alerts``, each with ``id``,
            ``rule``, ``kind``, ``subject``, ``tags``, ``severity``, ``fired_at``, ``resolved_at`` (null while it
            fires), ``dropped`` (it ended as nobody watches it any more) and ``facts``; instants in ISO 8601.
        files: what goes with it.

    """

    id: str
    title: str
    text: str
    html: str = ""
    severity: Severity = "info"
    data: dict[str, Any] = {}
    files: tuple[Attached, ...] = ()
