"""How much may be asked: how often, how large, how long, and how many answers at once."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.exceptions import TooManyRequestsException
from litestar.testing import TestClient

from storemon.errors import InputError
from storemon.intake.lake import Lake
from storemon.questions import outages
from storemon.records.keys import opened_keys
from storemon.service.app import create_app
from storemon.service.door import limits
from storemon.service.door.limits import Rates, address_of
from storemon.settings import Settings
from storemon.stopping import check
from storemon.units.rates import Allowance, Rate, parse_rate
from tests.service.issuer import bearing, in_file, token
from tests.service.server import REAL, running

Client = TestClient[Litestar]
RATE = Rate("5/1h")


@contextmanager
def serving(settings: Settings, **more: Any) -> Iterator[Client]:
    with TestClient(create_app(msgspec.structs.replace(settings, **more))) as client:
        yield client


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give a clock that stands still, its one element."""
    told = [1000.0]
    monkeypatch.setattr("storemon.service.door.limits.time.monotonic", lambda: told[0])
    return told


def let_in(rates: Rates, name: str = "one") -> bool:
    try:
        rates.require(name, 1)
    except TooManyRequestsException:
        return False
    return True


def test_a_bucket_fills_up_evenly(now: list[float]) -> None:
    rates = Rates(Allowance(6, timedelta(minutes=1)))
    assert [let_in(rates) for _ in range(8)] == [True] * 6 + [False] * 2
    with pytest.raises(TooManyRequestsException, match="come again in 10 s") as refused:
        rates.require("one")
    assert refused.value.headers == {"Retry-After": "10"}
    assert let_in(rates, "another")
    now[0] += 9.5
    with pytest.raises(TooManyRequestsException, match="come again in 1 s"):
        rates.require("one")
    now[0] += 0.5
    assert [let_in(rates) for _ in range(2)] == [True, False]
    now[0] += 3600
    assert [let_in(rates) for _ in range(8)] == [True] * 6 + [False] * 2, "no more than there is room for"


def test_what_was_done_is_counted(now: list[float]) -> None:
    rates = Rates(Allowance(6, timedelta(minutes=1)))
    for _ in range(5):
        rates.use_up("one", 3)
    now[0] += 39
    assert not let_in(rates), "three are owed, and one is asked for"
    now[0] += 1
    assert let_in(rates)


def test_many_who_ask_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_NAMES", 100)
    rates = Rates(Allowance(1, timedelta(hours=1)))
    for number in range(1000):
        assert let_in(rates, f"address {number}")
        rates.use_up("asks all the time", 1)
    assert len(rates._full_at) == 100
    assert not let_in(rates, "asks all the time")


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("192.0.2.1", "address 192.0.2.1"),
        ("2001:db8::1", "address 2001:db8::/64"),
        ("2001:db8::ffff:1", "address 2001:db8::/64"),
        ("::ffff:192.0.2.1", "address 192.0.2.1"),
        ("unix", "address unix"),
        (None, "address "),
    ],
)
def test_an_address(host: str | None, named: str) -> None:
    scope: Any = {"client": None if host is None else (host, 1)}
    assert address_of(scope) == named


@pytest.mark.parametrize(
    "text", ["", "5", "5/", "/1m", "0/1m", "-1/1m", "1.5/1m", "5/0s", "5/m", "²/1m", "9" * 20 + "/1m"]
)
def test_a_rate_that_is_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_rate(text)
    assert parse_rate("off") is None
    assert parse_rate(" 600 / 1m ") == Allowance(600, timedelta(minutes=1))


def test_who_asks_too_often(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - there are polls
    with serving(settings, rate=RATE) as client:
        assert [client.get("/v1/reports").status_code for _ in range(7)] == [200] * 5 + [429] * 2
        answer = client.get("/v1/reports")
        assert answer.json()["type"] == "docs/problems.md#too-often"
        assert 1 <= int(answer.headers["retry-after"]) <= 720
        assert client.post("/trigger_report").json().keys() == {"status", "title", "detail"}
        for path in ("/health", "/health/live", "/health/ready", "/schema"):
            assert {client.get(path).status_code for _ in range(7)} == {200}


def test_each_key_counts_for_itself(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - as above
    with opened_keys(settings) as keys:
        one, other = ({"X-API-Key": keys.create("reader")[1]} for _ in range(2))
    with serving(settings, rate=RATE) as client:
        for headers in (one, other):
            assert [client.get("/v1/reports", headers=headers).status_code for _ in range(6)] == [200] * 5 + [429]


def test_who_guesses_is_slowed_down(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - as above
    with opened_keys(settings) as keys:
        good = {"X-API-Key": keys.create("reader")[1]}
    with serving(settings, rate=Rate("30/1h")) as client:
        wrong = {"Authorization": f"Bearer storemon_{'0' * 12}_{'x' * 43}"}
        assert [client.get("/v1/reports", headers=wrong).status_code for _ in range(5)] == [401] * 3 + [429] * 2
        assert client.get("/v1/reports", headers=good).status_code == 429, "whether a guess is right is not told either"
        assert client.get("/health").status_code == 200


def test_who_tries_tokens_is_slowed_down(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - as above
    """Also with those that are good and say too little."""
    with serving(settings, rate=Rate("30/1h"), **in_file(Path("jwks.json"))) as client:
        for wrong in (token(role="king"), token(exp=1)):
            assert client.get("/v1/reports", headers=bearing(wrong)).status_code in {401, 403}
        assert client.get("/v1/reports").status_code == 401
        assert client.get("/v1/reports", headers=bearing(token())).status_code == 429


def test_no_limit_by_default(client: Client) -> None:
    assert {client.get("/v1/reports").status_code for _ in range(300)} == {200}


def test_whose_address_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy tells it, if it is one that is believed."""
    monkeypatch.chdir(tmp_path)

    def statuses(**environ: Any) -> list[int]:
        with running(*REAL, STOREMON_RATE="2/1h", **environ) as server, server.client() as client:
            asked_for = [*[f"192.0.2.{number}" for number in range(4)], "192.0.2.0", "192.0.2.0"]
            return [client.get("/v1/reports", headers={"X-Forwarded-For": host}).status_code for host in asked_for]

    assert statuses() == [200, 200, 429, 429, 429, 429]
    assert statuses(STOREMON_PROXIES="127.0.0.0/8") == [200, 200, 200, 200, 200, 429]
    assert statuses(STOREMON_PROXIES="192.0.2.7") == [200, 200, 429, 429, 429, 429]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """Let each answer wait at its beginning: for the second event, once the first one has been set."""
    begun, goes_on = Event(), Event()

    answer = outages.answer

    def ask(*given: Any) -> Any:
        begun.set()
        while not goes_on.wait(0.01):
            check()
        return answer(*given)

    monkeypatch.setattr("storemon.service.v1.answers.outages.answer", ask)
    yield begun, goes_on
    goes_on.set()


def test_few_answers_at_once(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    held: tuple[Event, Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_WAIT_SECONDS", 0.3)
    begun, goes_on = held
    with serving(settings, answers=1) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/v1/outages")
        assert begun.wait(10)
        refused = client.get("/v1/stores")
        assert (refused.status_code, refused.json()["type"]) == (503, "docs/problems.md#busy")
        assert "retry-after" in refused.headers
        for method, path in (
            *(("GET", "/health"), ("GET", "/v1/reports"), ("POST", "/trigger_report"), ("POST", "/v1/reports")),
            *(("GET", f"/get_report?report_id={'0' * 8}-0000-4000-8000-{'0' * 12}"), ("GET", "/v1/maintenance")),
        ):
            assert client.request(method, path).status_code in {200, 202, 404}, "these wait for no answer"
        goes_on.set()
        assert first.result().status_code == 200
        assert client.get("/v1/stores").status_code == 200


def test_an_answer_that_takes_too_long(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    held: tuple[Event, Event],  # noqa: ARG001 - it waits for ever
) -> None:
    with serving(settings, answers=1, answer_time=timedelta(seconds=1)) as client:
        answer = client.get("/v1/outages")
        assert (answer.status_code, answer.json()["type"]) == (504, "docs/problems.md#took-too-long")
        assert "POST /v1/reports" in answer.json()["detail"]
        assert client.get("/v1/stores").status_code == 200, "its place is free again"


def test_a_thread_that_does_not_let_go(
    settings: Settings,
    lake: Lake,  # noqa: ARG001 - as above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its request is answered, and its place is free when it is through, not before."""
    goes_on = Event()
    monkeypatch.setattr("storemon.service.v1.answers.outages.answer", lambda *_: goes_on.wait(20))
    monkeypatch.setattr(limits, "_LET_GO_SECONDS", 0.1)
    monkeypatch.setattr(limits, "_WAIT_SECONDS", 0.1)
    with serving(settings, answers=1, answer_time=timedelta(seconds=1)) as client:
        assert client.get("/v1/outages").status_code == 504
        assert client.get("/v1/stores").status_code == 503
        goes_on.set()
        monkeypatch.setattr(limits, "_WAIT_SECONDS", 10)
        assert client.get("/v1/stores").status_code == 200


def test_a_real_answer_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clocks of ten thousand years, which take a minute: the thread lets go in the midst of them."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/store_status.csv").write_text("store_id,status,timestamp_utc\n1,active,2024-10-14 20:00:00 UTC\n")
    Lake("parquet").ingest("data")
    asked = {"from": "0002-01-01", "to": "9998-01-01", "as_of": "9998-01-01T00:00:00Z"}
    with running(*REAL, STOREMON_ANSWERS="1", STOREMON_ANSWER_TIME="1s") as server, server.client() as client:
        assert client.get("/v1/hour-of-week", params=asked).status_code == 504
        assert client.get("/v1/stores").status_code == 200
    with running(*REAL, STOREMON_ANSWERS="1", STOREMON_ANSWER_TIME="1h") as server, server.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/v1/hour-of-week", params=asked, timeout=1)
        assert client.get("/v1/stores").status_code == 200, "for who has left nothing is computed any more"


def test_a_client_that_does_not_read_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of many ranges waits for its reader, and others are answered meanwhile; then it is cut off."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    polls = "".join(f"{number},active,2024-10-14 20:00:00 UTC\n" for number in range(300))
    Path("data/store_status.csv").write_text("store_id,status,timestamp_utc\n" + polls)
    Lake("parquet").ingest("data")
    few: dict[str, Any] = {"STOREMON_ANSWERS": "1", "STOREMON_MEMORY": "20MB", "STOREMON_REQUEST_TIME": "3s"}
    with running(*REAL, **few) as server, server.client() as client, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
        path = "/v1/report?from=2024-01-01&to=2024-10-01&every=hour&format=ndjson"
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 200 OK")
        assert client.get("/v1/stores?limit=1").status_code == 200
        end = time.monotonic() + 30
        while not [line for line in server.logged("request") if line["path"] == path]:
            assert time.monotonic() < end
            assert client.get("/v1/stores?limit=1").status_code == 200
            time.sleep(0.2)


def test_a_body_that_is_too_large(settings: Settings) -> None:
    with serving(settings, body="1KB") as client:
        for path, told in (("/v1/hours", "docs/problems.md#too-large"), ("/ingest", None)):
            method = "PUT" if path == "/v1/hours" else "POST"
            for body in (b"x" * 1001, iter([b"x" * 600] * 2)):
                answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
                assert (answer.status_code, answer.json().get("type")) == (413, told)


def test_a_body_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    with running(*REAL, STOREMON_REQUEST_TIME="1s") as server:
        for method, path in (("PUT", "/v1/hours"), ("POST", "/v1/reports"), ("POST", "/ingest")):
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as slow:
                head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                slow.sendall(f"{head}Content-Length: 100\r\n\r\n[".encode())
                answer = b""
                while part := slow.recv(1 << 16):
                    answer += part
                assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
                assert b"problem+json" in answer
                assert (b"docs/problems.md#body-too-slow" in answer) == path.startswith("/v1")
        assert server.logged("request failed") == []
