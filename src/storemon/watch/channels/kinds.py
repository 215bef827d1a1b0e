"""The kinds of channels: by the beginning of an address, the keys that a table of it may have, and what reads it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from storemon.errors import InputError
from storemon.lake.place import place_of
from storemon.watch.channels.alertmanager import Alertmanager
from storemon.watch.channels.apprise import Apprise
from storemon.watch.channels.channel import Way
from storemon.watch.channels.folder import Shelf
from storemon.watch.channels.mail import Mail, Security, Server
from storemon.watch.channels.posting import read_url
from storemon.watch.channels.webhook import Webhook, read_secrets

SECURITY: Mapping[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+tls": ("starttls", 587),
    "smtps": ("tls", 465),
}
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Table(msgspec.Struct, rename={"from_": "from"}):
    """A table of a channel, filled in; which of its keys it may have depends on the kind."""

    to: str
    from_: str = ""
    recipients: list[str] = []
    secret: str = ""
    private: bool = False
    hours: str = ""
    zone: str = ""


def _smtp(table: Table, _: Any) -> Way:
    if not table.from_:
        raise InputError("a mail needs a sender; write from = 'storemon@example.org'")
    return Mail(read_server(table.to), table.from_, table.recipients)


def _mail(table: Table, server: tuple[Server, str] | None) -> Way:
    recipients = [each for each in table.to.partition(":")[2].removeprefix("//").split(",") if each.strip()]
    reached, sender = server or (Server(), "storemon@localhost")
    return Mail(reached, table.from_ or sender, recipients)


def read_server(text: str) -> Server:
    """Read the address of a mail server.

    Raises:
        InputError: it is none, or would have a password sent in the open. The text has no secrets.

    """
    parts = urlsplit(text)
    security, usual = SECURITY[parts.scheme]
    try:
        port = parts.port or usual
    except ValueError:
        port = 0
    if not parts.hostname or not port or parts.path.strip("/") or parts.query:
        raise InputError("this is no mail server; write it like smtp+tls://user:${SMTP_PASSWORD}@mail.example.org:587")
    if parts.username and security == "none" and parts.hostname not in _HERE:
        raise InputError("a password is not sent in the open; write smtp+tls:// or smtps:// in place of smtp://")
    return Server(parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or ""))


def _webhook(table: Table, _: Any) -> Way:
    return Webhook(read_url(table.to), read_secrets(table.secret), private=table.private)


def _alertmanager(table: Table, _: Any) -> Way:
    return Alertmanager(read_url(table.to[len("alertmanager+") :]))


def _apprise(table: Table, _: Any) -> Way:
    url = table.to.partition(":")[2]
    if "://" not in url:
        raise InputError("apprise needs one of its addresses; write it like apprise:slack://TOKEN_A/TOKEN_B/TOKEN_C")
    return Apprise(url)


def _folder(table: Table, _: Any) -> Way:
    where = table.to.partition(":")[2]
    if not where:
        raise InputError("this names no folder; write it like folder:reports/weekly")
    return Shelf(place_of(where))


def _storage(table: Table, _: Any) -> Way:
    if not table.to.startswith("s3://"):
        raise InputError("this names no bucket; write it like s3://bucket/path")
    return Shelf(place_of(table.to))


KINDS: Mapping[str, tuple[Sequence[str], Callable[[Table, Any], Way]]] = {
    **dict.fromkeys(SECURITY, (("from", "recipients"), _smtp)),
    "mail": (("from",), _mail),
    **dict.fromkeys(("https", "http"), (("secret", "private"), _webhook)),
    **dict.fromkeys(("alertmanager+http", "alertmanager+https"), ((), _alertmanager)),
    "apprise": ((), _apprise),
    "folder": ((), _folder),
    "s3": ((), _storage),
}
"""By the beginning of an address: the keys that its kind has besides those of all, and what reads it."""
