"""Thousands of requests that make no sense, and a service that says so: to each, and of all that it changed."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storemon.lake.kept import KeptLake
from tests.examples import examples
from tests.faults.conftest import Place
from tests.service.server import REAL, running

REQUESTS = 10_000
_SEED = 20241014
_NASTY = [
    *[
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "true",
        "[]",
        "{}",
        "'",
        '"',
        "';--",
        "' OR 1=1 --",
        "%00",
        "\x00",
        "\x7f",
    ],
    *["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "file:///etc/passwd", "parquet", "*", "a" * 3000],
    *[
        "2024-02-30",
        "9999-12-31T23:59:59Z",
        "0001-01-01",
        "2024-W54",
        "1000000000d",
        "-7d",
        "2024-10-14T00:00:00+99:99",
    ],
    *["\r\nX-Injected: 1", "ÿ", "日本", "\ud7ff", "🤯", "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>"],
    *["1", "2", "3", "7d", "yesterday", "2024-10", "csv", "json", "arrow", "xlsx", "svg", "day", "hour", "region=West"],
]
_NAMES = [
    *[
        "window",
        "from",
        "to",
        "as_of",
        "carry_limit",
        "policy",
        "where",
        "measures",
        "wide",
        "every",
        "target",
        "versus",
    ],
    *[
        "group_by",
        "overall",
        "format",
        "limit",
        "sort",
        "cursor",
        "search",
        "breaching",
        "state",
        "file",
        "report_id",
        "x",
    ],
    *["priority", "run_after"],
]
_PATHS = [
    *[
        "/trigger_report",
        "/get_report",
        "/get_report/{}",
        "/ingest",
        "/ingest/{}",
        "/health",
        "/health/live",
        "/schema",
    ],
    *[
        "/v1/report",
        "/v1/groups/{}",
        "/v1/outages",
        "/v1/hour-of-week",
        "/v1/stores",
        "/v1/stores/{}/explain",
        "/v1/audit",
    ],
    *[
        "/v1/rejected",
        "/v1/reports",
        "/v1/reports/{}",
        "/v1/reports/{}/events",
        "/v1/reports/{}/content",
        "/{}",
        "/v1/{}",
    ],
    *["/v1/reports/{}/cancel", "/v1/hours", "/v1/zones", "/v1/stores", "/v1/special-hours", "/v1/maintenance"],
    *["/v1/maintenance/{}", "/metrics", "//", "/v1//report", "/v1/stores/{}/explain/"],
]
_WRITES = {
    "/ingest": {"polls", "hours", "zones", "special_hours", "maintenance", "tags", "rejected"},
    "/v1/hours": {"hours", "rejected"},
    "/v1/zones": {"zones", "rejected"},
    "/v1/stores": {"tags", "rejected"},
    "/v1/special-hours": {"special_hours", "rejected"},
    "/v1/maintenance": {"maintenance", "rejected"},
}
"""The tables that a write may change."""
_METHODS = ["GET"] * 6 + ["POST"] * 3 + ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "BREW"]
_HEADERS = {
    "Accept": ["*/*", "text/csv", "application/json;q=nonsense", "a", ",,,", "image/png"],
    "Content-Type": ["application/json", "text/csv", "application/x-ndjson", "text/xml", "", "multipart/form-data"],
    "If-None-Match": ["*", '"x"', "W/", "x" * 2000],
    "If-Range": ['"x"', "yesterday"],
    "Range": ["bytes=0-", "bytes=5-1", "bytes=-1", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=99999999999999-"],
    "Idempotency-Key": ["k", "x" * 300, ""],
    "Authorization": ["Bearer x", "Basic eDp5", "Bearer " + "a." * 3, ""],
    "X-API-Key": ["x", "storemon_000000000000_" + "a" * 43],
    "X-Request-ID": ["ok", "x" * 500, "<x>"],
    "Host": ["example.org", "[::1", "a b", "127.0.0.1:99999999"],
    "Content-Encoding": ["gzip", "br"],
}
_BODIES: list[Any] = [
    None,
    {},
    [],
    1,
    "x",
    {"path": "data"},
    {"path": "../.."},
    {"window": "7d"},
    {"window": [1, None]},
]
_TEXTS = [
    b"",
    b"{",
    b"\xff\xfe",
    b"store_id,dayOfWeek\n1",
    b"store_id,timezone_str\n1,Mars/Base\n",
    b"[" * 500,
    b"x" * 9999,
]


def requests(count: int) -> list[tuple[str, str, dict[str, str], dict[str, str], bytes]]:
    """Draw so many: the method, the path, the query, the headers and the body."""
    draw = random.Random(_SEED)  # noqa: S311 - they are to be the same each time
    ids = [str(uuid4()) for _ in range(3)]
    drawn = []
    for _ in range(count):
        path = draw.choice(_PATHS).replace("{}", draw.choice([*_NASTY, *ids]))
        query = {draw.choice(_NAMES): draw.choice(_NASTY) for _ in range(draw.choice([0, 0, 1, 1, 2, 4]))}
        headers = {name: draw.choice(_HEADERS[name]) for name in draw.sample(list(_HEADERS), draw.choice([0, 0, 1, 2]))}
        body = b"" if draw.random() < 0.5 else draw.choice([*_TEXTS, json.dumps(draw.choice(_BODIES)).encode()])
        drawn.append((draw.choice(_METHODS), path, query, headers, body))
    return drawn


def answer_to(client: httpx.Client, method: str, path: str, query: dict[str, str], **sent: Any) -> int | None:
    """Send one; None if it can't be sent at all. Events are not waited for."""
    try:
        with client.stream(method, path, params=query, **sent) as answer:
            if "event-stream" not in answer.headers.get("content-type", ""):
                answer.read()
            said = answer.text if answer.is_stream_consumed and answer.status_code >= 400 else ""
            assert "Traceback" not in said
            assert "x-injected" not in answer.headers
            return answer.status_code
    except (httpx.InvalidURL, UnicodeEncodeError, httpx.LocalProtocolError):
        return None


def facts(place: Place) -> tuple[dict[str, int], int]:
    """What a request could change: the lake's versions, and how many files there are beside reports."""
    versions = dict(KeptLake(place.settings.lake).snapshot().versions)
    return versions, len(
        [file for file in Path().rglob("*") if "reports" not in file.parts and "parquet" not in file.parts]
    )


@pytest.mark.fault(
    "requests that make no sense (each of these is one run of many: 10,000 in all)",
    "no 500, no traceback, nothing changed that was not answered with a success",
)
def test_requests_that_make_no_sense(place: Place) -> None:
    statuses: Counter[int | None] = Counter()
    writes: Counter[str] = Counter()
    with running(*REAL, STOREMON_MAX_QUEUED="100000") as server, server.client() as client:
        before = facts(place)
        for method, path, query, headers, body in requests(examples(REQUESTS)):
            status = answer_to(client, method, path, query, headers=headers, content=body)
            statuses[status] += 1
            assert status is None or status < 500 or status == 503, (method, path, query, headers, body)
            if status is not None and status < 300 and method in {"POST", "PUT", "DELETE"}:
                taken = path.rstrip("/")
                writes[taken if taken in _WRITES else f"{status} {taken}"] += 1
        assert client.get("/health/live").status_code == 200
        assert not server.logged("request failed")
        log = next(Path().glob("service-*.log")).read_text()
    assert "Traceback" not in log
    assert statuses.total() == examples(REQUESTS)
    after = facts(place)
    changed = {table for table, version in after[0].items() if version != before[0][table]}
    assert changed <= {table for path in writes for table in _WRITES.get(path, ())}, (changed, writes)
    assert after[1] - before[1] <= 1
    reports = client_reports(place)
    assert reports == writes["202 /v1/reports"] + writes["200 /trigger_report"], writes


def client_reports(place: Place) -> int:
    """Count the reports that are recorded."""
    with running(*REAL) as server, server.client() as client:
        assert place
        count, cursor = 0, None
        while True:
            page = client.get("/v1/reports", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})).json()
            count, cursor = count + len(page["rows"]), page["next"]
            if cursor is None:
                return count
