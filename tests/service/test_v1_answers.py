"""The answers under /v1: the very rows of the command, in every form, by pages of one snapshot, and not twice."""

import base64
import io
import json
import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import openpyxl
import polars as pl
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from storemon.cli import main
from storemon.intake.lake import Lake
from storemon.questions.options import Means, ReportQuestion
from storemon.questions.paper import document
from storemon.sample import write_sample
from storemon.service.app import create_app
from storemon.settings import Settings
from tests.lake.files import POLLS as HEADER
from tests.lake.files import csv

Client = TestClient[Litestar]
Query = list[tuple[str, str]]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("sampled")
    write_sample(where / "data", stores=30, days=12)
    with (where / "data" / "store_status.csv").open("a") as polls:
        polls.write("cut off he")
    Lake(where / "parquet").ingest(where / "data")
    return where


@pytest.fixture(scope="module")
def client(sampled: Path) -> Any:
    settings = Settings(lake=str(sampled / "parquet"), data=sampled / "data", reports=sampled / "reports")
    with TestClient(create_app(settings)) as client:
        yield client


SAME: dict[str, tuple[str, Query]] = {
    "report": ("/v1/report", []),
    "report --window 3d --measures availability,outages --target 99.5 --versus previous --where region=South": (
        "/v1/report",
        [
            *(("window", "3d"), ("measures", "availability,outages"), ("target", "99.5")),
            *(("versus", "previous"), ("where", "region=South")),
        ],
    ),
    "report --every day --window 5d --overall --wide --policy nearest": (
        "/v1/report",
        [("every", "day"), ("window", "5d"), ("overall", "true"), ("wide", "1"), ("policy", "nearest")],
    ),
    "report --from 2024-10-10 --to 2024-10-12T12:00Z --window 2024-10-11 --carry-limit 3h --as-of 2024-10-13": (
        "/v1/report",
        [
            *(("from", "2024-10-10"), ("to", "2024-10-12T12:00Z"), ("window", "2024-10-11")),
            *(("carry_limit", "3h"), ("as_of", "2024-10-13")),
        ],
    ),
    "now": ("/v1/now", []),
    "now --group-by region,brand --where region=South --policy nearest --as-of 2024-10-12": (
        "/v1/now",
        [("group_by", "region,brand"), ("where", "region=South"), ("policy", "nearest"), ("as_of", "2024-10-12")],
    ),
    "now --overall --carry-limit 3h": ("/v1/now", [("overall", "true"), ("carry_limit", "3h")]),
    "report --group-by region": ("/v1/groups/region", []),
    "outages --window 3d --window yesterday": ("/v1/outages", [("window", "3d"), ("window", "yesterday")]),
    "hour-of-week --group-by brand,region": ("/v1/hour-of-week", [("group_by", "brand,region")]),
    "stores --target 99 --breaching": ("/v1/stores", [("target", "99"), ("breaching", "true")]),
    "stores --search SOUTH": ("/v1/stores", [("search", "SOUTH")]),
    "audit --window 9d": ("/v1/audit", [("window", "9d")]),
}


@pytest.mark.parametrize("line", SAME)
def test_json_has_the_rows_that_the_command_writes(
    line: str, client: Client, sampled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "answer.json"
    monkeypatch.chdir(sampled)
    monkeypatch.setattr(sys, "argv", ["storemon", *shlex.split(line), "--out", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    path, query = SAME[line]
    answer = client.get(f"{path}?{urlencode(query)}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == file.read_bytes()
    assert answer.json()


def read(answer: httpx.Response, form: str) -> list[tuple[Any, ...]]:
    content = io.BytesIO(answer.content)
    match form:
        case "json":
            return [tuple(row.values()) for row in answer.json()]
        case "ndjson":
            return [tuple(json.loads(line).values()) for line in answer.text.splitlines()]
        case "csv":
            return pl.read_csv(content, infer_schema=False).rows()
        case "parquet":
            return pl.read_parquet(content).rows()
        case "arrow":
            return pl.read_ipc_stream(content).rows()
    return [*openpyxl.load_workbook(content)["storemon"].iter_rows(min_row=2, values_only=True)]


FORMS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str, client: Client) -> None:
    named = client.get(f"/v1/report?format={form}")
    accepted = client.get("/v1/report", headers={"Accept": f"text/html;q=0.1, {FORMS[form].partition(';')[0]}"})
    assert named.status_code == 200
    assert named.headers["content-type"] == FORMS[form]
    assert named.headers["content-disposition"] == f'inline; filename="report.{form}"'
    assert read(accepted, form) == read(named, form)
    assert [row[0] for row in read(named, form)] == [row[0] for row in read(client.get("/v1/report"), "json")]
    assert len(read(client.get(f"/v1/report?format={form}&limit=7"), form)) == 7 if form != "json" else True


@pytest.mark.parametrize("path", ["report?group_by=region", "groups/region?window=last-week"])
def test_a_report_as_a_document(path: str, client: Client, sampled: Path) -> None:
    named = client.get(f"/v1/{path}", params={"format": "pdf"} | dict(parse_qsl(path.partition("?")[2])))
    accepted = client.get(f"/v1/{path}", headers={"Accept": "application/pdf"})
    assert named.status_code == 200
    assert named.headers["content-type"] == "application/pdf"
    name = path.partition("?")[0].partition("/")[0]
    assert named.headers["content-disposition"] == f'inline; filename="{name}.pdf"'
    window = dict(parse_qsl(path.partition("?")[2])).get("window", "last_week")
    question = ReportQuestion(window=(window,), group_by=("region",))
    snapshot = Lake(sampled / "parquet").snapshot()
    assert named.headers["x-as-of"] == question.now(snapshot).isoformat()
    assert named.content == accepted.content == document(question, snapshot, Means(timedelta(days=7), "1GiB"))
    again = client.get(f"/v1/{path}", headers={"Accept": "application/pdf", "If-None-Match": accepted.headers["etag"]})
    assert again.status_code == 304


def test_no_form_that_is_accepted(client: Client) -> None:
    answer = client.get("/v1/report", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert answer.json()["type"] == "docs/problems.md#no-such-form"


@pytest.mark.parametrize("sort", [None, "downtime_last_week", "-downtime_last_week", "-store_id"])
def test_pages_have_every_row_once_and_of_one_snapshot(
    sort: str | None, sampled: Path, client: Client, tmp_path: Path
) -> None:
    query = {"limit": "8"} | ({"sort": sort} if sort else {})
    whole = client.get("/v1/report").json()
    rows, following = [], "?" + urlencode(query)
    while following:
        page = client.get(f"/v1/report{following}")
        assert page.status_code == 200
        assert page.headers["x-total-count"] == str(len(whole))
        rows += page.json()["rows"]
        following = page.headers.get("link", "").partition(">")[0].removeprefix("<")
        assert (page.json()["next"] is None) == (not following)
        if len(rows) == 8 and sort is None:  # somebody adds a store meanwhile
            Lake(sampled / "parquet").ingest(csv(tmp_path, HEADER, "00000,active,2024-10-14 20:00:00 UTC"))
    if sort is None:
        assert rows == whole
        assert len(client.get("/v1/report").json()) == len(whole) + 1
        return
    column = sort.removeprefix("-")
    ordered = sorted(whole, key=lambda row: row[column], reverse=False)
    values = [row[column] for row in ordered]
    assert [row[column] for row in rows] == (values[::-1] if sort.startswith("-") else values)
    assert sorted(rows, key=lambda row: row["store_id"]) == whole


def test_an_answer_is_not_sent_twice(client: Client, sampled: Path, tmp_path: Path) -> None:
    first = client.get("/v1/report")
    etag = first.headers["etag"]
    assert not etag.startswith("W/")
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = client.get("/v1/report", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    others = ["/v1/report?format=csv", "/v1/report?window=3d", "/v1/report?limit=9", "/v1/report?policy=nearest"]
    tags = [client.get(other).headers["etag"] for other in (*others, "/v1/stores", "/v1/outages")]
    assert len({etag, *tags}) == len(tags) + 1
    Lake(sampled / "parquet").ingest(csv(tmp_path, HEADER, "00001,active,2024-10-14 20:00:00 UTC"))
    assert client.get("/v1/report", headers={"If-None-Match": etag}).status_code == 200


def test_an_explanation(client: Client) -> None:
    store = client.get("/v1/stores?limit=1").json()["rows"][0]["store_id"]
    told = client.get(f"/v1/stores/{store}/explain?window=2d").json()
    (figures,) = [
        row
        for row in client.get("/v1/report?window=2d&measures=uptime,downtime,unknown,service").json()
        if row["store_id"] == store
    ]
    assert (told["store_id"], told["unit"], told["policy"]) == (store, "hours", "carry")
    for name in ("uptime", "downtime", "unknown", "service"):
        assert told["figures"][name] == figures[f"{name}_last_2d"]
    held = [piece["ends_at"] > piece["starts_at"] for piece in told["pieces"]]
    assert held
    assert all(held)
    drawn = client.get(f"/v1/stores/{store}/explain", headers={"Accept": "image/svg+xml"})
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert drawn.text.startswith("<svg")
    again = client.get(f"/v1/stores/{store}/explain?format=svg", headers={"If-None-Match": drawn.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/v1/stores/nowhere/explain").status_code == 400


def test_the_rejected_rows(client: Client, sampled: Path) -> None:
    file = str(sampled / "data" / "store_status.csv")
    (row,) = client.get("/v1/rejected", params={"file": file}).json()
    assert (row["file"], row["row"]) == (file, "cut off he")
    assert client.get("/v1/rejected?file=other.csv").status_code == 400


WRONG = {
    "report?windw=3d": "there is no parameter 'windw'; did you mean window or wide?",
    "report?window=": "'' is not a window",
    "report?policy=guess": "there is no policy 'guess'; choose from: carry, nearest",
    "report?carry_limit=0d": "carry_limit=0d: '0d' is no time at all",
    "report?as_of=then": "'then' is not an instant",
    "report?overall=maybe": "overall is 'maybe'; it can be true or false",
    "report?overall=true&group_by=region": "overall puts all stores into one row, group_by into several",
    "report?to=2024-10-14": "a window needs a start; say from when on with from",
    "report?target=1&target=2": "target is given 2 times; give it once",
    "report?versus=next": "there is no versus 'next'; choose from: previous",
    "report?where=nothing": "nothing",
    "report?where=colour=red": "there is no tag 'colour'",
    "report?limit=0": "limit is '0'; it can be a number from 1 to 10000",
    "report?limit=10001": "limit is '10001'",
    "report?limit=1e3": "limit is '1e3'",
    "report?limit=99999999999999999999999": "limit is '99999999999999999999999'",
    "report?limit=00000000199999": "limit is '00000000199999'; it can be a number from 1 to 10000",
    f"report?limit=000000001{400 * '9'}": "it can be a number from 1 to 10000",
    "report?sort=name": "there is no column 'name'; choose from: store_id, uptime_last_hour",
    "report?cursor=abc": "the cursor is not one that a page told",
    "report?format=odt": "there is no format 'odt'; choose from: csv, json, ndjson, parquet, arrow, xlsx, pdf",
    "outages?format=pdf": "there is no format 'pdf'; choose from: csv, json, ndjson, parquet, arrow, xlsx",
    "report?format=pdf&measures=uptime": "a PDF chooses its figures itself; leave out measures",
    "report?format=pdf&window=1d&window=2d": "a PDF tells of one window, but these were asked for: last_1d, last_2d",
    "report?format=pdf&limit=3": "a PDF has no pages of rows; leave out limit, sort and cursor",
    "groups/region?overall=true": "these are groups by the tag in the path",
    "groups/colour": "there is no tag 'colour'",
    "stores?breaching=true": "breaching needs a target; say what was promised, like target 99.5",
    "hour-of-week?window=1d&window=2d": "the hour of week adds up one window",
    "audit?window=-1d": "'-1d' is not a duration",
}


@pytest.mark.parametrize("asked", WRONG)
def test_what_is_wrong_is_said_in_words(asked: str, client: Client) -> None:
    answer = client.get(f"/v1/{asked}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert WRONG[asked] in told["detail"]
    assert (told["type"], told["status"]) == ("docs/problems.md#wrong-question", 400)
    assert told["instance"] == f"/v1/{asked.partition('?')[0]}"


def test_a_cursor_of_another_question(client: Client) -> None:
    cursor = client.get("/v1/report?limit=2").json()["next"]
    answer = client.get(f"/v1/report?limit=2&window=3d&cursor={cursor}")
    assert answer.status_code == 400
    assert "the cursor is of another question" in answer.json()["detail"]


def test_without_polls(tmp_path: Path) -> None:
    settings = Settings(lake=str(tmp_path / "nothing"), data=tmp_path, reports=tmp_path / "reports")
    with TestClient(create_app(settings)) as client:
        answer = client.get("/v1/report")
        assert (answer.status_code, answer.json()["type"]) == (404, "docs/problems.md#no-polls")
        assert client.get("/v1/rejected").json() == []


def test_too_many_stores_for_a_request(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.service.v1.answering.MOST_STORES", 5)
    answer = client.get("/v1/report")
    assert (answer.status_code, answer.json()["type"]) == (422, "docs/problems.md#answer-too-large")
    assert "POST /v1/reports" in answer.json()["detail"]


def test_parts_are_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(client.get("/v1/stores").json())
    monkeypatch.setattr("storemon.service.v1.answering.MOST_PARTS", count * 26)
    for asked, status in (
        ("report?every=hour&window=24h", 200),
        ("report?every=hour&window=25h", 422),
        ("report?every=hour&window=999999d", 422),
        ("report?" + "&".join(f"window=w{n}={n}h" for n in range(1, 27)), 200),
        ("report?" + "&".join(f"window=w{n}={n}h" for n in range(1, 28)), 422),
        ("report?versus=previous&" + "&".join(f"window=w{n}={n}h" for n in range(1, 15)), 422),
        ("hour-of-week", 422),
        ("hour-of-week?overall=true", 200),
    ):
        assert (client.get(f"/v1/{asked}").status_code, asked) == (status, asked)


def test_a_cursor_of_facts_that_are_gone(client: Client) -> None:
    page = client.get("/v1/report?limit=2").json()["next"]
    versions, offset, *others = json.loads(base64.urlsafe_b64decode(page))
    wrong = [{"polls": number} for number in (99, -2, 10**18, 2**63, -(2**63), 10**30)]  # a log can't be that long
    for forged in (*({**versions, **each} for each in wrong), {}, {"polls": 0}, {**versions, "other": 0}):
        answer = client.get("/v1/report", params={"limit": "2", "cursor": cursor_of(forged, offset, *others)})
        assert answer.status_code == 400, forged
        assert "facts that are no longer there" in answer.json()["detail"]
    beyond = cursor_of(versions, 10**30, *others)
    assert client.get("/v1/report", params={"limit": "2", "cursor": beyond}).json() == {"rows": [], "next": None}


def cursor_of(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def test_the_clock_s_now_is_another_one_each_time_but_one_for_all_pages(client: Client) -> None:
    asked = {"as_of": "now", "limit": "10"}
    first = client.get("/v1/now", params=asked)
    second = client.get("/v1/now", params=asked | {"cursor": first.json()["next"]})
    assert second.status_code == 200
    assert second.headers["X-As-Of"] == first.headers["X-As-Of"]
    assert second.headers["ETag"] != first.headers["ETag"]
    again = client.get("/v1/now", params=asked, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.headers["X-As-Of"] > first.headers["X-As-Of"]
    assert {row["state"] for row in again.json()["rows"]} == {"unknown"}, "the sample's polls are of years ago"
