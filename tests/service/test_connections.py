"""Clients that are slow, or half gone, to a real server: nobody waits for them, and none of them stays for ever."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.service.server import REAL, Server, running
from tests.service.waiting import until

MANY = 200
LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)
    with running(*REAL, STOREMON_REQUEST_TIME="3s") as server:
        with server.client() as client:
            until(lambda: client.get("/health/live").is_success)
        yield server


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30)


def open_files(server: Server) -> int:
    return len([*Path(f"/proc/{server.process.pid}/fd").iterdir()])


def read_to_its_end(connection: socket.socket) -> None:
    with suppress(ConnectionError):
        while connection.recv(1 << 16):
            pass


def test_many_heads_that_never_end(server: Server) -> None:
    before = open_files(server)
    begun = (b"", b"G", LIVE, LIVE + b"X-Slow: ", b"POST /v1/reports HTTP/1.1\r\nHost: localhost\r\n")
    with ExitStack() as stack, server.client() as client:
        slow = [stack.enter_context(connected(server)) for _ in range(MANY)]
        for place, connection in enumerate(slow):
            connection.sendall(begun[place % len(begun)])
        assert {client.get("/health/live").status_code for _ in range(50)} == {200}
        for connection in slow:
            read_to_its_end(connection)
        until(lambda: open_files(server) <= before + 5)


def test_a_head_that_comes_letter_by_letter(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(LIVE + b"X-Slow: ")
        with suppress(ConnectionError):
            for _ in range(600):
                connection.sendall(b"x")
                time.sleep(0.05)
            pytest.fail("it goes on for ever")


def test_a_head_that_is_too_large(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(LIVE + b"X-Large: " + b"x" * 100_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_who_takes_a_while_between_requests_is_answered(server: Server) -> None:
    with connected(server) as connection:
        for _ in range(4):
            connection.sendall(LIVE + b"\r\n")
            answer = b""
            while not answer.endswith(b'"live"}'):
                answer += connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200 ")
            time.sleep(0.9)


HALVES: dict[str, Callable[[socket.socket], None]] = {
    "no more is sent": lambda connection: connection.shutdown(socket.SHUT_WR),
    "nothing is read": lambda connection: connection.shutdown(socket.SHUT_RD),
    "reset": lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
}


@pytest.mark.parametrize("half", HALVES)
def test_many_that_are_half_gone(server: Server, half: str) -> None:
    before = open_files(server)
    body = b"PUT /v1/hours HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
    with server.client() as client:
        for request in (LIVE + b"\r\n", body):
            with ExitStack() as stack:
                gone = [stack.enter_context(connected(server)) for _ in range(50)]
                for connection in gone:
                    connection.sendall(request)
                    HALVES[half](connection)
                    if half == "reset":
                        connection.close()
                assert {client.get("/health/live").status_code for _ in range(20)} == {200}
                until(lambda: open_files(server) <= before + 5)
    assert server.logged("request failed") == []
