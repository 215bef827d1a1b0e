"""Posting to an address over HTTP: no redirect, no proxy, an end in time, and only to hosts that may be asked.

Whether a host may be asked is decided by the address that is connected to, not by its name: a name can lead elsewhere
a moment later.
"""

import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from storemon.errors import ChannelError, InputError
from storemon.watch.channels.limits import within

LIMIT_SECONDS = 20.0
_CONNECT_SECONDS = 5.0  # to each address of a host, and between two packets
_MOST_READ = 1 << 16
_MOST_TOLD = 200
_LATER = frozenset({408, 425, 429})
_ODD = frozenset({ip_address("168.63.129.16")})
"""Public by its number, but inside of every machine of a cloud."""
_MAPPING = ip_network("64:ff9b::/96")
_ELSEWHERE = ", which is none of the public internet; if that is meant, write private = true"

IpAddress = IPv4Address | IPv6Address


class Answer(NamedTuple):
    """What a server said: its status, the beginning of the body, and how long it asks to wait."""

    status: int
    said: str
    after_s: float | None


def read_url(text: str) -> SplitResult:
    """Take an http:// or https:// address apart.

    Raises:
        InputError: it is none. The text has no secrets.

    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or not text.isprintable():
        raise InputError("this is no address to post to; write it like https://hooks.example.org/path")
    return parts


def post(
    url: SplitResult, body: bytes, headers: Mapping[str, str], *, private: bool, limit_s: float = LIMIT_SECONDS
) -> Answer:
    """Post to an address, once.

    Raises:
        ChannelError: it can't be reached, may not be, or does not answer in time.

    """
    with _telling(url):
        connection = _connection(url, private=private)
        try:
            with within(limit_s, lambda: connection.sock):
                target = (url.path or "/") + (f"?{url.query}" if url.query else "")
                connection.request("POST", target, body, {**headers, **_login(url), "User-Agent": "storemon"})
                answer = connection.getresponse()
                said = answer.read(_MOST_READ)
            return Answer(answer.status, _printable(said), _after(answer.getheader("Retry-After")))
        finally:
            connection.close()


def require_taken(answer: Answer) -> None:
    """Let an answer pass that says that all is well.

    Raises:
        ChannelError: it says something else.

    """
    status, said, after_s = answer
    if 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls successful
        return
    what = f"it answers {status}" + (f" ({said})" if said else "")
    if 300 <= status < 400:  # noqa: PLR2004 - and a redirection
        raise ChannelError(f"{what}, a redirect, and those are not followed; name the last address itself", again=False)
    if status == 410:  # noqa: PLR2004 - Gone: whoever is there wants no more
        raise ChannelError(f"{what}: nobody is there any more; remove this channel", again=False)
    again = status >= 500 or status in _LATER  # noqa: PLR2004 - the server's own trouble
    advice = "" if again else "; check its address, its secret and what it takes"
    raise ChannelError(what + advice, again=again, after_s=after_s)


def _connection(url: SplitResult, *, private: bool) -> HTTPConnection:
    def connect(host: str, port: int) -> socket.socket:
        return _connected(host, port, lambda address: private or is_public(address))

    host = url.hostname or ""
    if url.scheme == "http":
        return _Plain(connect, host, url.port)
    return _Secure(connect, host, url.port)


class _Plain(HTTPConnection):
    """A connection to nothing but an address that may be asked."""

    def __init__(self, reach: Callable[[str, int], socket.socket], host: str, port: int | None) -> None:
        super().__init__(host, port)
        self._reach = reach

    def connect(self) -> None:
        """Connect."""
        self.sock = self._reach(self.host, self.port)


class _Secure(HTTPSConnection):
    """The same by TLS, with a look at the certificate."""

    def __init__(self, reach: Callable[[str, int], socket.socket], host: str, port: int | None) -> None:
        super().__init__(host, port)
        self._reach = reach

    def connect(self) -> None:
        """Connect."""
        self.sock = self._reach(self.host, self.port)
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _connected(host: str, port: int, may_be: Callable[[IpAddress], bool]) -> socket.socket:
    failure: Exception = OSError("it has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = ip_address(str(place[0]).partition("%")[0])
        if not may_be(address):
            failure = ChannelError(f"{host} leads to {address}{_ELSEWHERE}", again=False)
            continue
        reached = socket.socket(family, kind, protocol)
        reached.settimeout(_CONNECT_SECONDS)
        try:
            reached.connect(place)
        except OSError as error:
            reached.close()
            failure = error
        else:
            return reached
    raise failure


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is of the public internet, and so are those that it stands for."""
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _MAPPING:
            inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if not all(is_public(each) for each in inner if each is not None):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and address not in _ODD


@contextmanager
def _telling(url: SplitResult) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate of {url.hostname} is not trusted: {error.verify_message}"
        raise ChannelError(f"{why}; renew it, or name who signed it in SSL_CERT_FILE") from error
    except (OSError, HTTPException, ValueError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise ChannelError(f"{url.hostname} can't be reached: {why}") from error


def _login(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    login = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def _printable(body: bytes) -> str:
    text = " ".join(body[: 4 * _MOST_TOLD].decode("utf-8", "replace").split())
    return "".join(each for each in text if each.isprintable())[:_MOST_TOLD]


def _after(text: str | None) -> float | None:
    """Read how long to wait: seconds, or a date; what can't be read is as if it were not there."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
