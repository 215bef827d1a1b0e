"""Alerts, silences and rules over HTTP: by pages, by roles, for keys that see some stores only, and under abuse."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import Engine

from storemon.intake.lake import Lake
from storemon.records.keys import opened_keys
from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.book import Book
from storemon.watch.outbox import Outbox
from storemon.watch.watcher import Watcher
from tests.service.server import REAL, running
from tests.service.waiting import until
from tests.watch.alerting import FIRED_AT, alert, put
from tests.watch.receiving import Hook

Client = TestClient[Litestar]
LATER = "2999-01-01T00:00:00Z"
RULE = {"when": "down for 15m", "where": ["region=West"], "severity": "critical", "recovery": "5m"}
TAGS = "store_id,region,brand\n1,West,Acme\n2,West,Best\n3,East,Acme\n"


@pytest.fixture
def records(settings: Settings) -> Iterator[Engine]:
    opened = opened_records(settings)
    yield opened
    opened.dispose()


@pytest.fixture
def tagged(lake: Lake, client: Client) -> Client:
    Path("stores.csv").write_text(TAGS)
    lake.ingest("stores.csv")
    return client


def key(settings: Settings, role: Literal["reader", "writer", "admin"], **sees: str) -> dict[str, str]:
    with opened_keys(settings) as keys:
        return {"X-API-Key": keys.create(role, sees)[1]}


def silence(**other: Any) -> dict[str, Any]:
    return {"matching": {"region": "West"}, "ends_at": LATER, "reason": "new tills"} | other


def test_alerts_by_pages_and_by_what_they_are(records: Engine, client: Client) -> None:
    kept = [alert(str(place), fired_at=FIRED_AT + place // 2) for place in range(7)]  # some at the same instant
    closed = alert("8", rule="silent", kind="silent", fired_at=0, resolved_at=5, closed_at=6)
    put(records, *kept, closed)
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"/v1/alerts?limit=3{cursor and f'&cursor={cursor}'}").json()
        found += page["rows"]
        cursor = page["next"]
        if len(found) == 3:
            put(records, alert("new", fired_at=FIRED_AT + 99))  # a newer one moves nothing
    latest = sorted(kept, key=lambda each: (each.fired_at, each.id), reverse=True)
    assert [row["id"] for row in found] == [*(each.id for each in latest), closed.id]
    assert found[-1]["state"] == "closed"
    assert found[-1]["fired_at"] == "1970-01-01T00:00:00Z"

    def subjects(query: str) -> list[str]:
        return [row["subject"] for row in client.get(f"/v1/alerts?{query}").json()["rows"]]

    assert subjects("state=closed") == subjects("rule=silent") == subjects("subject=8") == ["8"]
    assert subjects("state=acknowledged") == subjects("rule=other") == []
    assert len(subjects("state=open")) == 8


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "state=gone",
        "rule=%00",
        "subject=%00",
        "sort=id",
        "rule=a&rule=b",
    ],
)
def test_what_is_asked_wrongly_is_told(client: Client, query: str) -> None:
    answer = client.get(f"/v1/alerts?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "docs/problems.md#wrong-question")


def test_forged_cursors_are_refused(client: Client) -> None:
    for place in ([10**30, str(uuid4())], [2**63, str(uuid4())], [1, "x"], [1, "\0"], []):
        forged = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        assert client.get(f"/v1/alerts?cursor={forged}").status_code == 400, place


def test_an_alert_is_acknowledged_more_than_once(records: Engine, client: Client) -> None:
    one = alert()
    put(records, one)
    path = f"/v1/alerts/{one.id}"
    assert [event["what"] for event in client.get(path).json()["events"]] == ["fired"]
    first = client.post(f"{path}/acknowledge", json={"reason": "I am on it"}).json()
    assert (first["state"], first["acknowledged_by"]) == ("acknowledged", "anybody")
    again = client.post(f"{path}/acknowledge", json={"reason": "still"}).json()
    assert again["acknowledged_at"] == first["acknowledged_at"]
    assert [(event["what"], event.get("reason")) for event in again["events"][1:]] == [
        ("acknowledged", "I am on it"),
        ("acknowledged", "still"),
    ]
    assert client.get(path).json() == again


def test_what_cannot_be_acknowledged(records: Engine, client: Client) -> None:
    one, over = alert(), alert("5", resolved_at=FIRED_AT, closed_at=FIRED_AT)
    put(records, one, over)
    answer = client.post(f"/v1/alerts/{over.id}/acknowledge", json={"reason": "late"})
    assert (answer.status_code, answer.json()["type"]) == (409, "docs/problems.md#conflict")
    for wrong in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 1001}, {"reason": "\0"}, {"reason": 1}):
        assert client.post(f"/v1/alerts/{one.id}/acknowledge", json=wrong).status_code == 400, wrong
    assert client.post(f"/v1/alerts/{one.id}/acknowledge", json={"reason": "x", "author": "me"}).status_code == 400
    assert client.get(f"/v1/alerts/{one.id}").json()["state"] == "open"
    for method, path in (("GET", ""), ("POST", "/acknowledge")):
        body = {"reason": "x"} if method == "POST" else None
        assert client.request(method, f"/v1/alerts/{uuid4()}{path}", json=body).status_code == 404
        assert client.request(method, f"/v1/alerts/4711{path}", json=body).status_code == 400


def test_a_key_sees_alerts_of_its_stores_only(settings: Settings, records: Engine, client: Client) -> None:
    west = alert("1", tags={"region": "West", "brand": "Acme"})
    east = alert("3", tags={"region": "East"}, fired_at=FIRED_AT + 1)
    none = alert("4", tags={"brand": "Acme"}, fired_at=FIRED_AT + 2)
    group = alert("region=West", kind="group", rule="many", tags={"region": "West"}, fired_at=FIRED_AT + 3)
    others = alert("brand=Acme", kind="group", rule="many", tags={"brand": "Acme"}, fired_at=FIRED_AT + 4)
    put(records, west, east, none, group, others)
    everything, of_west, of_none = (
        key(settings, "admin"),
        key(settings, "writer", region="West"),
        key(settings, "reader", region=""),
    )
    both = key(settings, "reader", region="West", brand="Acme")

    def seen(headers: dict[str, str], query: str = "") -> set[str]:
        return {row["subject"] for row in client.get(f"/v1/alerts{query}", headers=headers).json()["rows"]}

    assert len(seen(everything)) == 5
    assert seen(of_west) == {"1", "region=West"}
    assert seen(both) == {"1"}
    assert seen(of_none) == {"4"}
    page = client.get("/v1/alerts?limit=1", headers=of_west).json()
    assert [row["subject"] for row in page["rows"]] == ["region=West"]
    rest = client.get(f"/v1/alerts?limit=5&cursor={page['next']}", headers=of_west).json()
    assert ([row["subject"] for row in rest["rows"]], rest["next"]) == (["1"], None)
    assert rest["rows"][0]["share"] is None  # other stores of its group are among those counted
    assert client.get(f"/v1/alerts/{west.id}", headers=everything).json()["share"]["open"] == 14
    for hidden in (east, none, others):
        assert client.get(f"/v1/alerts/{hidden.id}", headers=of_west).status_code == 404
        answer = client.post(f"/v1/alerts/{hidden.id}/acknowledge", json={"reason": "x"}, headers=of_west)
        assert answer.status_code == 404
    answer = client.post(f"/v1/alerts/{west.id}/acknowledge", json={"reason": "x"}, headers=of_west)
    assert answer.status_code == 200


def test_roles(settings: Settings, records: Engine, tagged: Client) -> None:
    one = alert()
    put(records, one)
    reader, writer, admin = (key(settings, role) for role in ("reader", "writer", "admin"))
    acknowledging, silencing = f"/v1/alerts/{one.id}/acknowledge", "/v1/silences"
    asked = (
        ("GET", "/v1/alerts", None, "reader"),
        ("GET", "/v1/rules", None, "reader"),
        ("GET", silencing, None, "reader"),
        ("POST", acknowledging, {"reason": "x"}, "writer"),
        ("POST", silencing, silence(), "writer"),
        ("PUT", "/v1/rules/one", RULE, "admin"),
        ("DELETE", "/v1/rules/one", None, "admin"),
    )
    for method, path, body, role in asked:
        allowed = []
        for name, headers in (("reader", reader), ("writer", writer), ("admin", admin)):
            answer = tagged.request(method, path, json=body, headers=headers)
            assert answer.is_success or answer.status_code == 403, answer.text
            if answer.is_success:
                allowed.append(name)
        assert allowed == ["reader", "writer", "admin"][["reader", "writer", "admin"].index(role) :], path
        assert tagged.request(method, path, json=body).status_code == 401
    told = tagged.get(f"/v1/alerts/{one.id}", headers=admin).json()
    assert told["acknowledged_by"] not in {None, "anybody"}
    assert len({event.get("author") for event in told["events"]}) == 3  # nobody, the writer, the admin


def test_a_silence_begins_and_ends(tagged: Client) -> None:
    added = tagged.post("/v1/silences", json=silence(matching={"region": "West", "severity": "critical"}))
    assert added.status_code == 201
    path = added.headers["location"]
    assert tagged.get(path).json() == added.json()
    assert added.json()["ends_at"] == LATER
    assert [row["id"] for row in tagged.get("/v1/silences").json()["rows"]] == [added.json()["id"]]
    ended = tagged.post(f"{path}/end")
    assert ended.status_code == 200
    assert datetime.fromisoformat(ended.json()["ends_at"]) < datetime.now(UTC) + timedelta(minutes=1)
    assert tagged.post(f"{path}/end").json() == ended.json()  # once is enough
    assert tagged.get("/v1/silences").json() == {"rows": []}
    assert tagged.get("/v1/silences?ended=true").json() == {"rows": [ended.json()]}
    assert tagged.get(f"/v1/silences/{uuid4()}").status_code == 404
    assert tagged.post(f"/v1/silences/{uuid4()}/end").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"matching": {"regoin": "West"}}, "did you mean region"),
        ({"matching": {"region": "Wset"}}, "did you mean West"),
        ({"matching": {"rule": "dwn"}}, "did you mean down"),
        ({"matching": {"severity": "grave"}}, "there is no severity 'grave'"),
        ({"matching": {"subject": "4711"}}, "there is no store and no group '4711'"),
        ({"matching": {"subject": "region=South"}}, "there is no store and no group"),
        ({"matching": {"": "West"}}, "write it like region=West"),
        ({"matching": {"region": "\0"}}, "a condition has a name and a value"),
        ({"matching": {"region": "x" * 501}}, "up to 500 characters"),
        ({"matching": {str(place): "x" for place in range(21)}}, ""),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "over before it begins"),
        ({"ends_at": "soon"}, "'soon' is not an instant"),
        ({"starts_at": "9999-01-01T00:00:00Z"}, "over before it begins"),
        ({"reason": " "}, "there is no reason"),
        ({"end_at": LATER}, "end_at"),
    ],
)
def test_a_silence_that_matches_nothing_is_told(tagged: Client, wrong: dict[str, Any], said: str) -> None:
    assert tagged.put("/v1/rules/down", json={"when": "down for 15m"}).status_code == 201
    answer = tagged.post("/v1/silences", json=silence(**wrong))
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]
    assert tagged.get("/v1/silences").json() == {"rows": []}


def test_a_silence_can_name_what_a_rule_asks_about(records: Engine, tagged: Client) -> None:
    assert tagged.put("/v1/rules/many", json={"when": "2 stores down by region"}).status_code == 201
    put(records, alert("gone", rule="gone"))
    for matching in (
        {"subject": "region=West"},
        {"subject": "1"},
        {"subject": "gone"},
        {"rule": "many"},
        {"rule": "gone"},
        {},
    ):
        assert tagged.post("/v1/silences", json=silence(matching=matching)).status_code == 201, matching


def test_a_key_silences_its_own_stores_only(settings: Settings, records: Engine, tagged: Client) -> None:
    everything, of_west = key(settings, "admin"), key(settings, "writer", region="West")
    refused = tagged.post("/v1/silences", json=silence(matching={"rule": "down"}), headers=of_west)
    assert refused.status_code == 403
    assert "add region=West" in refused.json()["detail"]
    own = tagged.post("/v1/silences", json=silence(), headers=of_west)
    assert own.status_code == 201
    of_all = tagged.post("/v1/silences", json=silence(matching={"brand": "Acme"}), headers=everything)
    assert [row["id"] for row in tagged.get("/v1/silences", headers=of_west).json()["rows"]] == [own.json()["id"]]
    for method, what in (("GET", ""), ("POST", "/end")):
        hidden = f"/v1/silences/{of_all.json()['id']}{what}"
        assert tagged.request(method, hidden, headers=of_west).status_code == 404
    put(records, alert("3"))
    unseen = tagged.post("/v1/silences", json=silence(matching={"region": "West", "subject": "3"}), headers=of_west)
    assert unseen.status_code == 400  # the store is in the East: nothing tells that it is there
    unnamed = tagged.post("/v1/silences", json=silence(matching={"region": "West", "rule": "x"}), headers=of_west)
    assert unnamed.json()["detail"] == "there is no rule 'x'"
    lacking = key(settings, "writer", region="")
    assert tagged.post("/v1/silences", json=silence(matching={"region": ""}), headers=lacking).status_code == 403
    assert tagged.get("/v1/rules", headers=of_west).status_code == 403


def test_rules_are_sent_changed_and_forgotten(settings: Settings, client: Client) -> None:
    settings.rules.write_text('[[rules]]\nname = "of file"\nwhen = "silent for 2h"\n')
    made = client.put("/v1/rules/west", json=RULE)
    assert made.status_code == 201
    assert made.json() == {
        "name": "west",
        "kind": "down",
        "condition": "down for 15m",
        "of_file": False,
        "parts": {"name": "west", **RULE},
    }
    assert client.put("/v1/rules/west", json=made.json()["parts"]).status_code == 200  # what is told can be sent
    assert client.get("/v1/rules/west").json() == made.json()
    rows = client.get("/v1/rules").json()["rows"]
    assert [(row["name"], row["of_file"]) for row in rows] == [("of file", True), ("west", False)]
    for answer in (client.put("/v1/rules/of file", json=RULE), client.delete("/v1/rules/of file")):
        assert (answer.status_code, answer.json()["type"]) == (409, "docs/problems.md#conflict")
    assert client.delete("/v1/rules/west").status_code == 204
    for answer in (client.get("/v1/rules/west"), client.delete("/v1/rules/west")):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"when": "dwn for 15m"}, "did you mean something like 'down for 15m'"),
        ({"when": "down for 15m", "chanels": []}, "did you mean channels"),
        ({"when": "down for 15m", "channels": ["nobody"]}, "there is no channel 'nobody'"),
        ({"when": "down for 15m", "name": "other"}, "name it once"),
        ({"when": "down for 15m", "title": "{{ x"}, "title"),
        ({"when": "down for 15m", "text": "\0"}, "NUL"),
        ({"when": 5}, "when"),
        ({}, "when"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_told(client: Client, body: dict[str, Any], said: str) -> None:
    answer = client.put("/v1/rules/one", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]
    assert client.get("/v1/rules").json() == {"rows": []}


def test_a_large_rule_is_refused(client: Client) -> None:
    answer = client.put("/v1/rules/one", json=RULE | {"text": "x" * 70_000})
    assert (answer.status_code, answer.json()["type"]) == (413, "docs/problems.md#too-large")


def test_what_a_look_finds_is_told(settings: Settings, records: Engine, tagged: Client) -> None:
    """A rule that is sent, a look by the clock, and its alert with all that happened to it."""
    assert tagged.put("/v1/rules/silent", json={"when": "silent for 15m", "by": "region"}).status_code == 201
    looked = Watcher(settings, records, Book(settings, records), Outbox(records)).look()
    assert looked is not None
    rows = tagged.get("/v1/alerts").json()["rows"]
    assert looked.fired == len(rows) == 3
    told = tagged.get(f"/v1/alerts/{rows[0]['id']}").json()
    assert (told["state"], told["kind"], told["events"][0]["what"]) == ("open", "silent", "fired")
    assert told["facts"]["last_polled_at"].startswith("2024-10-")
    assert tagged.delete("/v1/rules/silent").status_code == 204


def test_a_replay_of_the_rules_in_force(settings: Settings, tagged: Client) -> None:
    assert tagged.get("/v1/alerts/replay?window=3d").json() == []
    assert tagged.put("/v1/rules/down", json={"when": "down for 15m"}).status_code == 201
    answer = tagged.get("/v1/alerts/replay?window=30d&format=json")
    assert answer.status_code == 200, answer.text
    assert {row["subject"] for row in answer.json()} == {"3"}
    assert set(answer.json()[0]) == {
        *("rule", "subject", "kind", "severity", "fired_at", "resolved_at", "stale", "notices")
    }
    again = tagged.get("/v1/alerts/replay?window=30d&format=json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert tagged.put("/v1/rules/down", json={"when": "down for 30m"}).status_code == 200
    other = tagged.get("/v1/alerts/replay?window=30d&format=json", headers={"If-None-Match": answer.headers["etag"]})
    assert other.status_code == 200
    for wrong in ("policy=nearest", "every=0m", "every=fast", "window=1d&window=2d", "rules=x"):
        assert tagged.get(f"/v1/alerts/replay?{wrong}").status_code == 400, wrong
    limited = key(settings, "admin", region="West")
    assert tagged.get("/v1/alerts/replay", headers=limited).status_code == 403


def test_a_real_service_watches(settings: Settings) -> None:
    """Rules in a file, a service in two processes that watches, and a webhook that hears of it once."""
    now = datetime.now(UTC)
    Path("data/store_status.csv").write_text(
        "store_id,status,timestamp_utc\n"
        + "".join(
            f"1,{state},{now - timedelta(minutes=ago):%Y-%m-%d %H:%M:%S} UTC\n"
            for state, ago in (("active", 90), ("inactive", 60))
        )
    )
    Path("data/menu_hours.csv").unlink()
    Lake(settings.lake).ingest("data")
    with Hook() as hook:
        settings.rules.write_text(
            f'[channels.hook]\nto = "{hook.url}"\nsecret = "whsec_c2VjcmV0"\nprivate = true\n'
            '[[rules]]\nname = "down"\nwhen = "down for 15m"\nchannels = ["hook"]\n'
        )
        with (
            running(*REAL, workers=2, STOREMON_WATCH="true", STOREMON_WATCH_EVERY="1s") as server,
            server.client() as client,
        ):
            (told,) = until(lambda: client.get("/v1/alerts").json()["rows"])
            assert told["subject"] == "1"
            until(lambda: hook.posted)
            assert client.get("/health").json()["reasons"] == []
            scraped = until(lambda: _told_of_a_look(client))
            assert 'storemon_alerts_open{acknowledged="false",rule="down",severity="warning"} 1.0' in scraped
            assert 'storemon_notices{channel="hook",state="dead"} 0.0' in scraped
            assert 'storemon_notice_sendings_total{channel="hook",outcome="sent"} 1.0' in scraped
        assert len({each.headers["webhook-id"] for each in hook.posted}) == 1


def _told_of_a_look(client: httpx.Client) -> str | None:
    text = client.get("/metrics").text
    return text if "storemon_watch_look_age_seconds" in text and 'outcome="sent"' in text else None
