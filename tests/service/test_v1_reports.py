"""Reports that are made meanwhile, under /v1: asked once, listed, followed, downloaded in parts, deleted."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import RequestFactory, TestClient

from storemon.intake.lake import Lake
from storemon.records.jobs import Jobs
from storemon.records.keys import opened_keys
from storemon.service import work
from storemon.service.app import create_app
from storemon.service.v1.files import sent
from storemon.service.v1.reports import LARGEST_QUESTION
from storemon.settings import Settings
from tests.service.conftest import POLLS, write_csvs
from tests.service.test_app import Stuck, stuck, stuck_client  # noqa: F401 - fixtures
from tests.service.test_v1_answers import FORMS, read
from tests.service.waiting import trigger, until

Client = TestClient[Litestar]
QUESTION = {"window": ["3d", "yesterday"], "measures": "availability,downtime", "wide": True}


@pytest.fixture
def asked(lake: Lake, client: Client) -> Client:  # noqa: ARG001 - there are polls
    return client


def made(
    client: Client, question: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Ask for a report and wait for its end."""
    answer = client.post("/v1/reports", json=question, headers=headers)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/reports/{answer.json()['id']}"

    def look() -> dict[str, Any] | None:
        told: dict[str, Any] = client.get(answer.headers["location"], headers=headers).json()
        return None if told["state"] in ("queued", "running") else told

    return until(look)


@pytest.mark.parametrize("question", [None, {}, QUESTION, {"every": "day", "window": "3d", "overall": True}])
def test_it_is_the_straight_answer(question: dict[str, Any] | None, asked: Client) -> None:
    told = made(asked, question)
    assert (told["state"], told["question"], told["starts"]) == ("complete", question or {}, 1)
    straight = asked.get("/v1/report", params={**(question or {})})
    assert straight.status_code == 200
    assert told["rows"] == len(straight.json())
    assert told["as_of"] == straight.headers["x-as-of"]
    for form in FORMS:
        content = asked.get(f"{told['content']}?format={form}")
        direct = asked.get("/v1/report", params={**(question or {}), "format": form})
        assert content.status_code == 200
        assert content.headers["content-type"] == FORMS[form]
        assert read(content, form) == read(direct, form)
        assert content.headers["content-disposition"].endswith(f'-{told["id"][:8]}.{form}"')


def test_it_is_a_document_of_its_own_facts(asked: Client, settings: Settings, lake: Lake) -> None:
    told = made(asked, {"window": "3d", "overall": True})
    direct = asked.get("/v1/report", params={"window": "3d", "overall": True, "format": "pdf"})
    write_csvs(settings.data, POLLS + "3,active,2024-10-15 00:00:00 UTC\n")
    lake.ingest(settings.data)
    content = asked.get(f"{told['content']}?format=pdf")
    assert content.headers["content-type"] == "application/pdf"
    assert content.headers["content-disposition"].endswith(f'-{told["id"][:8]}.pdf"')
    assert content.content == direct.content
    assert asked.get(f"{told['content']}?format=pdf", headers={"Range": "bytes=0-7"}).content == b"%PDF-1.7"
    assert asked.delete(f"/v1/reports/{told['id']}").status_code == 204
    assert not [*settings.reports.glob(f"{told['id']}*")]


def test_a_report_of_more_than_a_document_tells(asked: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked.get(f"{made(asked, QUESTION)['content']}?format=pdf")
    assert answer.status_code == 400
    assert "a PDF tells of one window" in answer.json()["detail"]
    told = made(asked)
    monkeypatch.setattr(work, "MOST_STORES_OF_A_DOCUMENT", 2)
    answer = asked.get(f"{told['content']}?format=pdf")
    assert answer.status_code == 400
    assert "there are 3 stores, and a PDF is made of 2 at the most" in answer.json()["detail"]


def test_it_stays_on_its_facts(settings: Settings, lake: Lake, client: Client) -> None:
    told = made(client)
    before = client.get(told["content"]).content
    write_csvs(settings.data, POLLS + "1,inactive,2024-10-14 23:50:00 UTC\n")
    lake.ingest(settings.data)
    assert client.get(f"{told['content']}?format=csv").content == before
    assert client.get(made(client)["content"]).content != before


def test_a_key_gives_the_same_report(asked: Client) -> None:
    def ask(key: str, question: dict[str, Any]) -> httpx.Response:
        return asked.post("/v1/reports", json=question, headers={"Idempotency-Key": key})

    first, again, other = ask("one", QUESTION), ask("one", QUESTION), ask("two", QUESTION)
    assert [answer.status_code for answer in (first, again, other)] == [202, 200, 202]
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    refused = ask("one", {"window": "3d"})
    assert (refused.status_code, refused.json()["type"]) == (422, "docs/problems.md#key-used")
    assert ask("", QUESTION).status_code == 400
    assert ask("k" * 256, QUESTION).status_code == 400
    assert len(asked.get("/v1/reports").json()["rows"]) == 2


WRONG = {
    '{"windw": "3d"}': "there is no parameter 'windw'; did you mean window or wide?",
    '{"window": "zz"}': "'zz' is not a window",
    '{"window": {"a": 1}}': "window must be a text, or a list of texts",
    '{"measures": "speed"}': "speed",
    '{"every": "minute"}': "there is no unit 'minute'",
    '{"every": "day", "window": ["1d", "2d"]}': "a series cuts one window",
    '{"policy": "guess"}': "there is no policy 'guess'",
    '{"as_of": "now"}': "'now' is not an instant",
    '{"carry_limit": "0d"}': "carry_limit=0d",
    '{"target": "101"}': "101",
    '{"where": "nothing"}': "nothing",
    '{"overall": 2}': "overall is '2'; it can be true or false",
    '{"wide": null}': "wide must be a text",
    "[1]": "body",
    "{": "truncated",
    "\xff": "malformed",
}


def test_what_is_wrong_is_said_at_once(asked: Client) -> None:
    for body, said in WRONG.items():
        content = body.encode("latin-1")
        answer = asked.post("/v1/reports", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, body) == (400, body)
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in answer.json()["detail"]
    assert asked.get("/v1/reports").json()["rows"] == []


def test_the_list_is_newest_first_and_by_pages(asked: Client) -> None:
    triggered = trigger(asked)
    made_ids = [made(asked)["id"] for _ in range(4)]
    found, cursor = [], ""
    while cursor is not None:
        page = asked.get(f"/v1/reports?limit=2{cursor and f'&cursor={cursor}'}").json()
        assert len(page["rows"]) <= 2
        found += [row["id"] for row in page["rows"]]
        cursor = page["next"]
        if len(found) == 2:
            made(asked)  # a newer one moves nothing
    assert found == [*made_ids[::-1], triggered]
    assert asked.get("/v1/reports?state=failed").json() == {"rows": [], "next": None}
    for wrong in ("limit=0", "limit=1001", "limit=x", "limit=0000000019999", "cursor=x", "state=gone", "sort=id"):
        assert asked.get(f"/v1/reports?{wrong}").status_code == 400
    for place in ([10**30, triggered], [2**63, triggered], [-1, triggered], [1, "x"], [1, "\0"]):
        forged = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        assert asked.get(f"/v1/reports?cursor={forged}").status_code == 400, place


def test_a_triggered_report_has_its_csv_here_too(asked: Client) -> None:
    triggered = trigger(asked)
    path = f"/v1/reports/{triggered}"
    until(lambda: asked.get(path).json()["state"] == "complete")
    assert asked.get(f"{path}/content").content == asked.get(f"/get_report/{triggered}").content
    assert asked.get(f"{path}/content?format=json").status_code == 406
    assert asked.get(f"/get_report/{made(asked)['id']}").status_code == 410


def test_a_part_of_it(asked: Client) -> None:
    path = made(asked)["content"]
    whole = asked.get(path)
    content, etag, changed_at = whole.content, whole.headers["etag"], whole.headers["last-modified"]
    size = len(content)
    head = asked.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))
    assert head.headers["accept-ranges"] == "bytes"
    parts = {
        "bytes=0-9": (0, 10),
        "bytes=10-": (10, size),
        "bytes=-5": (size - 5, size),
        f"bytes=5-{size + 99}": (5, size),
        f"bytes=-{size + 99}": (0, size),
        f"bytes={size - 1}-": (size - 1, size),
    }
    for asked_for, (first, last) in parts.items():
        part = asked.get(path, headers={"Range": asked_for})
        assert (part.status_code, part.content) == (206, content[first:last])
        assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
        assert part.headers["content-length"] == str(last - first)
    for nothing in (f"bytes={size}-", "bytes=9-5", "bytes=-0", "bytes=999999999999999999999-"):
        answer = asked.get(path, headers={"Range": nothing})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
        assert answer.json()["type"] == "docs/problems.md#no-such-range"
    for not_one in ("bytes=0-1,3-4", "bytes=-", "lines=1-2", "bytes=a-b", "bytes 0-1"):
        assert asked.get(path, headers={"Range": not_one}).status_code == 200
    for condition, status in ((etag, 206), (changed_at, 206), ('"other"', 200), ("Mon, 01 Jan 2001 00:00:00 GMT", 200)):
        assert asked.get(path, headers={"Range": "bytes=0-9", "If-Range": condition}).status_code == status
    for known in ({"If-None-Match": f'"x", {etag}'}, {"If-None-Match": "*"}, {"If-Modified-Since": changed_at}):
        answer = asked.get(path, headers=known)
        assert (answer.status_code, answer.content) == (304, b"")
    for other in ({"If-None-Match": '"x"', "If-Modified-Since": changed_at}, {"If-Modified-Since": "rubbish"}):
        assert asked.get(path, headers=other).status_code == 200


def test_a_report_that_is_stuck(stuck_client: Client, stuck: Stuck) -> None:  # noqa: F811 - fixtures
    running = stuck_client.post("/v1/reports").json()["id"]
    stuck.entered.wait(60)
    queued = stuck_client.post("/v1/reports").json()["id"]
    not_yet = stuck_client.get(f"/v1/reports/{running}/content")
    assert (not_yet.status_code, not_yet.headers["retry-after"]) == (409, "1")
    assert stuck_client.delete(f"/v1/reports/{running}").status_code == 409
    for report_id in (queued, running):
        assert stuck_client.post(f"/v1/reports/{report_id}/cancel").json()["state"] == "canceled"
        assert stuck_client.post(f"/v1/reports/{report_id}/cancel").status_code == 409
    stuck.release.set()
    last = until(lambda: stuck_client.post("/v1/reports").json()["id"])
    until(lambda: stuck_client.get(f"/v1/reports/{last}").json()["state"] == "failed")
    assert "the lake is gone" in stuck_client.get(f"/v1/reports/{last}/content").json()["detail"]
    for report_id in (queued, running):
        assert stuck_client.get(f"/v1/reports/{report_id}").json()["state"] == "canceled", "its end comes too late"
        assert stuck_client.get(f"/get_report/{report_id}").status_code == 410
        assert stuck_client.delete(f"/v1/reports/{report_id}").status_code == 204


def test_it_is_deleted_with_its_files(asked: Client, settings: Settings) -> None:
    told = made(asked)
    for form in FORMS:
        asked.get(f"{told['content']}?format={form}")
    assert len([*settings.reports.glob(f"{told['id']}.*")]) == len(FORMS)
    assert asked.delete(f"/v1/reports/{told['id']}").status_code == 204
    assert not [*settings.reports.glob(f"{told['id']}.*")]
    for path in (f"/v1/reports/{told['id']}", told["content"], told["events"]):
        assert asked.get(path).status_code == 404


def test_it_is_deleted_while_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("all of it")
    request = RequestFactory().get("/")
    answer = sent(request, tmp_path / "report.csv", etag='"x"', media_type="text/csv", name="report.csv", headers={})
    (tmp_path / "report.csv").unlink()
    assert b"".join(answer.iterator) == b"all of it"  # type: ignore[attr-defined]


def test_a_question_that_is_too_large(asked: Client) -> None:
    answer = asked.post("/v1/reports", json={"where": "region=" + LARGEST_QUESTION * "x"})
    assert (answer.status_code, answer.json()["type"]) == (413, "docs/problems.md#too-large")
    assert "65,536 bytes" in answer.json()["detail"]
    assert asked.get("/v1/reports").json()["rows"] == []


def test_a_report_with_too_many_parts(asked: Client) -> None:
    told = made(asked, {"every": "hour", "from": "0001-01-01", "to": "9999-12-31"})
    assert told["state"] == "failed"
    assert "parts of windows for each store, and 1,000,000 is the most" in told["reason"]


def test_its_file_is_gone(asked: Client, settings: Settings) -> None:
    told = made(asked)
    (settings.reports / f"{told['id']}.parquet").unlink()
    answer = asked.get(told["content"])
    assert (answer.status_code, answer.json()["type"]) == (410, "docs/problems.md#gone")


def events(client: Client, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with client.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    for block in text.replace("\r\n", "\n").strip().split("\n\n"):
        name, data = (line.partition(": ")[2] for line in block.splitlines())
        yield name, json.loads(data)


def test_it_can_be_followed(asked: Client) -> None:
    told = asked.post("/v1/reports", json=QUESTION).json()
    followed = [*events(asked, told["events"])]
    assert [name for name, _ in followed][-1] == "complete"
    assert all(report["id"] == told["id"] for _, report in followed)
    assert [*events(asked, told["events"])] == [("complete", followed[-1][1])]


@pytest.mark.parametrize("path", ["", "/content", "/events", "/cancel"])
def test_a_report_that_is_not_there(path: str, asked: Client) -> None:
    method = "POST" if path == "/cancel" else "GET"
    for report_id, status in ((uuid4(), 404), ("nothing", 400)):
        answer = asked.request(method, f"/v1/reports/{report_id}{path}")
        assert answer.status_code == status
        assert answer.json()["type"].startswith("docs/problems.md#")


def test_a_key_is_kept_over_a_restart(settings: Settings, lake: Lake, jobs: Jobs) -> None:  # noqa: ARG001 - polls
    ids = set()
    for _ in range(2):
        with TestClient(create_app(msgspec.structs.replace(settings))) as client:
            ids.add(client.post("/v1/reports", headers={"Idempotency-Key": "k"}).json()["id"])
    assert len(ids) == 1
    assert len(jobs.list("report", 9)) == 1


@pytest.mark.parametrize("priority", ["x", "1.5", "101", "-101", "", "--1", "1000"])
def test_a_priority_that_is_none(priority: str, asked: Client) -> None:
    answer = asked.post("/v1/reports", params={"priority": priority or " "})
    assert answer.status_code == 400
    assert "a whole number from -100 to 100" in answer.json()["detail"]


def test_the_more_urgent_one_is_first(settings: Settings, stuck: Stuck) -> None:  # noqa: F811 - a fixture
    with TestClient(create_app(settings, {"report": stuck})) as client:
        running = client.post("/v1/reports").json()["id"]
        assert stuck.entered.wait(10)
        ids = [client.post("/v1/reports", params={"priority": p}).json()["id"] for p in ("-1", "0", "7")]
        stuck.release.set()

        def told() -> list[dict[str, Any]] | None:
            rows = [client.get(f"/v1/reports/{report_id}").json() for report_id in (running, *ids)]
            return rows if all(row["state"] == "failed" for row in rows) else None

        rows = until(told)
    assert [row.get("priority", 0) for row in rows] == [0, -1, 0, 7]
    assert sorted(rows[1:], key=lambda row: row["started_at"]) == rows[:0:-1]


def test_a_report_starts_when_it_is_to(asked: Client) -> None:
    late = asked.post("/v1/reports", params={"run_after": "2999-01-01T00:00:00Z"}).json()
    assert late["run_after"] == "2999-01-01T00:00:00Z"
    assert made(asked)["state"] == "complete"
    assert asked.get(f"/v1/reports/{late['id']}").json()["state"] == "queued"
    answer = asked.post("/v1/reports", params={"run_after": "soon"})
    assert answer.status_code == 400
    assert "'soon'" in answer.json()["detail"]


def test_only_an_admin_may_go_before_others(settings: Settings, lake: Lake) -> None:  # noqa: ARG001 - polls
    with opened_keys(settings) as keys:
        reader, admin = (keys.create(role)[1] for role in ("reader", "admin"))
    with TestClient(create_app(settings)) as client:
        for priority, key, status in (("1", reader, 403), ("-5", reader, 202), ("1", admin, 202)):
            answer = client.post("/v1/reports", params={"priority": priority}, headers={"X-API-Key": key})
            assert answer.status_code == status


def test_how_far_it_is(asked: Client) -> None:
    told = made(asked)
    assert told["progress"] == 1


def test_what_is_canceled_and_deleted_in_the_midst_leaves_nothing(
    stuck_client: Client,  # noqa: F811 - fixtures
    stuck: Stuck,  # noqa: F811
    settings: Settings,
) -> None:
    report_id = stuck_client.post("/v1/reports").json()["id"]
    assert stuck.entered.wait(10)
    assert stuck_client.post(f"/v1/reports/{report_id}/cancel").json()["state"] == "canceled"
    assert stuck_client.delete(f"/v1/reports/{report_id}").status_code == 204
    (settings.reports / f"{report_id}.parquet").write_text("as the work writes it")
    stuck.release.set()
    until(lambda: not list(settings.reports.glob(f"{report_id}*")))
