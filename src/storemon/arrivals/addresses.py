"""The address of a source, like ``kafka://user:password@host:9092/polls?group=storemon``, taken apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from storemon.errors import InputError


@dataclass(frozen=True)
class Address:
    """A source: ``hosts`` as they are written, ``path`` without its first slash, ``options`` from behind the ``?``."""

    scheme: str
    hosts: str
    path: str
    options: Mapping[str, str]
    user: str
    password: str

    @classmethod
    def read(cls, url: str) -> Self:
        """Take an address apart.

        Raises:
            InputError: it names no scheme, or an option twice or without a value. Its text has no secrets.

        """
        parts = urlsplit(url)
        if not parts.scheme or "://" not in url:
            raise InputError(
                "this is no address to listen to; write it like kafka://HOST:9092/TOPIC, amqp://HOST?queue=QUEUE, "
                "nats://HOST:4222/SUBJECT or folder://data/incoming"
            )
        login, _, hosts = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(pairs)
        wrong = [name for name, value in pairs if not value] + ([""] if len(options) < len(pairs) else [])
        if wrong:
            raise InputError(f"{parts.scheme}://{hosts}: each option once, with a value: ?NAME=VALUE&NAME=VALUE")
        return cls(parts.scheme, hosts, unquote(parts.path[1:]), options, unquote(user), unquote(password))

    @property
    def name(self) -> str:
        """What the source is called where people read it: without login and options, so without secrets."""
        return f"{self.scheme}://{self.hosts}/{self.path}"

    def require_only(self, *names: str) -> None:
        """Refuse options that mean nothing here.

        Raises:
            InputError: there are some.

        """
        unknown = sorted(self.options.keys() - {*names})
        if unknown:
            raise InputError(f"{self.name}: there is no option {', '.join(unknown)}; there are: {', '.join(names)}")

    def without_secrets(self, text: str) -> str:
        """Put stars in the place of the password, wherever a library's message has it."""
        secrets = [self.password, *(value for name, value in self.options.items() if "password" in name)]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text
