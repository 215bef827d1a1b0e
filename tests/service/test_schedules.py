"""Schedules over HTTP and on the command line; and a real service that sends what is due, by mail and to a webhook."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import update

from storemon.records.keys import opened_keys
from storemon.records.opening import opened_records
from storemon.records.tables import SCHEDULES
from storemon.settings import Settings
from storemon.units.instants import microseconds
from tests.conftest import Ran, ended_in
from tests.service.server import REAL, running
from tests.service.waiting import until
from tests.watch.receiving import Hook, Postbox

Client = TestClient[Litestar]
WEEKLY: dict[str, Any] = {
    "cron": "0 7 * * MON",
    "zone": "America/Chicago",
    "to": ["mail:ops@example.org"],
    "question": {"kind": "report", "options": {"window": ["last_week"]}},
    "form": "csv",
    "grace": "2h",
}
RULES = """
[channels.ops]
to = "smtp://127.0.0.1:{smtp}"
from = "storemon@example.org"
recipients = ["ops@example.org"]

[channels.hook]
to = "{hook}"
secret = "whsec_c2VjcmV0"
private = true
"""


def keep(client: Client | httpx.Client, name: str = "weekly", **changed: Any) -> Any:
    answer = client.put(f"/v1/schedules/{name}", json=WEEKLY | changed)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_schedule_is_kept_told_and_forgotten(client: Client) -> None:
    told = keep(client)
    assert {name: told[name] for name in WEEKLY} == WEEKLY
    assert told["paused"] is False
    assert datetime.fromisoformat(told["next_at"]) > datetime.now(UTC)
    assert client.get("/v1/schedules").json() == {"rows": [told]}
    assert client.get("/v1/schedules/weekly").json() == told
    assert client.post("/v1/schedules/weekly/pause").json()["paused"] is True
    assert "next_at" not in client.get("/v1/schedules/weekly").json()
    assert client.post("/v1/schedules/weekly/resume").json() == told
    assert client.delete("/v1/schedules/weekly").status_code == 204
    for answer in (client.get("/v1/schedules/weekly"), client.delete("/v1/schedules/weekly")):
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("there is no schedule 'weekly'")
    for what in ("pause", "resume", "run"):
        assert client.post(f"/v1/schedules/weekly/{what}").status_code == 404
    assert client.get("/v1/schedules/weekly/history").status_code == 404


@pytest.mark.usefixtures("lake")
def test_to_run_it_now_answers_as_of_now_and_is_in_its_history(client: Client) -> None:
    keep(client)
    run = client.post("/v1/schedules/weekly/run")
    assert run.status_code == 202
    assert run.json()["by_hand"] is True

    def ended() -> Any:
        (newest,) = client.get("/v1/schedules/weekly/history").json()["rows"]
        return newest if newest["state"] == "complete" else None

    newest = until(ended)
    assert newest["id"] == run.json()["id"]
    assert newest["rows"] == 3
    assert newest["missing"] is True  # the polls are years old
    assert client.get("/v1/schedules/weekly").json()["newest"] == newest
    assert client.post("/v1/schedules/weekly/run").status_code == 202
    page = client.get("/v1/schedules/weekly/history", params={"limit": 1}).json()
    rest = client.get("/v1/schedules/weekly/history", params={"limit": 1, "cursor": page["next"]}).json()
    assert (rest["rows"][0]["id"], rest["next"]) == (newest["id"], None)
    assert len(list(Path("reports").glob(f"{newest['id']}.csv"))) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cron": "0 7 * * MOM"}, "did you mean MON"),
        ({"zone": "Europe/Pari"}, "did you mean Europe/Paris"),
        ({"to": ["nobody"]}, "there is no channel 'nobody'"),
        ({"to": ["folder:/etc/cron.d"]}, "over HTTP only mail: and https:"),
        ({"to": ["s3://bucket/x"]}, "over HTTP only mail: and https:"),
        ({"to": ["apprise:syslog://"]}, "over HTTP only mail: and https:"),
        ({"to": []}, ""),
        ({"form": "docx"}, "form"),
        ({"graze": "2h"}, "graze"),
        ({"question": {"kind": "report", "options": {"as_of": "now"}}}, "leave out as_of"),
        ({"question": {"kind": "explain"}}, "there is no answer 'explain'"),
    ],
)
def test_what_is_wrong_is_told(client: Client, changed: dict[str, Any], said: str) -> None:
    answer = client.put("/v1/schedules/weekly", json=WEEKLY | changed)
    assert answer.status_code == 400
    assert answer.json()["type"] == "docs/problems.md#wrong-question"
    assert said in answer.json()["detail"]
    assert client.get("/v1/schedules").json() == {"rows": []}


@pytest.mark.parametrize("name", ["a%20b", "..%2Fup", "-x", "x" * 101, "%00"])
def test_hostile_names_are_refused(client: Client, name: str) -> None:
    assert client.put(f"/v1/schedules/{name}", json=WEEKLY).status_code in {400, 404}
    assert client.get("/v1/schedules").json() == {"rows": []}


def test_readers_read_without_secrets_and_admins_who_see_all_write(client: Client, settings: Settings) -> None:
    with opened_keys(settings) as keys:
        sent = {role: {"X-API-Key": keys.create(role)[1]} for role in ("reader", "writer", "admin")}
        some = {"X-API-Key": keys.create("admin", {"region": "West"})[1]}
    address = "https://hooks.example.org/services/T0KEN"
    body = WEEKLY | {"to": [address]}
    for role, status in (("reader", 403), ("writer", 403), ("admin", 200)):
        assert client.put("/v1/schedules/weekly", json=body, headers=sent[role]).status_code == status
    assert client.put("/v1/schedules/weekly", json=body, headers=some).status_code == 403
    assert client.get("/v1/schedules", headers=some).status_code == 403
    assert client.get("/v1/schedules/weekly", headers=sent["admin"]).json()["to"] == [address]
    assert client.get("/v1/schedules/weekly", headers=sent["reader"]).json()["to"] == ["https://hooks.example.org/…"]
    for what in ("pause", "resume", "run"):
        assert client.post(f"/v1/schedules/weekly/{what}", headers=sent["writer"]).status_code == 403
    assert client.delete("/v1/schedules/weekly", headers=sent["writer"]).status_code == 403


def command(*words: str) -> Ran:
    ran = ended_in(Path.cwd(), "schedules", *words)
    assert "Traceback" not in ran.err
    return ran


def test_the_command(settings: Settings) -> None:
    if settings.database != "sqlite":
        pytest.skip("commands are told of the other database by the environment")
    added = command(
        *("add", "weekly", "--cron", "0 7 * * MON", "--zone", "America/Chicago", "--to", "mail:ops@example.org"),
        *("--to", "folder:weekly", "--grace", "1h"),
        *("--", "report", "--window", "last-week", "--group-by", "region", "--format", "xlsx"),
    )
    assert re.fullmatch(r"weekly: kept; next Mon \d{4}-\d\d-\d\d 07:00 C[SD]T\n", added.out.decode()), added
    shown = command("show", "weekly").out.decode()
    for told in (
        "asks     report --window last-week --group-by region",
        "cron     0 7 * * MON (At 07:00 on Monday), America/Chicago",
        "to       mail:ops@example.org, folder:weekly",
        "form     xlsx",
        "grace    1h",
    ):
        assert told in shown
    assert command("list").out.decode().endswith("report --window last-week --group-by region  never run\n")
    job = command("run", "weekly").out.decode()
    (job_id,) = re.findall(r"job ([0-9a-f-]{36});", job)
    assert command("history", "weekly").out.decode().startswith(f"{job_id}  ")
    assert "(by hand): queued" in command("history", "weekly").out.decode()
    assert command("pause", "weekly").status == 0
    assert "weekly  paused" in command("list").out.decode()
    assert command("resume", "weekly").out.decode().startswith("weekly: next Mon ")
    assert command("remove", "weekly").out == b"weekly: removed\n"
    assert command("list").err == "storemon: there are no schedules; make one with: storemon schedules add --help\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "weekly"), "there is no schedule 'weekly'"),
        (("run",), "name the schedule"),
        (("add", "weekly", "--", "report"), "say when, and by whose clocks"),
        (("add", "w", "--cron", "0 7 * * *", "--zone", "UTC", "--to", "mail:a@b.c"), "say behind -- what is asked"),
        (("list", "weekly"), "'weekly' is too much"),
        (("show", "weekly", "--", "report"), "'report' is too much"),
        (("add", "w", "--cron", "0 7 * * *", "--zone", "UTC", "--", "now"), "needs somebody to send to"),
    ],
)
def test_the_command_asked_wrongly(settings: Settings, words: tuple[str, ...], said: str) -> None:
    assert settings
    ran = command(*words)
    assert ran.status == 2
    assert said in ran.err


@pytest.mark.usefixtures("lake")
def test_a_real_service_sends_each_tick_once(settings: Settings) -> None:
    """Three processes watch. The mail has the file, and the webhook the same."""
    records = opened_records(settings)
    with Postbox() as postbox, Hook() as hook:
        Path("rules.toml").write_text(RULES.format(smtp=postbox.port, hook=hook.url))
        with running(*REAL, workers=3, STOREMON_WATCH="true") as server, server.client() as client:
            keep(client, to=["ops", "hook"], cron="0 * * * *", grace="0")
            tick = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            with records.connect() as connection:
                connection.execute(update(SCHEDULES).values(next_at=microseconds(tick - timedelta(hours=9))))
            mail = until(lambda: postbox.mails)[0]
            posted = until(lambda: hook.posted)[0]
            assert mail.recipients == ["ops@example.org"]
            assert str(mail.message["Subject"]).startswith("weekly: report as of ")
            (attached,) = mail.message.iter_attachments()
            assert attached.get_filename() == f"weekly-{tick:%Y-%m-%d}.csv"
            csv = attached.get_content()
            csv = csv.decode() if isinstance(csv, bytes) else csv
            assert csv.splitlines()[0] == "store_id,uptime_last_week,downtime_last_week"
            assert posted.signed_by(b"secret")
            told = posted.json["data"]
            assert (told["kind"], told["schedule"], told["as_of"]) == ("answer", "weekly", tick.isoformat())
            assert told["files"][0]["name"] == attached.get_filename()
            time.sleep(2)  # in which nobody starts another one
            (run,) = client.get("/v1/schedules/weekly/history").json()["rows"]
            assert run["tick_at"] == tick.isoformat().replace("+00:00", "Z")
            assert (len(postbox.mails), len(hook.posted)) == (1, 1)
    records.dispose()
