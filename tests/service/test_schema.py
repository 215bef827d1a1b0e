import re
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

Client = TestClient[Litestar]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    answer = client.get("/schema/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_route_is_described(document: dict[str, Any]) -> None:
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert routes == {
        ("/trigger_report", "post"),
        ("/get_report", "get"),
        ("/get_report/{report_id}", "get"),
        ("/ingest", "post"),
        ("/ingest/{ingest_id}", "get"),
        *((path, "get") for path in ("/health", "/health/live", "/health/ready", "/metrics")),
        *(
            (f"/v1/{path}", "get")
            for path in ("report", "outages", "hour-of-week", "stores", "audit", "rejected", "groups/{tag}")
        ),
        ("/v1/stores/{store_id}/explain", "get"),
        *((f"/v1/{table}", "put") for table in ("hours", "zones", "stores", "special-hours", "maintenance")),
        *(("/v1/maintenance", method) for method in ("get", "post")),
        ("/v1/maintenance/{maintenance_id}", "delete"),
        *(("/v1/reports", method) for method in ("get", "post")),
        *(("/v1/reports/{report_id}", method) for method in ("get", "delete")),
        ("/v1/reports/{report_id}/cancel", "post"),
        ("/v1/reports/{report_id}/events", "get"),
        *(("/v1/reports/{report_id}/content", method) for method in ("get", "head")),
    }
    for methods in document["paths"].values():
        for described in methods.values():
            assert described["summary"]
            assert described["description"]
            answers = described["responses"]
            assert min(answers) in {"200", "201", "202", "204"}
            for status in answers:
                of_problems = list(answers[status].get("content", {})) == ["application/problem+json"]
                assert of_problems == (status >= "400")


def test_the_page_needs_no_other_host(client: Client) -> None:
    answer = client.get("/schema")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "/get_report/{report_id}" in answer.text
    assert '"OPENAPI"' not in answer.text
    assert not re.search(r"https?:|\bsrc=|@import|url\(", answer.text)
    assert answer.text.count("</script>") == 1
