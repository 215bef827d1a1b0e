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
        ("/health", "get"),
    }
    for methods in document["paths"].values():
        for described in methods.values():
            assert described["summary"]
            assert described["description"]
            answers = described["responses"]
            assert "200" in answers
            for status in answers.keys() - {"200"}:
                assert list(answers[status]["content"]) == ["application/problem+json"]


def test_the_page_needs_no_other_host(client: Client) -> None:
    answer = client.get("/schema")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "/get_report/{report_id}" in answer.text
    assert '"OPENAPI"' not in answer.text
    assert not re.search(r"https?:|\bsrc=|@import|url\(", answer.text)
    assert answer.text.count("</script>") == 1
