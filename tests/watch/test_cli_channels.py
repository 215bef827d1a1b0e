from pathlib import Path

import pytest
from sqlalchemy import Engine

from storemon.records.database import alone
from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.outbox import Outbox
from tests.conftest import Storemon
from tests.watch.receiving import Hook
from tests.watch.told import message

RULES = """
[channels.hook]
to = "{url}"
secret = "${{HOOK_SECRET}}"
private = true

[channels.ops]
to = "smtp+tls://us:${{SMTP_PASSWORD}}@mail.example.org"
from = "storemon@example.org"
recipients = ["ops@example.org"]
hours = "Mon-Fri 08:00-20:00"
zone = "America/Chicago"
"""
SECRETS = {"HOOK_SECRET": "s3cret-s3cret", "SMTP_PASSWORD": "p@ss/word#1"}


@pytest.fixture
def rules(tmp_path: Path, hook: Hook) -> None:
    (tmp_path / "rules.toml").write_text(RULES.format(url=hook.url))


def put(folder: Path, *names: str) -> Engine:
    records = opened_records(Settings.load(reports=folder / "reports"))
    with alone(records, "alerts") as connection:
        for name in names:
            channel = "https://h.example.org/t0k3n" if name == "n1" else "ops"
            Outbox(records).put(connection, channel=channel, kind="fired", alerts=[], message=message(name))
    return records


@pytest.mark.usefixtures("rules")
def test_channels_are_listed_without_secrets(storemon: Storemon) -> None:
    ran = storemon("channels", "list", **SECRETS)
    assert ran.status == 0, ran.err
    lines = ran.out.decode().splitlines()
    assert lines[1] == (
        "ops   mail          ops@example.org by mail.example.org:587  Mon-Fri 08:00-20:00 America/Chicago"
    )
    assert lines[0].startswith("hook  webhook       http://127.0.0.1:")
    assert "/hook" not in lines[0]
    assert not any(secret in ran.out.decode() for secret in SECRETS.values())


@pytest.mark.usefixtures("rules")
def test_a_test_is_sent_and_told(storemon: Storemon, hook: Hook) -> None:
    ran = storemon("channels", "test", "hook", "--rules", "rules.toml", **SECRETS)
    assert ran.status == 0, ran.err
    (posted,) = hook.posted
    assert posted.json["type"] == "notice.test"
    assert posted.signed_by(b"s3cret-s3cret")
    assert f"hook: the test {posted.json['data']['id']} was taken by http://127.0.0.1" in ran.out.decode()


@pytest.mark.usefixtures("rules")
def test_a_test_that_is_not_taken_is_told(storemon: Storemon, hook: Hook) -> None:
    hook.answer = lambda _: (401, {}, b"s3cret-s3cret is wrong")
    ran = storemon("channels", "test", "hook", **SECRETS)
    assert ran.status == 2
    assert "hook: it answers 401 (*** is wrong); check its address" in ran.err


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("args", "secrets", "why"),
    [
        (("test", "hok"), SECRETS, "there is no channel 'hok'; did you mean hook?"),
        (("test",), SECRETS, "name the channel to test: hook, ops"),
        (("list",), {"HOOK_SECRET": "x"}, "channels.ops: the environment has no variable 'SMTP_PASSWORD'"),
    ],
)
def test_mistakes_are_told(storemon: Storemon, args: tuple[str, ...], secrets: dict[str, str], why: str) -> None:
    ran = storemon("channels", *args, **secrets)
    assert ran.status != 0
    assert why in ran.err


def test_a_bare_address_needs_no_file(storemon: Storemon, tmp_path: Path) -> None:
    ran = storemon("channels", "test", f"folder:{tmp_path / 'shelf'}")
    assert ran.status == 0, ran.err
    (file,) = (tmp_path / "shelf").iterdir()
    assert "Nothing is wrong" in file.read_text()
    ran = storemon("channels", "list")
    assert (ran.status, ran.out) == (0, b"")
    assert "there are no channels" in ran.err


def test_notices_are_listed_and_sent_again(storemon: Storemon, tmp_path: Path) -> None:
    records = put(tmp_path, "n1", "n2")
    outbox = Outbox(records)
    claimed = outbox.claim("us", Settings().lease, "https://h.example.org/t0k3n")
    outbox.failed([claimed[0].id], "us", "it is gone", None)
    listed = storemon("notices").out.decode()
    assert len(listed.splitlines()) == 2
    assert "t0k3n" not in listed
    (dead,) = storemon("notices", "--dead").out.decode().splitlines()
    assert dead.startswith("n1  ")
    assert "dead     https://h.example.org/…  [critical] Acme Loop (4711) is down  (1 attempts: it is gone)" in dead
    assert storemon("notices", "retry", "n1").status == 0
    assert outbox.newest(1000, state="dead") == []
    ran = storemon("notices", "retry", "n1")
    assert ran.status != 0
    assert "there is no notice 'n1' that was given up; see: storemon notices --dead" in ran.err
    assert "there are no such notices" in storemon("notices", "--dead").err
    records.dispose()
