"""Channels as people write them: tables of the file of rules, or bare addresses like ``mail:ops@example.org``."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from storemon.engine.question import require_one_of
from storemon.errors import InputError, LakeError
from storemon.lake.place import place_of
from storemon.units.addresses import masked
from storemon.watch.channels.alertmanager import Alertmanager
from storemon.watch.channels.apprise import Apprise
from storemon.watch.channels.channel import Channel, Way, hidden
from storemon.watch.channels.folder import Shelf
from storemon.watch.channels.mail import Mail, Security, Server
from storemon.watch.channels.posting import read_url
from storemon.watch.channels.variables import Variables
from storemon.watch.channels.webhook import Webhook, read_secrets
from storemon.watch.hours import Hours

_ANY = ("to", "hours", "zone")
_SECURITY: Mapping[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+tls": ("starttls", 587),
    "smtps": ("tls", 465),
}
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SCHEME = re.compile(r"([a-z][a-z0-9+]*):", re.IGNORECASE)
_SHORTEST = 6  # of what may be a token in an address of apprise


class Table(msgspec.Struct, rename={"from_": "from"}):
    """A table of a channel, filled in; which of its keys it may have depends on the kind."""

    to: str
    from_: str = ""
    recipients: list[str] = []
    secret: str = ""
    private: bool = False
    hours: str = ""
    zone: str = ""


class Channels:
    """The channels of a file of rules by their names, and those that bare addresses are."""

    def __init__(self, tables: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> None:
        """Read the tables, as `read_channels` does.

        Raises:
            InputError: one can't be understood.

        """
        self.named = read_channels(tables, environment)
        self._mailing, self._environment = _mailing(tables), environment
        self._bare: dict[str, Channel] = {}

    def get(self, name: str) -> Channel:
        """Give the channel of this name, or the one that a bare address is.

        Raises:
            InputError: there is none, or the address can't be understood.

        """
        if name in self.named or not is_address(name):
            require_one_of(name, sorted(self.named), "channel")
            return self.named[name]
        if name not in self._bare:
            told = shown(name)
            self._bare[name] = _channel(told, told, {"to": name}, self._mailing, self._environment)
        return self._bare[name]


def read_channels(tables: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> dict[str, Channel]:
    """Read the tables ``[channels.NAME]``, as tomllib gives them; ``${NAME}`` is taken from the environment.

    Raises:
        InputError: one can't be understood; the text names it, and tells no secrets.

    """
    mailing = _mailing(tables)
    return {name: _channel(f"channels.{name}", name, table, mailing, environment) for name, table in tables.items()}


def read_tables(file: Path) -> dict[str, Any]:
    """Read the tables of channels from a file of rules; none where there is no such file.

    Raises:
        InputError: it can't be read.

    """
    try:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: it can't be read: {error}") from error
    tables = whole.get("channels", {})
    if not isinstance(tables, dict):
        raise InputError(f"{file}: channels are tables; write each as [channels.NAME]")
    return tables


def is_address(text: str) -> bool:
    """Tell whether a text is a bare address, and no name of a channel."""
    return _SCHEME.match(text) is not None


def shown(name: str) -> str:
    """Write the name of a channel so that it can be told: of a bare address without what may be a secret."""
    found = _SCHEME.match(name)
    if found is None or found[1] in {"mail", "folder", "s3"}:
        return masked(name)
    if found[1] == "apprise":
        return f"apprise:{name.partition(':')[2].partition('://')[0]}://…"
    netloc = urlsplit(name).netloc.rpartition("@")[2]
    return f"{found[1]}://{netloc}/…"


def _scheme_of(table: Any) -> str:
    found = _SCHEME.match(str(table.get("to", ""))) if isinstance(table, Mapping) else None
    return found[1].lower() if found else ""


def _mailing(tables: Mapping[str, Any]) -> Any:
    """Give the first table of a mail server: bare addresses of mail go by that."""
    return next((table for table in tables.values() if _scheme_of(table) in _SECURITY), None)


def _channel(called: str, name: str, written: Any, mailing: Any, environment: Mapping[str, str]) -> Channel:
    variables = Variables(environment)
    try:
        filled = {key: variables.filled(value) for key, value in _required(written).items()}
        scheme = _scheme_of(filled)
        require_one_of(scheme, list(_KINDS), "kind of channel")
        also, make = _KINDS[scheme]
        for key in filled:
            require_one_of(key, [*_ANY, *also], f"key of {scheme}:")
        table = msgspec.convert(filled, Table)
        way = make(table, _server(mailing, variables) if scheme == "mail" else None)
        return Channel(name, way, _hours(table), _secrets(table, variables))
    except (InputError, LakeError, msgspec.ValidationError) as error:
        known = hidden(str(error), variables.secrets)
        raise InputError(f"{called}: {masked(known)}") from None  # what it came from may have secrets


def _required(written: Any) -> Mapping[str, Any]:
    if not isinstance(written, Mapping):
        raise InputError("it is no table; write [channels.NAME] and to = '…' below it")
    if not isinstance(written.get("to"), str):
        raise InputError("it does not say where to; write to = 'smtp+tls://…', 'https://…' or the like")
    return written


def _hours(table: Table) -> Hours | None:
    if bool(table.hours) != bool(table.zone):
        raise InputError("hours and their zone go together; write hours = 'Mon-Fri 08:00-20:00', zone = 'Europe/Paris'")
    return Hours.read(table.hours, table.zone) if table.hours else None


def _secrets(table: Table, variables: Variables) -> frozenset[str]:
    """Gather what must not be told: logins, secrets, and of apprise's addresses everything behind the scheme."""
    login, _, _ = urlsplit(table.to).netloc.rpartition("@")
    found = {unquote(login.partition(":")[2]), *table.secret.split()}
    if _scheme_of({"to": table.to}) == "apprise":
        found |= {each for each in re.split(r"[/@:?&=]+", table.to)[2:] if len(each) >= _SHORTEST}
    if _scheme_of({"to": table.to}) in {"http", "https"}:
        parts = urlsplit(table.to)
        found |= {each for each in (parts.path.strip("/"), parts.query) if len(each) >= _SHORTEST}
    return variables.secrets | found - {""}


def _smtp(table: Table, _: Any) -> Way:
    if not table.from_:
        raise InputError("a mail needs a sender; write from = 'storemon@example.org'")
    return Mail(_read_server(table.to), table.from_, table.recipients)


def _mail(table: Table, server: tuple[Server, str] | None) -> Way:
    recipients = [each for each in table.to.partition(":")[2].removeprefix("//").split(",") if each.strip()]
    reached, sender = server or (Server(), "storemon@localhost")
    return Mail(reached, table.from_ or sender, recipients)


def _server(mailing: Any, variables: Variables) -> tuple[Server, str] | None:
    """Read the server that bare addresses of mail use, and who sends there."""
    if mailing is None:
        return None
    return _read_server(variables.filled(str(mailing["to"]))), str(variables.filled(mailing.get("from", "")))


def _read_server(text: str) -> Server:
    parts = urlsplit(text)
    security, usual = _SECURITY[parts.scheme]
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


_KINDS: Mapping[str, tuple[Sequence[str], Callable[[Table, Any], Way]]] = {
    **dict.fromkeys(_SECURITY, (("from", "recipients"), _smtp)),
    "mail": (("from",), _mail),
    **dict.fromkeys(("https", "http"), (("secret", "private"), _webhook)),
    **dict.fromkeys(("alertmanager+http", "alertmanager+https"), ((), _alertmanager)),
    "apprise": ((), _apprise),
    "folder": ((), _folder),
    "s3": ((), _storage),
}
"""By the beginning of an address: the keys that its kind has besides those of all, and what reads it."""
