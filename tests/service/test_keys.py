"""Keys: who comes in, what for, and of which stores anything is told."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.errors import InputError
from storemon.intake.lake import Lake
from storemon.records.keys import Keys, opened_keys
from storemon.sample import write_sample
from storemon.service.app import create_app, serve
from storemon.settings import Settings
from tests.conftest import Storemon
from tests.service.test_v1_reports import made

Client = TestClient[Litestar]
ROUTES = {
    "GET /v1/report": "reader",
    "GET /v1/outages": "reader",
    "GET /v1/hour-of-week": "reader",
    "GET /v1/stores": "reader",
    "GET /v1/stores/x/explain": "reader",
    "GET /v1/audit": "reader",
    "GET /v1/rejected": "reader",
    "GET /v1/groups/region": "reader",
    "GET /v1/reports": "reader",
    "POST /v1/reports": "reader",
    "POST /trigger_report": "reader",
    "GET /get_report?report_id=00000000-0000-4000-8000-000000000000": "reader",
    "GET /ingest/00000000-0000-4000-8000-000000000000": "reader",
    "GET /metrics": "reader",
    "POST /ingest": "writer",
}


@pytest.fixture
def keys(settings: Settings) -> Iterator[Keys]:
    with opened_keys(settings) as keys:
        yield keys


@pytest.fixture
def sampled(settings: Settings, lake: Lake) -> Lake:  # noqa: ARG001 - the smaller one is replaced
    write_sample(settings.data, stores=40, days=9)
    found = Lake("sampled")
    found.ingest(settings.data)
    return found


def of(key: str) -> dict[str, str]:
    return {"X-API-Key": key}


def asked(client: Client, route: str, headers: dict[str, str] | None = None) -> int:
    method, path = route.split(" ")
    return client.request(
        method, path, headers=headers, json={"path": "data"} if path == "/ingest" else None
    ).status_code


def test_without_keys_anybody_comes_in(lake: Lake, client: Client) -> None:  # noqa: ARG001 - there are polls
    assert {asked(client, route) for route in ROUTES} <= {200, 202, 400, 404}


def test_what_a_role_may_do(lake: Lake, keys: Keys, client: Client) -> None:  # noqa: ARG001 - as above
    written = {role: keys.create(role)[1] for role in ("reader", "writer", "admin")}
    for route, needed in ROUTES.items():
        assert (asked(client, route), route) == (401, route)
        assert asked(client, route, of("storemon_000000000000_" + "x" * 43)) == 401
        for role, key in written.items():
            may = role != "reader" or needed == "reader"
            for headers in (of(key), {"Authorization": f"Bearer {key}"}):
                assert (asked(client, route, headers) in {200, 202, 400, 404}) == may
                assert may or asked(client, route, headers) == 403


def test_what_needs_no_key(lake: Lake, keys: Keys, client: Client) -> None:  # noqa: ARG001 - as above
    keys.create("reader")
    for path in ("/health", "/schema", "/schema/openapi.json"):
        assert client.get(path).status_code == 200


def test_what_is_answered_without_a_key(keys: Keys, client: Client) -> None:
    keys.create("reader")
    for path in ("/v1/report", "/get_report"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "this needs a key" in answer.json()["detail"]
    assert client.get("/v1/report").json()["type"] == "docs/problems.md#no-key"


def test_a_key_that_can_not_be_used(lake: Lake, keys: Keys, client: Client) -> None:  # noqa: ARG001 - as above
    (revoked, first), (_, expired), (_, valid) = (
        keys.create("admin"),
        keys.create("admin", expires_in=timedelta(microseconds=1)),
        keys.create("admin", expires_in=timedelta(days=1)),
    )
    assert asked(client, "GET /v1/report", of(first)) == 200
    assert keys.revoke(revoked.id)
    assert not keys.revoke(revoked.id)
    assert [key.state for key in keys.list()] == ["revoked", "expired", "valid"]
    wrong = [first, expired, valid[:-1], valid + "x", valid.upper(), "", " ", "Bearer", valid.replace("storemon", "x")]
    assert [asked(client, "GET /v1/report", of(key)) for key in wrong] == [401] * len(wrong)
    assert asked(client, "GET /v1/report", {"Authorization": f"Basic {valid}"}) == 401
    assert asked(client, "GET /v1/report", of(valid)) == 200


def test_a_secret_is_kept_nowhere(settings: Settings, keys: Keys, client: Client) -> None:
    _, written = keys.create("reader")
    client.get("/v1/report", headers=of(written))
    secret = written.split("_", 2)[2]  # which may have a _ in it
    for file in settings.reports.iterdir():
        assert secret.encode() not in file.read_bytes()


def seen(lake: Lake, region: str) -> set[str]:
    tags = lake.snapshot().tags()
    return set(tags.filter((pl.col("tag") == "region") & (pl.col("value") == region))["store_id"])


def test_a_filter_shows_its_stores_only(settings: Settings, sampled: Lake, keys: Keys) -> None:
    """In every answer: the bytes are those of a lake that has no other stores."""
    polled = set(sampled.snapshot().stores()["store_id"])
    mine, others = polled & seen(sampled, "South"), polled - seen(sampled, "South")
    assert mine
    assert others
    part = Path("part")
    part.mkdir()
    for file in settings.data.iterdir():
        header, *rows = file.read_text().splitlines(keepends=True)
        (part / file.name).write_text(
            "".join([header, *(row for row in rows if row.split(",")[0] in seen(sampled, "South"))])
        )
    only = Lake("only")
    only.ingest(part)
    _, written = keys.create("admin", {"region": "South"})
    now = f"as_of={sampled.snapshot().newest_poll():%Y-%m-%dT%H:%M:%S.%fZ}"
    paths = [
        f"/v1/report?{now}&measures=uptime,outages,uptime_min,excluded",
        f"/v1/report?{now}&group_by=region,brand",
        f"/v1/groups/city?{now}",
        f"/v1/outages?{now}&window=7d",
        f"/v1/hour-of-week?{now}&overall=true",
        f"/v1/stores?{now}&limit=9&sort=-availability_last_week",
        f"/v1/audit?{now}",
        f"/v1/stores/{min(mine)}/explain?{now}",
        f"/v1/stores/{min(others)}/explain?{now}",
        f"/v1/report?{now}&where=region=West",
    ]
    answers = {}
    for lake, headers in (("sampled", of(written)), ("only", of(written))):
        one = msgspec.structs.replace(settings, lake=lake)
        with TestClient(create_app(one)) as client:
            answers[lake] = [client.get(path, headers=headers) for path in paths]
            reports = [made(client, {"measures": "downtime"}, headers)["content"]]
            answers[lake] += [client.get(path, headers=headers) for path in reports]
    for filtered, whole in zip(answers["sampled"], answers["only"], strict=True):
        told = filtered.content
        if b'"rows":' in told:  # cursors name versions and questions
            assert json.loads(told)["rows"] == json.loads(whole.content)["rows"]
        else:
            assert told == whole.content
        assert not [store for store in others if store.encode() in told.replace(min(others).encode(), b"")]
    assert [answer.status_code for answer in answers["sampled"]] == [200] * 8 + [400, 400, 200]


def test_a_filter_hides_what_others_asked_for(settings: Settings, sampled: Lake, keys: Keys) -> None:
    (_, mine), (_, theirs), (_, reader), (_, admin) = (
        keys.create("reader", {"region": "South"}),
        keys.create("reader", {"region": "West"}),
        keys.create("reader"),
        keys.create("admin"),
    )
    settings = msgspec.structs.replace(settings, lake=str(sampled.path))
    with TestClient(create_app(settings)) as client:
        told = made(client, {}, of(mine))
        path = f"/v1/reports/{told['id']}"
        for hidden in (path, f"{path}/content", f"{path}/events"):
            assert asked(client, f"GET {hidden}", of(theirs)) == 404
            assert asked(client, f"GET {hidden}", of(mine)) == 200
            assert asked(client, f"GET {hidden}", of(reader)) == 200
        ids = [
            [row["id"] for row in client.get("/v1/reports", headers=of(key)).json()["rows"]] for key in (mine, theirs)
        ]
        assert ids == [[told["id"]], []]
        for triggered in ("POST /trigger_report", f"GET /get_report/{told['id']}", "GET /ingest/" + told["id"]):
            assert asked(client, triggered, of(mine)) == 403
        assert asked(client, f"DELETE {path}", of(theirs)) == 404
        assert asked(client, f"DELETE {path}", of(reader)) == 403
        assert asked(client, f"POST {path}/cancel", of(reader)) == 403
        assert asked(client, f"DELETE {path}", of(admin)) == 204
        assert client.get("/v1/rejected", headers=of(mine)).json() == []
        same = [
            client.post("/v1/reports", headers=of(key) | {"Idempotency-Key": "k"}).json()["id"]
            for key in (mine, theirs)
        ]
        assert len({*same}) == 2, "a key is one's own"
        tags = {client.get("/v1/report", headers=of(key)).headers["etag"] for key in (mine, theirs, reader)}
        assert len(tags) == 3


def test_a_filter_that_nothing_meets(settings: Settings, sampled: Lake, keys: Keys) -> None:
    settings = msgspec.structs.replace(settings, lake=str(sampled.path))
    with TestClient(create_app(settings)) as client:
        for sees in ({"region": "Nowhere"}, {"colour": "red"}, {"region": "South", "brand": "none"}):
            _, written = keys.create("reader", sees)
            assert client.get("/v1/report", headers=of(written)).json() == []
            assert client.get("/v1/stores", headers=of(written)).json() == []


def test_the_commands(storemon: Storemon) -> None:
    made_one = storemon("keys", "create", "--role", "writer", "--where", "region=West,brand=Acme", "--expires", "90d")
    assert re.fullmatch(r"storemon_[0-9a-f]{12}_[\w-]{43}\n", made_one.out.decode())
    key_id = made_one.out.decode().split("_")[1]
    assert key_id in made_one.err
    listed = storemon("keys", "list").out.decode()
    assert re.fullmatch(
        rf"{key_id}  valid    writer  since \d{{4}}-\d\d-\d\d, until [-\d]+ [:\d]+ UTC  brand=Acme,region=West\n|"
        rf"{key_id}  valid    writer  since \d{{4}}-\d\d-\d\d, until [-\d]+ [:\d]+ UTC  region=West,brand=Acme\n",
        listed,
    )
    assert storemon("keys", "revoke", key_id).out.decode() == f"{key_id}: revoked\n"
    assert "revoked" in storemon("keys", "list").out.decode()
    for wrong in (
        ("revoke",),
        ("revoke", key_id),
        ("create", "--role", "king"),
        ("create", "--where", "west"),
        ("sell",),
    ):
        assert storemon("keys", *wrong).status == 2


def test_a_filter_that_no_store_meets_is_told_at_once(storemon: Storemon, tmp_path: Path) -> None:
    def told(*where: str, **variables: str) -> str:
        made = storemon("keys", "create", *(part for each in where for part in ("--where", each)), **variables)
        assert (made.status, made.out.decode()[:9]) == (0, "storemon_")
        return made.err.partition("\n")[2]

    assert told("nope=West") == ""  # there is no lake
    write_sample(tmp_path / "data", stores=40, days=2)
    Lake(tmp_path / "parquet").ingest(tmp_path / "data")
    nothing = "storemon: for now this key sees no stores: "
    assert told("region=West") == told() == ""
    assert told("nope=West") == f"{nothing}there is no tag 'nope'; did you mean name?\n"
    assert told("region=Wst") == f"{nothing}there is no region 'Wst'; did you mean West?\n"
    assert told("region=West", "city=Chicago") == f"{nothing}no store has all of these tags\n"
    assert told("nope=West", STOREMON_LAKE="elsewhere") == ""
    (tmp_path / "file").touch()
    assert told("nope=West", STOREMON_LAKE="file").startswith("storemon: nobody can tell which stores this key sees: ")


def test_where_keys_are_looked_for_is_told(storemon: Storemon) -> None:
    assert storemon("keys", "list", "--reports", "other").err == "storemon: other/storemon.db: there are no keys\n"
    assert "of other/storemon.db is shown this once" in storemon("keys", "create", "--reports", "other").err
    assert storemon("keys", "list", "--reports", "other").err == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 - that is the matter
def test_another_address_needs_keys(host: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.service.app.configure_logs", lambda: None)  # that of the tests stays as it is
    with pytest.raises(InputError, match=f"on {host} everybody could ask, for there are no keys"):
        serve(msgspec.structs.replace(settings, host=host, port=0))


def test_who_writes_is_written_down(keys: Keys, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    key, written = keys.create("writer")
    client.post("/ingest", json={"path": "data"}, headers=of(written))
    client.get("/v1/reports", headers=of(written))
    log = capsys.readouterr().err
    (line,) = [json.loads(line) for line in log.splitlines() if '"storemon.audit"' in line]
    assert (line["event"], line["key"]) == ("write", key.id)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/ingest", 200)
    assert written not in log
