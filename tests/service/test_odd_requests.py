"""What a client sends never reaches the last resort: odd requests, byte by byte, to a real service."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.server import REAL, Server, running

HOSTS = (
    "[::1",
    "a:b:c",
    "host:99999999",
    "%",
    "",
    "h\xe9",
    "[::1]:x",
    "a b",
    "[",
    "]",
    "a/b",
    "a@b",
    "[zz]",
    "x" * 300,
)
TARGETS = (
    *("/get_report", "/get_report?report_id=%ff", "/get_report?report_id=%00", "/get_report?report_id[]=1", "/ingest"),
    *("/get_report/%2e%2e", "/get_report/\xff", "/health", "/trigger_report?x=%zz", "/schema", "//", "/a//b", "*"),
    *("/nowhere", "http://[::1/health", "/ingest/%00", "/?" + "a=b&" * 200, "/get_report?report_id=1&report_id=2"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH")
FIELDS = (
    *(
        "Cookie: a=b; =; \xff",
        "Content-Type: application/json",
        "Content-Type: text/\xff; charset=nowhere",
        "Accept: \xff",
    ),
    *("Content-Type: multipart/form-data; boundary=", "Content-Type: application/x-www-form-urlencoded", "Host: twice"),
    *("If-None-Match: \xff", "Range: bytes=9-1", "X-Forwarded-Host: [", "Authorization: \xff", "Accept-Encoding: \xff"),
)
BODIES = (
    *(b"", b"\xff\xfe", b"{", b'{"path": 1}', b"[" * 3_000, b'{"path": "\\ud800"}', b'{"path": ' + b"9" * 5_000 + b"}"),
    *(b'{"path": "a", "path": "b"}', b"null", b'{"path": "\\u0000"}', b'{"path": null}', b"path=a", b"--x\r\n\r\n"),
)
REQUESTS = 1_500


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with running(*REAL) as server:
        yield server


def sent(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    return answer


def test_a_host_that_cannot_be_parsed(server: Server) -> None:
    for host in ("a:b:c", "host:99999999", "[::1]:x"):
        for target in ("/get_report", "/health"):
            request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            head, _, body = sent(server, request.encode()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 ")
            assert b"application/problem+json" in head
            assert b"the Host header cannot be parsed" in body


def test_odd_requests(server: Server) -> None:
    draw = random.Random(7)  # noqa: S311 - the same requests in every run
    for _ in range(REQUESTS):
        body = draw.choice(BODIES)
        host = draw.choice((*HOSTS, "localhost", "localhost:8000"))
        length = draw.choice((str(len(body)),) * 6 + ("-1", "x", str(len(body) // 2)))
        fields = [f"Host: {host}", "Connection: close", f"Content-Length: {length}"]
        fields += draw.sample(FIELDS, draw.randrange(3))
        lines = [f"{draw.choice(METHODS)} {draw.choice(TARGETS)} HTTP/1.{draw.randrange(2)}", *fields, "", ""]
        request = "\r\n".join(lines).encode("latin-1") + body
        answer = sent(server, request)
        assert not answer.startswith((b"HTTP/1.1 500", b"HTTP/1.0 500")), request
        assert b"Traceback" not in answer
    assert server.logged("request failed") == []
