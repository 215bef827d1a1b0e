import base64
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from storemon.errors import ChannelError, InputError
from storemon.watch.channels.posting import is_public, read_url
from storemon.watch.channels.reading import read_channels
from storemon.watch.channels.webhook import Webhook, read_secrets
from storemon.watch.messages import Attached, Message
from tests.watch.receiving import Answering, Hook
from tests.watch.told import alert, message

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
RAW = b"0123456789abcdef0123456789abcdef"


def webhook(hook: Hook, secret: str = "", limit_s: float = 20) -> Webhook:
    return Webhook(read_url(hook.url), read_secrets(secret), private=True, limit_s=limit_s)


def refused(way: Webhook, sent: Message | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        way.send(sent or message())
    return failed.value


def saying(status: int, body: bytes = b"", **headers: str) -> Answering:
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_what_is_posted_is_signed_as_standard_webhooks_say(hook: Hook) -> None:
    webhook(hook, f"{SECRET} an-older-one").send(message("n1"))
    (posted,) = hook.posted
    assert posted.path == "/hook"
    assert posted.headers["webhook-id"] == "n1"
    assert posted.headers["content-type"] == "application/json"
    assert len(posted.headers["webhook-signature"].split()) == 2
    assert posted.signed_by(RAW)
    assert posted.signed_by(b"an-older-one")
    assert not posted.signed_by(b"another")
    assert posted.json["type"] == "notice.fired"
    data = posted.json["data"]
    assert (data["id"], data["rule"], data["severity"]) == ("n1", "down", "critical")
    assert data["alerts"] == [alert()]


def test_the_signature_is_that_of_the_specification() -> None:
    from storemon.watch.channels.webhook import signatures  # noqa: PLC0415

    secret = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}', secret)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_it_is_not_signed(hook: Hook) -> None:
    webhook(hook).send(message())
    assert "webhook-signature" not in hook.posted[0].headers


def test_files_come_with_it(hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"\x00\xff")
    sent = Message("n1", "t", "x", data={"kind": "answer"}, files=(Attached("week.xlsx", "text/x", str(file)),))
    webhook(hook).send(sent)
    assert hook.posted[0].json["data"]["files"] == [{"name": "week.xlsx", "kind": "text/x", "base64": "AP8="}]
    file.unlink()
    assert "week.xlsx can't be read" in str(refused(webhook(hook), sent))


@pytest.mark.parametrize(
    ("status", "again", "why"),
    [
        (500, True, "it answers 500"),
        (503, True, "it answers 503"),
        (408, True, "it answers 408"),
        (429, True, "it answers 429"),
        (400, False, "check its address, its secret"),
        (404, False, "it answers 404"),
        (410, False, "nobody is there any more; remove this channel"),
        (302, False, "a redirect, and those are not followed"),
    ],
)
def test_what_is_tried_again(hook: Hook, status: int, again: bool, why: str) -> None:  # noqa: FBT001
    hook.answer = saying(status, b"no way", Location="http://127.0.0.1:1/")
    error = refused(webhook(hook))
    assert error.again is again
    assert why in str(error)
    assert "(no way)" in str(error)
    assert len(hook.posted) == 1


@pytest.mark.parametrize(("asked", "least", "most"), [("120", 120, 120), ("Wed, 21 Oct 2099 07:28:00 GMT", 1e6, 1e10)])
def test_how_long_to_wait_is_heard(hook: Hook, asked: str, least: float, most: float) -> None:
    hook.answer = saying(429, Retry_After=asked)
    after_s = refused(webhook(hook)).after_s
    assert after_s is not None
    assert least <= after_s <= most


@pytest.mark.parametrize("asked", ["soon", "", "-5"])
def test_a_wait_that_can_not_be_read_is_none(hook: Hook, asked: str) -> None:
    hook.answer = saying(503, Retry_After=asked)
    assert refused(webhook(hook)).after_s is None


def test_a_long_answer_is_not_read_to_its_end(hook: Hook) -> None:
    hook.answer = saying(400, b"\x1b[2Jx" * 1_000_000)
    told = str(refused(webhook(hook)))
    assert len(told) < 400
    assert told.isprintable()


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_who_does_not_answer_is_left(hook: Hook, how: str) -> None:
    setattr(hook, how, True)
    error = refused(webhook(hook, limit_s=0.3))
    assert error.again
    assert "longer than 0.3 s" in str(error)


def test_who_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = refused(Webhook(read_url(f"http://127.0.0.1:{port}/"), private=True))
    assert error.again
    assert "can't be reached" in str(error)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.9",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "168.63.129.16",
    ],
)
def test_private_addresses_are_refused(host: str) -> None:
    error = refused(Webhook(read_url(f"http://{host}:9/hook")))
    assert not error.again
    assert "private = true" in str(error)


def test_public_addresses_are_not() -> None:
    assert is_public(ip_address("93.184.216.34"))
    assert is_public(ip_address("2606:2800:220:1:248:1893:25c8:1946"))
    assert is_public(ip_address("::ffff:93.184.216.34"))
    assert is_public(ip_address("64:ff9b::5db8:d822"))
    assert not is_public(ip_address("224.0.0.1"))
    assert not is_public(ip_address("240.0.0.1"))


def test_a_name_that_leads_elsewhere_a_moment_later(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for the name is asked once, and what is connected to is that answer."""
    asked = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "192.0.2.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    reached: list[Any] = []

    def connect(_: socket.socket, place: Any) -> None:
        reached.append(place)
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket.socket, "connect", connect)
    way = Webhook(read_url(f"http://hooks.example.org:{hook.port}/"))
    monkeypatch.setattr("storemon.watch.channels.posting.is_public", lambda address: str(address) == "192.0.2.1")
    assert refused(way).again
    assert not refused(way).again
    assert [place[0] for place in reached] == ["192.0.2.1"]
    assert hook.posted == []


def test_of_several_addresses_only_public_ones_are_tried(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, hook.port)) for address in ("10.0.0.1", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    monkeypatch.setattr("storemon.watch.channels.posting.is_public", lambda address: str(address) == "127.0.0.1")
    Webhook(read_url(f"http://hooks.example.org:{hook.port}/hook")).send(message("n1"))
    assert hook.posted[0].headers["webhook-id"] == "n1"
    assert hook.posted[0].headers["host"] == f"hooks.example.org:{hook.port}"


def test_a_proxy_of_the_environment_is_not_used(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    webhook(hook).send(message())
    assert len(hook.posted) == 1


def test_a_certificate_is_looked_at(hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.watch.receiving import certificate_of  # noqa: PLC0415

    certificate = certificate_of(tmp_path, "localhost")
    hook.secure(certificate.context())
    way = Webhook(read_url(f"https://localhost:{hook.port}/hook"), private=True)
    error = refused(way)
    assert error.again
    assert "the certificate of localhost is not trusted" in str(error)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    way.send(message("n1"))
    assert hook.posted[-1].headers["webhook-id"] == "n1"


def test_a_login_in_the_address_is_sent_and_not_told(hook: Hook) -> None:
    url = hook.url.replace("http://", "http://us:${PASSWORD}@")
    channel = read_channels({"hook": {"to": url, "private": True}}, {"PASSWORD": "p@ss/word#1"})["hook"]
    channel.send(message())
    assert base64.b64decode(hook.posted[0].headers["authorization"].removeprefix("Basic ")) == b"us:p@ss/word#1"
    hook.answer = saying(400, b"who is us:p@ss/word#1?")
    with pytest.raises(ChannelError, match=r"who is us:\*\*\*\?"):
        channel.send(message())


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_", "fine whsec_?"])
def test_a_secret_that_was_copied_badly(secret: str) -> None:
    with pytest.raises(InputError, match="copy it once more"):
        read_secrets(secret)


@pytest.mark.parametrize("url", ["https://", "ftp://x/", "https://h:x/", "https://h:70000/", "https://h/\r\nX: y", "h"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InputError, match="no address to post to"):
        read_url(url)
