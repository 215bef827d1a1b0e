"""The problems of the versioned API: each has a type, and each type a heading of the page."""

import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.errors import LakeError
from storemon.service.v1 import problems

PAGE = (Path(__file__).parents[2] / "docs" / "problems.md").read_text("utf-8")
Client = TestClient[Litestar]


def test_every_type_is_told_of() -> None:
    kinds = {*problems._BY_ERROR.values(), *problems._BY_STATUS.values(), *problems._BY_NAME.values()}
    told = re.findall(r"^## (.+)\n\n(\d{3})?(?: or (\d{3}))?", PAGE, re.MULTILINE)
    assert {kind.name for kind in kinds} | {"refused"} == {name for name, *_ in told}
    statuses = {name: {int(status) for status in more if status} for name, *more in told}
    for kind in kinds:
        assert kind.status in statuses[kind.name]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (LakeError("the polls are damaged"), 503, "facts-out-of-reach"),
        (RecursionError(), 400, "wrong-body"),
        (ZeroDivisionError("secret"), 500, "unforeseen"),
    ],
)
def test_what_fails_inside(
    error: Exception, status: int, kind: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("storemon.service.v1.answers.outages.answer", fail)
    answer = client.get("/v1/outages")
    told = answer.json()
    assert (answer.status_code, told["type"]) == (status, f"docs/problems.md#{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "secret" not in answer.text


def test_other_methods(client: Client) -> None:
    answer = client.put("/v1/report")
    assert (answer.status_code, answer.json()["type"]) == (405, "docs/problems.md#wrong-method")
    assert "GET" in answer.headers["allow"]


def test_no_such_path(client: Client) -> None:
    answer = client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "docs/problems.md#not-found")
    assert "/schema lists those there are" in answer.json()["detail"]


def test_old_routes_answer_as_before(client: Client) -> None:
    for path, status in (("/nothing", 404), ("/trigger_report", 405)):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.json().keys() == {"status", "title", "detail"}
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/get_report?report_id=x").json().keys() == {"status", "title", "detail"}
