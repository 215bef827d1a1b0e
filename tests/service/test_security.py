"""What docs/security.md promises, each promise by the test that the page names."""

import hmac
import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from storemon.records.keys import Keys, opened_keys
from storemon.sample import write_sample
from storemon.service.app import create_app
from storemon.service.door.hosts import ParsedHost
from storemon.service.logs import RequestLog, printable
from storemon.settings import Settings
from tests.service.server import REAL, Server, running
from tests.service.test_v1_reports import made
from tests.service.waiting import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
OPEN = re.compile(r"/(health|schema)(/.*)?|/ping")
"""The paths that need no key."""
Client = TestClient[Litestar]


def test_each_promise_has_a_test() -> None:
    promises = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in promises] == [*range(1, len(promises) + 1)]
    assert len(promises) > 20
    for number, named in promises:
        tests = re.findall(r"`(\w+)::(\w+)`", named)
        assert tests, number
        for module, test in tests:
            code = (ROOT / "tests" / "service" / f"{module}.py").read_text("utf-8")
            assert re.search(rf"^def {test}\(", code, re.MULTILINE), f"{number}: {module}::{test}"


@pytest.fixture
def keys(settings: Settings) -> Iterator[Keys]:
    with opened_keys(settings) as keys:
        yield keys


@pytest.fixture
def sampled(settings: Settings) -> Lake:
    write_sample(settings.data, stores=40, days=5)
    found = Lake(settings.lake)
    found.ingest(settings.data)
    return found


def of(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


def routes(client: Client) -> Iterator[tuple[str, str]]:
    """List every method and path there is, with something in the place of each parameter."""
    for route in client.app.routes:
        path = re.sub(r"\{\w+:\w+\}", "00000000-0000-4000-8000-000000000000", route.path_format)
        path = re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", path)
        yield from ((method, path) for method in getattr(route, "methods", ()) if method != "OPTIONS")


def test_every_route_needs_a_key(lake: Lake, keys: Keys, client: Client) -> None:  # noqa: ARG001 - there are polls
    keys.create("reader")
    asked = [*routes(client)]
    assert len(asked) > 20
    for method, path in asked:
        status = client.request(method, path).status_code
        assert (status == 401) != bool(OPEN.fullmatch(path)), (method, path, status)


def test_secrets_are_compared_in_constant_time(keys: Keys, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sent, the same is done, with texts of the same length; a test of times would tell of the machine."""
    key, written = keys.create("reader")
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def looked(one: str, other: str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr("storemon.records.keys.hmac.compare_digest", looked)
    wrong = (written[:-1] + ("A" if written[-1] != "A" else "B"), written.replace(key.id, "0" * 12))
    statuses = [client.get("/v1/reports", headers=of(sent)).status_code for sent in (written, *wrong)]
    assert statuses == [200, 401, 401]
    assert [(len(one), len(other)) for one, other in compared] == [(64, 64)] * 3


def regions(lake: Lake) -> dict[str, list[str]]:
    tags = lake.snapshot().tags().filter(tag="region")
    polled = {*lake.snapshot().stores()["store_id"]}
    found: dict[str, list[str]] = {}
    for store, _, region in tags.iter_rows():
        if store in polled:
            found.setdefault(region, []).append(store)
    return found


def test_a_filter_can_not_be_escaped(settings: Settings, sampled: Lake, keys: Keys) -> None:
    (mine, inside), (other, outside) = sorted(regions(sampled).items())[:2]
    (_, narrow), (_, wide) = keys.create("admin", {"region": mine}), keys.create("admin")
    with TestClient(create_app(settings)) as client:

        def told(path: str, headers: dict[str, str] | None = None) -> Any:
            return client.get(path, headers=of(narrow) | (headers or {}))

        everything = client.get("/v1/report", headers=of(wide))
        page = client.get("/v1/stores?limit=1&sort=store_id", headers=of(wide)).json()
        theirs = made(client, {}, of(wide))["id"]
        for path in (
            *("/v1/report", f"/v1/report?where=region={mine}", "/v1/report?group_by=region", "/v1/groups/region"),
            *("/v1/stores", f"/v1/stores?search={other}", f"/v1/stores?search={outside[0]}", "/v1/outages?window=5d"),
            *("/v1/audit", "/v1/rejected", "/v1/maintenance", "/v1/reports", "/v1/report?overall=true"),
            *("/v1/hour-of-week?group_by=region", "/v1/report?where=region=", f"/v1/report?where=region={other}"),
            *(f"/v1/report?where=region={mine}&where=region={other}", f"/v1/report?where=region={mine},region={other}"),
            *("/v1/report?where=region=*", "/v1/report?where=*", f"/v1/stores?cursor={page['next']}"),
            *(f"/v1/stores?limit=1&sort=store_id&cursor={page['next']}", f"/v1/stores/{outside[0]}/explain"),
            *(f"/v1/reports/{theirs}", f"/v1/reports/{theirs}/content", f"/v1/reports/{theirs}/events"),
        ):
            answer = told(path)
            assert answer.status_code in {200, 400, 404}, path
            shown = answer.text.replace(path, "").replace(f"'{outside[0]}'", "")  # what was asked is told again
            assert not [store for store in outside if store in shown], path
            if other in shown:  # as the value of a condition that nothing meets
                assert (answer.status_code, f"{other}" in path) == (400, True), path
        for headers in ({"If-None-Match": everything.headers["etag"]}, {"If-None-Match": "*"}):
            answer = told("/v1/report", headers)
            assert answer.status_code == (304 if headers["If-None-Match"] == "*" else 200)
            assert len(answer.content) == 0 or {row["store_id"] for row in answer.json()} == {*inside}
        for headers in ({"Range": "bytes=0-99"}, {"If-Range": "*", "Range": "bytes=0-"}):
            assert told(f"/v1/reports/{theirs}/content", headers).status_code == 404
        for method in ("DELETE", "POST"):
            path = f"/v1/reports/{theirs}" + ("/cancel" if method == "POST" else "")
            assert client.request(method, path, headers=of(narrow)).status_code == 404
        same = {"Idempotency-Key": "the same"}
        first = client.post("/v1/reports", headers=of(wide) | same).json()["id"]
        assert client.post("/v1/reports", headers=of(narrow) | same).json()["id"] != first
        asked = client.post("/v1/reports", json={"where": f"region={other}"}, headers=of(narrow))
        assert asked.status_code == 202
        assert made(client, {"where": f"region={other}"}, of(narrow))["state"] == "failed"


def test_a_cursor_shows_no_store_of_before(settings: Settings, sampled: Lake, keys: Keys) -> None:
    """A store that has got another region is no longer seen, though the cursor is of before, or forged so."""
    (mine, inside), (other, _) = sorted(regions(sampled).items())[:2]
    _, narrow = keys.create("reader", {"region": mine})
    with TestClient(create_app(settings)) as client:
        asked = {"limit": "1", "sort": "store_id"}
        before = client.get("/v1/stores", params=asked, headers=of(narrow)).json()["next"]
        stores = (settings.data / "stores.csv").read_text().replace(mine, other)
        (settings.data / "stores.csv").write_text(stores.replace(other, mine, 1))
        sampled.ingest(settings.data / "stores.csv")
        answer = client.get("/v1/stores", params=asked | {"cursor": before}, headers=of(narrow))
        assert answer.status_code == 400
        assert len(client.get("/v1/stores", headers=of(narrow)).json()) < len(inside)


def test_nothing_moves_the_cursor_of_a_terminal() -> None:
    line = {"event": "two\nlines", "path": "/\x1b[2J\x9b1A\u202e\nkey=root é", "status": 200}
    told = printable(None, "info", line)
    assert told == {"event": "two\nlines", "path": "/\\x1b[2J\\x9b1A\\u202e\\nkey=root é", "status": 200}


def test_what_is_not_seen_is_not_there(settings: Settings, sampled: Lake, keys: Keys) -> None:
    """Whether a store is hidden or unknown, no word and no header tells."""
    (mine, inside), (_, outside) = sorted(regions(sampled).items())[:2]
    _, narrow = keys.create("reader", {"region": mine})
    hidden = outside[0]
    unknown = hidden[::-1]
    assert unknown not in {*inside, *outside}
    with TestClient(create_app(settings)) as client:

        def told(store: str) -> tuple[int, dict[str, str], str]:
            answer = client.get(f"/v1/stores/{store}/explain", headers=of(narrow))
            headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            return answer.status_code, headers, re.sub(r"did you mean .*\?|there are \d+ .*lists them", "", answer.text)

        (status, headers, text), (other_status, other_headers, other_text) = told(hidden), told(unknown)
        assert (status, text.replace(hidden, "")) == (other_status, other_text.replace(unknown, ""))
        assert headers.keys() == other_headers.keys()
        suggested = client.get(f"/v1/stores/{hidden[:-1]}/explain", headers=of(narrow)).text
        assert hidden not in suggested.replace(f"'{hidden[:-1]}'", "").replace(f"/{hidden[:-1]}/", "")


NASTY = (
    *(
        "'; DROP TABLE polls; --",
        "' OR '1'='1",
        '" OR ""="',
        "x') UNION SELECT * FROM stores --",
        "$carry_us",
        "%",
        "_",
    ),
    *(
        "{0}",
        "%s",
        "\\'",
        "'",
        '"',
        "`",
        ";",
        "--",
        "/*",
        "*",
        "?",
        "read_parquet('/etc/passwd')",
        "\x00",
        "é\u202e",
        "1e999",
    ),
)
CLIMBING = (
    *(
        "../../../../etc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "....//etc",
    ),
    *(
        "%252e%252e%252fetc%252fpasswd",
        "..\\..\\etc\\passwd",
        "file:///etc/passwd",
        "%00",
        "storemon.db",
        "../storemon.db",
    ),
    *("s3://bucket/x", "http://127.0.0.1:1/", "~root", "C:\\x", "a/../../b", "." * 300, "x" * 5_000),
)


@pytest.fixture
def odd(settings: Settings) -> Lake:
    """Stores and tags whose names are statements."""
    polls = [f'"{name}",active,2024-10-14 20:00:00 UTC' for name in (name.replace('"', '""') for name in ODD)]
    (settings.data / "store_status.csv").write_text("\n".join(["store_id,status,timestamp_utc", *polls, ""]))
    rows = [f'"{name}","{name}"' for name in (name.replace('"', '""') for name in ODD)]
    tag = TAG.replace('"', '""')
    (settings.data / "stores.csv").write_text("\n".join([f'store_id,"{tag}"', *rows, ""]))
    found = Lake(settings.lake)
    found.ingest(settings.data)
    return found


ODD = [name for name in NASTY if "\x00" not in name and name != "*"]
TAG = 'x\' OR "1"; --'


def test_nothing_becomes_sql(settings: Settings, odd: Lake, keys: Keys) -> None:
    before = dict(odd.snapshot().versions)
    polled = {*odd.snapshot().stores()["store_id"]}
    assert polled == {*ODD}, "each name is a store's"
    _, wide = keys.create("reader")
    with TestClient(create_app(settings)) as client:
        client.headers.update(of(wide))
        assert {row["store_id"] for row in client.get("/v1/report").json()} == polled
        groups = client.get("/v1/report", params={"group_by": TAG}).json()
        assert {row[TAG] for row in groups} == polled
        for name in ODD:
            told = client.get("/v1/report", params={"where": f"{TAG}={name}"}).json() if "," not in name else None
            assert told is None or [row["store_id"] for row in told] == [name], name
            found = client.get("/v1/stores", params={"search": name}).json()
            assert name in {row["store_id"] for row in found}
            explained = client.get(f"/v1/stores/{quote(name, safe='')}/explain")
            assert explained.status_code in ({400, 404} if "/" in name else {200}), name
            _, key = keys.create("reader", {TAG: name})
            assert [row["store_id"] for row in client.get("/v1/report", headers=of(key)).json()] == [name]
            keys.revoke(key.split("_")[1])
    assert dict(odd.snapshot().versions) == before


def parameters(client: Client) -> Iterator[tuple[str, str]]:
    """List each path that is asked with GET, and each parameter of its query."""
    for path, item in client.get("/schema/openapi.json").json()["paths"].items():
        if path.startswith("/v1/") and "{report_id}" not in path:
            for parameter in item.get("get", {}).get("parameters", ()):
                if parameter["in"] == "query":
                    yield re.sub(r"\{\w+\}", "region", path), parameter["name"]


def test_no_parameter_becomes_sql_or_a_path(settings: Settings, sampled: Lake) -> None:
    before, files = dict(sampled.snapshot().versions), sorted(Path().rglob("*"))
    with TestClient(create_app(settings)) as client:
        asked = [*parameters(client)]
        assert len(asked) > 50
        for place, (path, name) in enumerate(asked):
            for text in (NASTY[place % len(NASTY)], CLIMBING[place % len(CLIMBING)], f"region={NASTY[place % 7]}"):
                answer = client.get(path, params={name: text})
                assert answer.status_code in {200, 400, 404}, (path, name, text, answer.text)
                assert (
                    "root:x:" not in answer.text
                )  # what a file of the machine would say; what was asked may be told again
                assert "Traceback" not in answer.text
    assert dict(sampled.snapshot().versions) == before
    records = {"storemon.db", "storemon.db-wal", "storemon.db-shm", "database.txt"}
    assert {file for file in Path().rglob("*") if file.name not in records} <= {*files, Path("reports")}


def sendable(path: str) -> bool:
    """Tell whether a client would send it as it is: some addresses it can't even read."""
    try:
        httpx.URL(path)
    except httpx.InvalidURL:
        return False
    return not path.startswith("//") and "://" not in path


def test_nothing_becomes_a_path(settings: Settings, sampled: Lake) -> None:
    before = dict(sampled.snapshot().versions)
    with TestClient(create_app(settings)) as client:
        told = made(client, {})
        files = sorted(Path().rglob("*"))
        for climbing in CLIMBING:
            for path in (
                *(f"/v1/reports/{climbing}", f"/v1/reports/{climbing}/content", f"/v1/stores/{climbing}/explain"),
                *(f"/get_report/{climbing}", f"/ingest/{climbing}", f"/v1/groups/{climbing}", f"/schema/{climbing}"),
                *(
                    f"/v1/maintenance/{climbing}",
                    f"/v1/{climbing}",
                    f"/{climbing}",
                    f"/get_report?report_id={climbing}",
                ),
                *(f"/v1/reports/{told['id']}/content?format={climbing}", f"/v1/rejected?file={climbing}"),
            ):
                if not sendable(path):
                    continue
                answers = [client.request(method, path) for method in ("GET", "DELETE")]
                for answer in answers:
                    assert 400 <= answer.status_code < 500, (path, answer.text)
                    assert (
                        "root:x:" not in answer.text
                    )  # what a file of the machine would say; what was asked may be told again
            answer = client.post("/ingest", json={"path": climbing})
            assert answer.status_code == 400, climbing
            answer = client.post(
                "/v1/maintenance", json={"store_id": climbing, "starts_at_utc": climbing, "ends_at_utc": "x"}
            )
            assert answer.status_code == 400
            client.post("/v1/reports", headers={"Idempotency-Key": quote(climbing)[:255]})
        assert sorted(file for file in Path().rglob("*") if file.parent.name != "reports") == sorted(
            file for file in files if file.parent.name != "reports"
        )
    assert dict(sampled.snapshot().versions) == before


@pytest.fixture
def server(settings: Settings, lake: Lake) -> Iterator[Server]:  # noqa: ARG001 - there are polls
    with running(*REAL) as server:
        yield server


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    return answer


ENDS = (
    "\r\nX-Evil: yes",
    "\nX-Evil: yes",
    "\rX-Evil: yes",
    "\r\n X-Evil: yes",
    "\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: yes",
    "\x00X-Evil: yes",
    "\x85X-Evil: yes",
)


def test_nothing_becomes_a_header_or_a_line_of_the_log(server: Server) -> None:
    for end in ENDS:
        escaped, plain = quote(end, encoding="latin-1"), end.encode("latin-1")
        for target in (
            *(f"/v1/report?where=a{escaped}", f"/v1/stores?limit=1&search={escaped}", f"/v1/groups/a{escaped}"),
            *(f"/v1/report?format=csv{escaped}", f"/v1/stores?limit=1&sort=store_id{escaped}", f"/v1/a{escaped}"),
            *(f"/v1/stores/a{escaped}/explain", f"/get_report/a{escaped}", f"/a{escaped}", f"/v1/report?{escaped}=1"),
        ):
            answer = raw(server, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            check(answer)
        for name in (
            b"X-Request-ID",
            b"traceparent",
            b"Idempotency-Key",
            b"If-None-Match",
            b"Accept",
            b"Authorization",
            b"X-API-Key",
        ):
            for method in (b"GET", b"POST"):
                head = (
                    method + b" /v1/reports HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n"
                )
                answer = raw(server, head + name + b": a" + plain + b"\r\n\r\n")
                check(answer)
    lines = server._log.read_text().splitlines()
    assert not [line for line in lines if "X-Evil" in line and not isinstance(json.loads(line), dict)]
    assert server.logged("request failed") == []


def check(answer: bytes) -> None:
    assert answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 500")
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert not re.search(rb"[\r\n\x00\x85]\s*x-evil", head)
    length = re.search(rb"content-length: (\d+)", head)
    assert length is None or int(length[1]) == len(answer.partition(b"\r\n\r\n")[2]), "it is one answer"


SAFE = {"x-content-type-options", "content-security-policy", "referrer-policy", "cross-origin-resource-policy"}


def test_browsers_are_kept_from_guessing(lake: Lake, client: Client) -> None:  # noqa: ARG001 - there are polls
    for method, path, status in (
        *(("GET", "/v1/report", 200), ("GET", "/v1/stores/1/explain?format=svg", 200), ("GET", "/v1/nothing", 404)),
        *(("GET", "/v1/report?x=1", 400), ("PUT", "/v1/report", 405), ("GET", "/nothing", 404), ("GET", "/", 404)),
        *(
            ("GET", "/health/live", 200),
            ("GET", "/health/ready", 200),
            ("GET", "/schema", 200),
            ("GET", "/schema/openapi.json", 200),
        ),
    ):
        answer = logged(client).request(method, path)
        assert answer.status_code == status, path
        assert answer.headers.keys() >= SAFE, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        scripts = "script-src" in answer.headers["content-security-policy"]
        assert scripts == path.startswith("/schema"), path
    for path in ("/get_report", "/ingest/x", "/health", "/trigger_report", "/get_report/x"):
        assert not SAFE & logged(client).get(path).headers.keys(), "these stay as they are"


def logged(client: Client) -> Client:
    """Ask through what stands around the application."""
    return TestClient(RequestLog(ParsedHost(client.app)))  # type: ignore[arg-type]


def test_there_is_no_cors(client: Client) -> None:
    origin = {"Origin": "https://evil.example"}
    preflight = origin | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-API-Key"}
    for path in ("/v1/report", "/get_report", "/health", "/schema"):
        for method, headers in (("GET", origin), ("OPTIONS", preflight)):
            answer = client.request(method, path, headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]


def test_each_write_is_written_down(keys: Keys, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Also one that was refused by the facts; each with who did it, and no secret."""
    key, written = keys.create("writer")
    _, reader = keys.create("reader")
    wanted = [
        *[("PUT", f"/v1/{table}") for table in ("hours", "zones", "stores", "special-hours", "maintenance")],
        *(("POST", "/ingest"), ("POST", "/v1/maintenance"), ("DELETE", "/v1/maintenance/x")),
    ]
    for method, path in wanted:
        client.request(method, path, headers=of(written))
        assert client.request(method, path, headers=of(reader)).status_code == 403
    log = capsys.readouterr().err
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    told = [line for line in lines if line["logger"] == "storemon.audit"]
    assert [(line["event"], line["key"], line["method"], line["path"]) for line in told] == [
        ("write", key.id, method, path) for method, path in wanted
    ]
    assert all(line["status"] for line in told)
    assert written not in log


def test_a_key_of_influxdb_is_told_nowhere(settings: Settings) -> None:
    with opened_keys(settings) as keys:
        (key, written), (_, reader) = keys.create("writer"), keys.create("reader")
    guess = "storemon_0123456789ab_guess"
    told = []
    with running(*REAL) as server, server.client() as client:
        for sent in (written, reader, guess):
            basic = b64encode(f"telegraf:{sent}".encode()).decode()
            for query, headers in (
                (f"u=telegraf&p={sent}&db=x", {}),
                (f"p={sent}", {}),
                ("db=x", {"Authorization": f"Token {sent}"}),
                ("db=x", {"Authorization": f"Basic {basic}"}),
            ):
                for path in ("/v1/write", "/api/v2/write", "/v1/polls", "/v1/report", "/query", "/ping"):
                    answer = client.post(f"{path}?{query}", headers=headers, content="no line")
                    told.append(f"{answer.headers} {answer.text}")
                    assert answer.status_code in {400, 401, 403, 404, 405}
        assert len(until(lambda: found if len(found := server.logged("request")) == len(told) else None)) == len(told)
        written_down = server.logged("write")
        log = "".join(file.read_text() for file in Path().glob("service-*.log"))
    assert {line["key"] for line in written_down} == {key.id}
    assert "/v1/write?u=telegraf&p=***&db=x" in log
    for sent in (written, reader, guess):
        secret = sent.rpartition("_")[2]
        for text in (secret, b64encode(f"telegraf:{sent}".encode()).decode()):
            assert text not in log
            assert not [each for each in told if text in each]
