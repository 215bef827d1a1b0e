"""Hundreds of clients that are slow, or half gone, and the reports of others meanwhile."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.examples import examples
from tests.faults.conftest import Place
from tests.service.server import REAL, Server, running
from tests.service.test_connections import HALVES, LIVE, connected, open_files
from tests.service.waiting import report_of, trigger, until

_BEGUN = (
    b"",
    b"G",
    LIVE,
    LIVE + b"X-Slow: ",
    b"PUT /v1/hours HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
)


def pestered(server: Server, stack: ExitStack) -> None:
    """Have 200 that send half of a request, and 50 of each kind that are half gone."""
    for n in range(200):
        stack.enter_context(connected(server)).sendall(_BEGUN[n % len(_BEGUN)])
    for leave in HALVES.values():
        for _ in range(50):
            connection = stack.enter_context(connected(server))
            connection.sendall(LIVE + b"\r\n")
            leave(connection)


@pytest.mark.fault(
    "350 clients that are slow or half gone: no head, half of one, half of a body, nothing read, reset",
    "others ask for reports and download them as ever; each slow one is closed when its time is over",
)
@pytest.mark.parametrize("n", range(examples(5)))
def test_clients_that_are_slow_or_half_gone(place: Place, tmp_path: Path, n: int) -> None:
    reports = str(tmp_path / f"reports-{n}")
    with (
        running(*REAL, workers=1, STOREMON_REQUEST_TIME="4s", STOREMON_REPORTS=reports) as server,
        server.client() as client,
    ):
        until(lambda: client.get("/health/ready").status_code == 200)
        before = open_files(server)
        with ExitStack() as stack:
            pestered(server, stack)
            for _ in range(3):
                assert report_of(client, trigger(client)).content == place.expected
            until(lambda: open_files(server) <= before + 10)
        assert not server.logged("request failed")
