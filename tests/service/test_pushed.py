"""Polls that are sent over HTTP, in every form, by every kind of client; and none of them lost, whatever dies."""

import base64
import gzip
import io
import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import polars as pl
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from storemon.intake.pushed.reading import Format, Pushed, read_polls
from storemon.lake.schemas import POLLS as TABLE
from storemon.lake.tables import Tables
from storemon.records.inbox import Inbox
from storemon.records.keys import opened_keys
from storemon.records.opening import opened_records
from storemon.service import arriving
from storemon.service.logs import RequestLog
from storemon.settings import Settings
from tests.examples import DEEP
from tests.postgres import Postgres
from tests.service.server import REAL, running
from tests.service.waiting import until

AT = "2024-10-14T20:00:00Z"
LINE = "store_status,store_id=s active=true 1728936000\n"
KILLS = 40 if DEEP else 3
Client = TestClient[Litestar]


def poll(store: str, status: str = "active") -> dict[str, str]:
    return {"store_id": store, "status": status, "timestamp_utc": AT}


def in_lake(settings: Settings) -> list[str]:
    """List the store of every poll that is in the lake."""
    read = Tables(settings.lake).open(TABLE)
    rows = read.scan(read.files.drop_nulls("polled_on")["path"].to_list()).collect()
    ids = dict(Lake(settings.lake).snapshot().stores().select("store_key", "store_id").rows())
    return sorted(ids[key] for key in rows["store_key"])


def waiting(settings: Settings) -> int:
    records = opened_records(settings)
    try:
        return Inbox(records, most=1).waiting().batches
    finally:
        records.dispose()


def arrow(*stores: str, compression: Literal["uncompressed", "zstd"] = "uncompressed") -> bytes:
    instants = [datetime(2024, 10, 14, 20, tzinfo=UTC)] * len(stores)
    frame = pl.DataFrame({"store_id": [*stores], "status": ["active"] * len(stores), "timestamp_utc": instants})
    file = io.BytesIO()
    frame.write_ipc_stream(file, compression=compression, compat_level=pl.CompatLevel.oldest())
    return file.getvalue()


CSV = f"store_id,status,timestamp_utc\na,active,{AT}\nb,inactive,{AT}\n".encode()
OBJECTS = json.dumps([poll("a"), poll("b", "inactive")]).encode()
NDJSON = b"\n".join(json.dumps(each).encode() for each in (poll("a"), poll("b")))


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", OBJECTS),
        ("application/x-ndjson", NDJSON),
        ("text/csv", CSV),
        ("application/vnd.apache.arrow.stream", arrow("a", "b")),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_each_form_is_taken(client: Client, settings: Settings, media_type: str, body: bytes, packed: bool) -> None:  # noqa: FBT001
    headers = {"Content-Type": media_type} | ({"Content-Encoding": "gzip"} if packed else {})
    answer = client.post("/v1/polls", content=gzip.compress(body) if packed else body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"taken": 2, "rejected": [], "rejected_count": 0})
    until(lambda: not waiting(settings))
    assert in_lake(settings) == ["a", "b"]


def test_one_poll_as_an_object(client: Client, settings: Settings) -> None:
    assert client.post("/v1/polls", json=poll("a")).json()["taken"] == 1
    until(lambda: not waiting(settings))
    assert in_lake(settings) == ["a"]


def test_what_cannot_be_read_is_told_and_the_rest_is_taken(client: Client) -> None:
    answer = client.post("/v1/polls", json=[poll("a"), *[poll("b", "?")] * 150])
    told = answer.json()
    assert (answer.status_code, told["taken"], told["rejected_count"], len(told["rejected"])) == (202, 1, 150, 100)
    assert told["rejected"][0]["line"] == 2
    assert told["rejected"][0]["reason"] == "status is neither active nor inactive"


def test_nothing_that_can_be_read(client: Client) -> None:
    answer = client.post("/v1/polls", json=[poll("b", "?")])
    assert answer.status_code == 400
    assert answer.json()["type"] == "docs/problems.md#wrong-question"
    assert answer.json()["detail"].startswith("none of the 1 polls can be read; line 1: status")
    assert (answer.json()["taken"], answer.json()["rejected_count"]) == (0, 1)
    assert client.post("/v1/polls", json=[]).json()["taken"] == 0


def sent(client: Client, body: bytes, **headers: str) -> tuple[int, str]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/v1/polls", content=body, headers={"Content-Type": "application/json"} | told)
    return answer.status_code, answer.json()["detail"]


def test_bodies_that_are_refused(client: Client) -> None:
    assert sent(client, b"[")[0] == 400
    assert sent(client, b"{}", Content_Type="image/png")[0] == 415
    assert (
        sent(client, b"x", Content_Encoding="br")[1]
        == "the content encoding 'br' is not taken here; send gzip, or none"
    )
    assert sent(client, b"no gzip at all", Content_Encoding="gzip")[1].startswith("the body is no gzip")
    packed = gzip.compress(OBJECTS)
    assert sent(client, packed[:-9], Content_Encoding="gzip")[1].startswith("the body is no whole gzip")
    assert sent(client, packed + b"more", Content_Encoding="gzip")[1].startswith("the body is no whole gzip")
    too_much = "the body unpacks to more than 10 MB; send less at once"
    assert sent(client, gzip.compress(b" " * 20_000_000), Content_Encoding="gzip") == (413, too_much)
    bomb = arrow(*["x" * 1_000_000] * 20, compression="zstd")
    assert len(bomb) < 100_000
    assert sent(client, bomb, Content_Type="application/vnd.apache.arrow.stream") == (413, too_much)
    assert sent(client, b"[" + b"0," * 100_000 + b"0]") == (400, "it holds more than 100,000 polls; send less at once")


@pytest.mark.parametrize("path", ["/v1/write", "/api/v2/write"])
def test_line_protocol(client: Client, settings: Settings, path: str) -> None:
    asked = {"org": "us", "bucket": "stores", "precision": "s"}
    answer = client.post(path, params=asked, content=LINE)
    assert (answer.status_code, answer.content) == (204, b"")
    answer = client.post(path, params=asked, content=LINE + "nonsense\n")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (400, "invalid")
    assert told["message"].startswith("partial write: 1 of 2 polls were taken; line 2: ")
    answer = client.post(path, params={"precision": "years"}, content=LINE)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    until(lambda: not waiting(settings))
    assert in_lake(settings) == ["s"]
    assert client.get("/ping").status_code == 204


def test_few_large_bodies_are_read_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock, both = 0, 0, threading.Lock(), threading.Barrier(2)

    def reading(body: bytes, form: Format, **how: Any) -> Pushed:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(10)  # two are let in together
        time.sleep(0.05)
        with lock:
            running -= 1
        return read_polls(body, form, **how)

    monkeypatch.setattr(arriving, "read_polls", reading)
    body = json.dumps([poll(f"s{n}") for n in range(200)]).encode()
    with ThreadPoolExecutor(6) as senders:
        answers = [*senders.map(lambda _: client.post("/v1/polls", content=body).status_code, range(6))]
    assert answers == [202] * 6
    assert most == 2


def test_parameters_that_are_refused(client: Client) -> None:
    twice = client.post("/v1/write?precision=s&precision=ms", content=LINE)
    assert (twice.status_code, twice.json()["detail"].split(",")[0]) == (400, "precision is given more than once")
    unknown = client.post("/v1/polls?precision=s", json=poll("a"))
    assert unknown.status_code == 400
    assert unknown.json()["detail"].startswith("there is no parameter 'precision'")


@pytest.mark.parametrize(
    "asked",
    ["/v1/write?P={}", "/v1/write?%70={}", "/v1/write?a=1;p={}", "/{}/x?a=b", "/v1/write?q={}"],
)
@pytest.mark.parametrize("underscore", ["_", "%5F"])
def test_no_key_is_logged(client: Client, capsys: pytest.CaptureFixture[str], asked: str, underscore: str) -> None:
    secret = "-aB3_" * 8 + "xyz"
    logged = TestClient(RequestLog(client.app))
    logged.post(asked.format(f"storemon_0123456789ab_{secret}".replace("_", underscore)), content=LINE)
    written = capsys.readouterr().err
    assert "***" in written
    assert "aB3" not in written


def test_keys_as_clients_of_influxdb_send_them(client: Client, settings: Settings) -> None:
    with opened_keys(settings) as keys:
        (_, writer), (_, reader) = keys.create("writer"), keys.create("reader")
        _, some = keys.create("writer", {"brand": "a"})
    basic = base64.b64encode(f"telegraf:{writer}".encode()).decode()
    until(lambda: client.get("/v1/stores").status_code == 401)  # it has heard of the first key

    def status(path: str = "/v1/write?precision=s", **headers: str) -> int:
        return client.post(path, content=LINE, headers=headers).status_code

    assert status(Authorization=f"Token {writer}") == 204
    assert status(Authorization=f"Bearer {writer}") == 204
    assert status(Authorization=f"Basic {basic}") == 204
    assert status(f"/v1/write?precision=s&u=me&p={writer}") == 204
    assert status() == status(Authorization="Token no") == status(Authorization="Basic ?") == 401
    assert status(Authorization=f"Token {reader}") == status(Authorization=f"Token {some}") == 403
    refused = client.post("/v1/polls", json=poll("a"), headers={"X-API-Key": some}).json()["detail"]
    assert refused == "this is about all stores, and this key sees some only; use one that sees all"
    asked = client.get("/metrics", headers={"X-API-Key": some}).text
    assert "ask under /v1" in asked
    assert status(f"/v1/polls?p={writer}") == status("/v1/polls", Authorization=f"Token {writer}") == 401


def test_a_full_inbox_says_when_to_come_again(settings: Settings) -> None:
    assert settings
    Path("parquet").write_text("no folder")
    with running(*REAL, STOREMON_INBOX="1B") as server, server.client() as client:
        assert client.post("/v1/polls", json=poll("a")).status_code == 202
        answer = client.post("/v1/polls", json=poll("b"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["type"] == "docs/problems.md#too-many-waiting"
        answer = client.post("/v1/write?precision=s", content=LINE)
        assert (answer.status_code, answer.headers["Retry-After"], answer.json()["code"]) == (503, "5", "unavailable")
        assert "as many polls wait" in client.get("/health").json()["detail"]
        until(lambda: server.logged("polls wait in the inbox"))
        Path("parquet").unlink()
        until(lambda: client.post("/v1/polls", json=poll("b")).status_code == 202)
        until(lambda: in_lake(settings) == ["a", "b"])


def test_polls_come_into_a_report_by_themselves(settings: Settings) -> None:
    assert settings
    with running(*REAL, workers=2) as server, server.client() as client:
        for n in range(2):
            assert client.post("/v1/polls", json=poll(f"store {n}")).status_code == 202

            def there(store: str = f"store {n}") -> bool:
                answer = client.get("/v1/report")
                return answer.status_code == 200 and store in [row["store_id"] for row in answer.json()]

            until(there, seconds=120)
        told = client.get("/metrics").text
        assert 'storemon_arrived_polls_total{outcome="taken",source="http"} 2.0' in told
        assert 'storemon_inbox_moved_polls_total{outcome="added"} 2.0' in told
        assert "storemon_inbox_oldest_seconds 0.0" in told


def push_on(url: str, name: str, acknowledged: list[str], over: threading.Event) -> None:
    """Send polls one by one and in batches, and note those that were taken."""
    sent = 0
    with httpx.Client(base_url=url, timeout=10) as client:
        while not over.is_set():
            stores = [f"{name}-{sent + k}" for k in range(1 if sent % 2 else 20)]
            sent += len(stores)
            body: Any = [poll(store) for store in stores] if len(stores) > 1 else poll(stores[0])
            try:
                if client.post("/v1/polls", json=body).status_code == 202:
                    acknowledged += stores
            except httpx.TransportError:
                return


def pushing(urls: list[str], acknowledged: list[str], over: threading.Event, nth: int) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=push_on, args=(url, f"{nth}-{n}-{k}", acknowledged, over))
        for n, url in enumerate(urls)
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    return threads


def test_what_was_acknowledged_outlives_kills(settings: Settings) -> None:
    chance = random.Random(7)  # noqa: S311
    acknowledged: list[str] = []
    for nth in range(KILLS):
        with running(*REAL) as server:
            over = threading.Event()
            threads = pushing([server.url], acknowledged, over, nth)
            time.sleep(chance.uniform(0.2, 2.5))
            server.kill()
            over.set()
            for thread in threads:
                thread.join()
    with running(*REAL):
        until(lambda: not waiting(settings))
    found = in_lake(settings)
    assert len(acknowledged) > 20 * KILLS
    assert not set(acknowledged) - set(found)
    assert len(found) == len(set(found))


def test_two_services_over_one_database(
    settings: Settings, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.database()
    monkeypatch.setenv("STOREMON_DATABASE", address)
    shared = Settings.load(lake=settings.lake, reports=settings.reports, database=address)
    acknowledged: list[str] = []
    over = threading.Event()
    with running(*REAL) as first, running(*REAL) as second:
        threads = pushing([first.url, second.url], acknowledged, over, 0)
        until(lambda: len(acknowledged) > 100)
        os.killpg(first.process.pid, signal.SIGKILL)
        known = len(acknowledged)
        until(lambda: len(acknowledged) > known + 100)
        over.set()
        for thread in threads:
            thread.join()
        until(lambda: not waiting(shared))
        assert not second.logged("polls wait in the inbox")
    found = in_lake(settings)
    assert not set(acknowledged) - set(found)
    assert len(found) == len(set(found))
