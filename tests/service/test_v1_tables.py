"""Facts that are loaded over HTTP: whole tables with the counts of an ingestion, and single maintenance."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.intake.lake import Lake
from storemon.records.keys import opened_keys
from storemon.settings import Settings
from tests.lake.contents import contents

Client = TestClient[Litestar]
CSV, JSON, NDJSON = ({"Content-Type": kind} for kind in ("text/csv", "application/json", "application/x-ndjson"))
TABLES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "hours": (
        "menu_hours",
        [
            {"store_id": "1", "dayOfWeek": day, "start_time_local": "08:00", "end_time_local": "9:30 PM"}
            for day in ("Mon", 1, "6")
        ],
    ),
    "zones": ("timezones", [{"store_id": "1", "tz": "europe/berlin"}, {"store_id": "=2", "tz": "Asia/Kathmandu"}]),
    "stores": ("stores", [{"store_id": "1", "region": 'We"st, really', "open": True}, {"store_id": "2", "rank": 7}]),
    "special-hours": (
        "special_hours",
        [{"store_id": "*", "date": "2024-12-25", "start_time_local": None, "end_time_local": ""}],
    ),
    "maintenance": (
        "maintenance",
        [
            {
                "store_id": "1",
                "starts_at_utc": "2024-10-14 09:00:00 UTC",
                "ends_at_utc": "2024-10-14T12:00:00Z",
                "reason": "x",
            },
            {"store_id": "*", "starts_at_utc": 1_728_000_000, "ends_at_utc": 1_728_003_600, "reason": "x"},
        ],
    ),
}


def as_csv(rows: list[dict[str, Any]]) -> str:
    names = [*dict.fromkeys(name for row in rows for name in row)]
    cells = [[json_cell(row.get(name)) for name in names] for row in rows]
    return "\n".join([",".join(names), *(",".join(line) for line in cells), ""])


def json_cell(value: Any) -> str:
    text = "" if value is None else str(value).lower() if value is True else str(value)
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_replaced_as_by_a_file(name: str, lake: Lake, client: Client, tmp_path: Path) -> None:
    """In any form: who comes after the first one says nothing new."""
    stem, rows = TABLES[name]
    names = dict.fromkeys(key for row in rows for key in row)
    lines = "".join(json.dumps({key: row.get(key) for key in names}) + "\n" for row in rows)
    sent = [(JSON, json.dumps(rows)), (CSV, as_csv(rows)), (NDJSON, lines)]
    for nth, (headers, body) in enumerate(sent):
        answer = client.put(f"/v1/{name}", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        table = answer.json()["table"]
        assert (table["file"], table["read"], table["rejected"]) == (f"PUT /v1/{name}", len(rows), 0)
        assert (table["known"] if nth else table["added"]) == len(rows)
    file = tmp_path / f"{stem}.csv"
    file.write_text(as_csv(rows))
    (again,) = lake.ingest(file).tables
    assert (again.added, again.known) == (0, len(rows))


def test_what_can_not_be_read_is_told_and_kept(lake: Lake, client: Client) -> None:
    body = "store_id,timezone_str\n1,Europe/Paris\n2,Mars/Base\n"
    told = client.put("/v1/zones", content=body, headers=CSV).json()
    assert (told["table"]["added"], told["table"]["rejected"]) == (1, 1)
    assert told["table"]["examples"] == [[3, "2,Mars/Base", next(iter(told["table"]["reasons"]))]]
    assert any("America/Chicago" in weakness for weakness in told["weaknesses"])
    (rejected,) = client.get("/v1/rejected").json()
    assert (rejected["file"], rejected["line"]) == ("PUT /v1/zones", 3)
    client.put("/v1/zones", content=body.replace("Mars/Base", "UTC"), headers=CSV)
    assert client.get("/v1/rejected").json() == []
    assert contents(lake.path).zones == {("1", "Europe/Paris"), ("2", "UTC")}


WRONG = {
    ("zones", "text/csv", "store_id,timezone_str\n1,Mars/Base\n"): "none of the 1 rows can be read",
    ("zones", "text/csv", "a,b\n1,2\n"): "the body has no column",
    ("zones", "text/csv", ""): "the body is empty",
    ("zones", "application/json", "{}"): "the body is no JSON array of objects",
    ("zones", "application/json", '[{"store_id": ["1"]}]'): "the body is no JSON array of objects",
    ("zones", "application/json", json.dumps([{f"a{n}": 1} for n in range(1001)])): "1,001 different members",
    ("zones", "application/json", "["): "the body is no JSON array of objects",
    ("hours", "application/json", '[{"store_id": "1"}]'): "the body has no column",
    ("hours", "application/x-ndjson", "nothing\n"): "",
}


def test_what_replaces_nothing(lake: Lake, client: Client) -> None:
    before = contents(lake.path)
    for (name, media_type, body), said in WRONG.items():
        answer = client.put(f"/v1/{name}", content=body, headers={"Content-Type": media_type})
        assert (answer.status_code, body) == (400, body)
        assert said in answer.json()["detail"]
        assert gettempdir() not in answer.text
        after = contents(lake.path)
        assert (after.zones, after.hours) == (before.zones, before.hours)


def test_a_full_disk_is_not_the_fault_of_who_asks(lake: Lake, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(lake.path)
    monkeypatch.setattr("storemon.intake.ingest.shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    answer = client.put("/v1/zones", headers=CSV, content="store_id,timezone_str\n1,Asia/Kathmandu\n")
    assert (answer.status_code, answer.json()["type"]) == (503, "docs/problems.md#facts-out-of-reach")
    assert "0 MB of disk space are free" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    assert contents(lake.path) == before


def test_another_media_type(client: Client) -> None:
    answer = client.put("/v1/zones", content="<zones/>", headers={"Content-Type": "text/xml"})
    assert (answer.status_code, answer.json()["type"]) == (415, "docs/problems.md#wrong-body")


def test_a_table_is_emptied(lake: Lake, client: Client) -> None:
    assert contents(lake.path).zones
    assert client.put("/v1/zones", json=[]).json()["table"]["read"] == 0
    assert not contents(lake.path).zones


def test_one_maintenance(lake: Lake, client: Client) -> None:
    one = {"store_id": "1", "starts_at_utc": "2024-10-14 13:00:00 UTC", "ends_at_utc": "2024-10-14 14:00:00 UTC"}
    before = client.get("/v1/report?measures=excluded").json()
    added = client.post("/v1/maintenance", json=one | {"reason": "paint"})
    assert added.status_code == 201
    other = client.post("/v1/maintenance", json=one | {"store_id": "*"}).json()["id"]
    again = client.post("/v1/maintenance", json=one | {"reason": "paint"})
    assert again.json() == added.json() != {"id": other}
    rows = client.get("/v1/maintenance").json()
    assert {row["id"] for row in rows} == {added.json()["id"], other}
    at = datetime(2024, 10, 14, 13, tzinfo=UTC)
    assert ("1", at, at.replace(hour=14), "paint") in contents(lake.path).maintenance
    assert client.get("/v1/report?measures=excluded").json() != before
    for maintenance_id, status in (
        (added.json()["id"], 204),
        (added.json()["id"], 404),
        ("nothing", 404),
        (other, 204),
    ):
        assert client.delete(f"/v1/maintenance/{maintenance_id}").status_code == status
    assert client.get("/v1/report?measures=excluded").json() == before


def test_no_maintenance(client: Client) -> None:
    one = {"store_id": "1", "starts_at_utc": "2024-10-14 13:00:00 UTC", "ends_at_utc": "2024-10-14 14:00:00 UTC"}
    changes: dict[str, dict[str, Any]] = {
        "starts_at_utc is not an instant": {"starts_at_utc": "soon"},
        "ends_at_utc is not after starts_at_utc": {"ends_at_utc": "2024-10-14 13:00:00 UTC"},
        "store_id is empty": {"store_id": ""},
        "store_id": {"store_id": None},
        "ends_at_utc": {"ends_at_utc": 7},
    }
    for said, change in changes.items():
        answer = client.post("/v1/maintenance", json=one | change)
        assert (answer.status_code, change) == (400, change)
        assert said in answer.json()["detail"]
    assert client.get("/v1/maintenance").json() == []


def test_who_may_write(settings: Settings, lake: Lake, client: Client) -> None:  # noqa: ARG001 - there are polls
    with opened_keys(settings) as keys:
        (_, reader), (_, writer), (_, filtered) = (
            keys.create("reader"),
            keys.create("writer"),
            keys.create("writer", {"region": "West"}),
        )
    for method, path in (("PUT", "/v1/zones"), ("POST", "/v1/maintenance"), ("DELETE", "/v1/maintenance/x")):
        statuses = [
            client.request(method, path, headers={"X-API-Key": key}, json=[]).status_code
            for key in ("", reader, filtered, writer)
        ]
        assert statuses[:3] == [401, 403, 403]
        assert statuses[3] in {200, 400, 404}
