"""Channels as people write them: tables of the file of rules, or bare addresses like ``mail:ops@example.org``."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from storemon.engine.question import require_one_of
from storemon.errors import InputError, LakeError
from storemon.units.addresses import masked
from storemon.watch.channels.channel import Channel, hidden
from storemon.watch.channels.kinds import KINDS, SECURITY, Table, read_server
from storemon.watch.channels.mail import Server
from storemon.watch.channels.variables import Variables
from storemon.watch.hours import Hours

_ANY = ("to", "hours", "zone")
_SCHEME = re.compile(r"([a-z][a-z0-9+]*):", re.IGNORECASE)
_SHORTEST = 6  # of what may be a token in an address of apprise


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
    try:
        netloc = urlsplit(name).netloc.rpartition("@")[2]
    except ValueError:  # it is no address, and will be refused as such
        netloc = "…"
    return f"{found[1]}://{netloc}/…"


def _scheme_of(table: Any) -> str:
    found = _SCHEME.match(str(table.get("to", ""))) if isinstance(table, Mapping) else None
    return found[1].lower() if found else ""


def _mailing(tables: Mapping[str, Any]) -> Any:
    """Give the first table of a mail server: bare addresses of mail go by that."""
    return next((table for table in tables.values() if _scheme_of(table) in SECURITY), None)


def _channel(called: str, name: str, written: Any, mailing: Any, environment: Mapping[str, str]) -> Channel:
    variables = Variables(environment)
    try:
        filled = {key: variables.filled(value) for key, value in _required(written).items()}
        scheme = _scheme_of(filled)
        require_one_of(scheme, list(KINDS), "kind of channel")
        also, make = KINDS[scheme]
        for key in filled:
            require_one_of(key, [*_ANY, *also], f"key of {scheme}:")
        table = msgspec.convert(filled, Table)
        way = make(table, _server(mailing, variables) if scheme == "mail" else None)
        return Channel(name, way, _hours(table), _secrets(table, variables))
    except msgspec.ValidationError as error:
        raise InputError(f"{called}: {error}") from None
    except (InputError, LakeError) as error:
        known = hidden(str(error), variables.secrets)
        raise InputError(f"{called}: {masked(known)}") from None  # what it came from may have secrets
    except ValueError:  # of what takes addresses apart; it tells all of them
        raise InputError(f"{called}: its address can't be read; encode what is odd in it, like %40 for @") from None


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


def _server(mailing: Any, variables: Variables) -> tuple[Server, str] | None:
    """Read the server that bare addresses of mail use, and who sends there."""
    if mailing is None:
        return None
    return read_server(variables.filled(str(mailing["to"]))), str(variables.filled(mailing.get("from", "")))
