"""The document: it is whole and valid, and what it says is so; tried with a real server."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from storemon.intake.lake import Lake
from storemon.records.opening import opened_records
from storemon.sample import write_sample
from storemon.settings import Settings
from tests.service.server import REAL, running
from tests.service.waiting import until
from tests.watch.alerting import alert, put

PROBLEMS = (Path(__file__).parents[2] / "docs" / "problems.md").read_text("utf-8")
NEEDS = {"to": "from", "breaching": "target"}
"""What goes with another parameter only."""
LATER = {"run_after": "2999-01-01"}
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
        ("/v1/now", "get"),
        ("/v1/stores/{store_id}/explain", "get"),
        *((f"/v1/{table}", "put") for table in ("hours", "zones", "stores", "special-hours", "maintenance")),
        *(("/v1/maintenance", method) for method in ("get", "post")),
        ("/v1/maintenance/{maintenance_id}", "delete"),
        *((path, "post") for path in ("/v1/polls", "/v1/write", "/api/v2/write")),
        ("/ping", "get"),
        ("/v1/alerts", "get"),
        ("/v1/alerts/replay", "get"),
        ("/v1/alerts/{alert_id}", "get"),
        ("/v1/alerts/{alert_id}/acknowledge", "post"),
        *(("/v1/silences", method) for method in ("get", "post")),
        ("/v1/silences/{silence_id}", "get"),
        ("/v1/silences/{silence_id}/end", "post"),
        ("/v1/rules", "get"),
        *(("/v1/rules/{name}", method) for method in ("get", "put", "delete")),
        ("/v1/schedules", "get"),
        *(("/v1/schedules/{name}", method) for method in ("get", "put", "delete")),
        *((f"/v1/schedules/{{name}}/{what}", "post") for what in ("pause", "resume", "run")),
        ("/v1/schedules/{name}/history", "get"),
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
            assert described["tags"]
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


class Operation(NamedTuple):
    """One operation of the document."""

    path: str
    method: str
    told: dict[str, Any]

    def examples(self, where: str) -> dict[str, Any]:
        """Give the example of each parameter that is sent in such a place, if there is one."""
        found = {}
        for one in self.told.get("parameters", []):
            if one["in"] == where and "examples" in one:
                (example,) = one["examples"].values()
                found[one["name"]] = example["value"]
        return found


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield Operation(path, method, told)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: Any = schema
    while "$ref" in found:
        place = found["$ref"].removeprefix("#/").split("/")
        found = document
        for part in place:
            found = found[part]
    return dict(found)


def bodies(document: dict[str, Any], told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the media types and examples of a body."""
    for media_type, content in told.get("requestBody", {}).get("content", {}).items():
        if "examples" in content:
            yield from ((media_type, example["value"]) for example in content["examples"].values())
        else:
            members = resolved(document, content["schema"])["properties"]
            yield media_type, {name: member["examples"][0] for name, member in members.items()}


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_who_may_take_a_route(document: dict[str, Any]) -> None:
    assert {scheme["type"] for scheme in document["components"]["securitySchemes"].values()} == {"http", "apiKey"}
    for path, method, told in operations(document):
        is_write = (path == "/ingest" and method == "post") or method == "put" or "maintenance" in path
        is_write |= path in {"/v1/polls", "/v1/write", "/api/v2/write"}
        role = None if path.startswith(("/health", "/ping")) else "writer" if is_write and method != "get" else "reader"
        role = "admin" if path.startswith(("/v1/schedules", "/v1/rules")) and method != "get" else role
        role = "writer" if path.startswith(("/v1/alerts", "/v1/silences")) and method != "get" else role
        assert told["security"] == ([] if role is None else [{"bearer": [role]}, {"key": [role]}]), path
        assert role is None or {"401", "403", "429"} <= told["responses"].keys()


def test_every_problem_has_an_example(document: dict[str, Any]) -> None:
    kinds = set(re.findall(r"^## (.+)$", PROBLEMS, re.MULTILINE))
    for path, _, told in operations(document):
        for status, answer in told["responses"].items():
            for content in answer.get("content", {}).values() if status >= "400" else ():
                for name, example in content["examples"].items():
                    problem = example["value"]
                    assert problem["status"] == int(status)
                    assert problem["detail"]
                    if path.startswith("/v1/"):
                        assert problem["type"] == f"docs/problems.md#{name}"
                        assert problem["instance"] == path
                        assert name in kinds


def test_links_lead_somewhere(document: dict[str, Any]) -> None:
    known = {told["operationId"]: told for _, _, told in operations(document)}
    assert len(known) == len(list(operations(document)))
    links = [
        (told["responses"], status, link)
        for _, _, told in operations(document)
        for status, answer in told["responses"].items()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 10
    for responses, status, link in links:
        (content,) = responses[status]["content"].values()
        parameters = {one["name"] for one in known[link["operationId"]].get("parameters", [])}
        for name, found_at in link.get("parameters", {}).items():
            assert name in parameters
            member = re.fullmatch(r"\$response\.body#/(\w+)", found_at)
            assert member
            assert member[1] in resolved(document, content["schema"])["properties"]


@pytest.fixture
def asked(settings: Settings) -> Iterator[httpx.Client]:
    """Ask a real service, whose lake has the sample and a row that could not be read."""
    write_sample(settings.data, stores=12, days=5)
    Lake(settings.lake).ingest(settings.data)
    with running(*REAL, STOREMON_RATE="off") as server, server.client() as client:
        rejected = client.put("/v1/hours", headers={"Content-Type": "text/csv"}, content=HOURS)
        assert rejected.json()["table"]["rejected"] == 1
        yield client


HOURS = "store_id,dayOfWeek,start_time_local,end_time_local\na,0,09:00,17:00\na,9,09:00,17:00\n"


def an_alert() -> str:
    """Put one into the records of the service, which are those of the environment."""
    records, made = opened_records(Settings.load()), alert()
    put(records, made)
    records.dispose()
    return made.id


def ids(client: httpx.Client, operation: Operation) -> dict[str, str]:
    """Make what an id in a path, or in a query, is of."""
    path = operation.path
    if path.startswith("/v1/reports/"):
        is_to_run = not path.endswith("/cancel")
        report = client.post("/v1/reports", params=None if is_to_run else LATER).json()["id"]
        until(lambda: not is_to_run or client.get(f"/v1/reports/{report}").json()["state"] == "complete")
        return {"report_id": report}
    if path.startswith("/get_report"):
        return {"report_id": client.post("/trigger_report").json()["report_id"]}
    if path == "/ingest/{ingest_id}":
        return {"ingest_id": client.post("/ingest", json={"path": "data"}).json()["ingest_id"]}
    if path == "/v1/maintenance/{maintenance_id}":
        row = {"store_id": "*", "starts_at_utc": "2024-10-01T00:00:00Z", "ends_at_utc": "2024-10-02T00:00:00Z"}
        return {"maintenance_id": client.post("/v1/maintenance", json=row).json()["id"]}
    return of_watching(client, path)


def of_watching(client: httpx.Client, path: str) -> dict[str, str]:
    if path.startswith("/v1/alerts/{"):
        return {"alert_id": an_alert()}
    if path.startswith("/v1/silences/"):
        wish = {"matching": {}, "ends_at": "2999-01-01", "reason": "new tills"}
        return {"silence_id": client.post("/v1/silences", json=wish).json()["id"]}
    if path.startswith("/v1/rules/"):
        assert client.put("/v1/rules/down", json={"when": "down for 15m"}).is_success
    if path.startswith("/v1/schedules/"):
        schedule = {"cron": "0 7 * * MON", "zone": "UTC", "to": ["mail:ops@example.org"], "question": {"kind": "now"}}
        assert client.put("/v1/schedules/weekly", json=schedule).is_success
    return {}


def test_every_example_works(document: dict[str, Any], asked: httpx.Client) -> None:
    without = set()
    for operation in sorted(operations(document), key=lambda each: each.method):  # PUT, which replaces tables, is last
        made, examples = ids(asked, operation), operation.examples("query")
        path = operation.path.format(**(operation.examples("path") | made))
        needed = {name: made[name] for name in examples if name in made}
        headers = operation.examples("header")
        without |= {one["name"] for one in operation.told.get("parameters", []) if "examples" not in one}
        for media_type, value in [*bodies(document, operation.told)] or [("", None)]:
            sent = {"content": value} if isinstance(value, str) else {"json": value} if media_type else {}
            given = headers | ({"Content-Type": media_type} if media_type else {})
            for name in [*examples] or [""]:
                chosen = needed | {
                    each: examples[each] for each in (name, NEEDS.get(name)) if each and each not in made
                }
                answer = asked.request(operation.method, path, params=chosen, headers=given, **sent)
                assert answer.is_success, (operation.method, path, chosen, answer.text)
    assert without == {"cursor"}


def beyond(schema: dict[str, Any]) -> Iterator[Any]:
    """Give values that are beyond each limit of a schema."""
    for each in schema.get("oneOf", []):
        yield from beyond(each)
    if "items" in schema:
        yield from ([value] for value in beyond(schema["items"]))
        yield ["x"] * (schema["maxItems"] + 1)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "minimum" in schema:
        yield schema["minimum"] - 1
        yield schema["maximum"] + 1
    if "pattern" in schema:
        yield "no such thing"
    if "enum" in schema:
        yield from (f"{schema['enum'][0]}x", "")
    if schema.get("type") == "boolean":
        yield "maybe"


def test_every_limit_holds(document: dict[str, Any], asked: httpx.Client) -> None:
    count = 0
    for operation in operations(document):
        path = operation.path.format(**(operation.examples("path") | ids(asked, operation)))
        for one in operation.told.get("parameters", []):
            for value in beyond(one["schema"]) if one["in"] != "path" else ():
                sent: dict[str, Any] = {one["name"]: value if isinstance(value, list) else str(value)}
                in_query = one["in"] == "query"
                answer = asked.request(
                    operation.method, path, params=sent if in_query else None, headers=None if in_query else sent
                )
                assert answer.status_code == 400, (path, sent, answer.text)
                assert operation.method == "head" or answer.json()["detail"]
                count += 1
    assert count > 100


def test_every_limit_of_a_body_holds(document: dict[str, Any], asked: httpx.Client) -> None:
    for path in ("/v1/reports", "/v1/maintenance", "/ingest"):
        told = document["paths"][path]["post"]
        schema = told["requestBody"]["content"]["application/json"]["schema"]
        members = resolved(document, schema.get("oneOf", [schema])[0])["properties"]
        ((_, good),) = bodies(document, told)
        assert asked.post(path, json=good).is_success
        for name, member in members.items():
            for value in beyond(member):
                answer = asked.post(path, json=good | {name: value})
                assert answer.status_code == 400, (name, value, answer.text)
