"""What docs/channels.md shows does what it says."""

import re
import tomllib
from pathlib import Path
from typing import Any

from storemon.watch.channels.reading import read_channels
from storemon.watch.texts import NAMES, message_of, require_templates
from tests.watch.receiving import Hook
from tests.watch.told import alert, message

PAGE = (Path(__file__).parent.parent.parent / "docs" / "channels.md").read_text(encoding="utf-8")
SET = {"SMTP_PASSWORD": "p", "HOOK_SECRET": "a-secret", "SLACK_A": "A", "SLACK_B": "B", "SLACK_C": "C"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_channels_can_be_read() -> None:
    channels, _ = blocks("toml")
    known = read_channels(tomllib.loads(channels)["channels"], SET)
    assert [channel.kind for channel in known.values()] == [
        "mail",
        "webhook",
        "alertmanager",
        "apprise",
        "folder",
        "s3",
    ]


def test_the_signature_can_be_checked_so(hook: Hook) -> None:
    read_channels({"hook": {"to": hook.url, "secret": "a-secret", "private": True}}, SET)["hook"].send(message())
    (code,) = blocks("python")
    told: dict[str, Any] = {"headers": hook.posted[0].headers, "body": hook.posted[0].body, "secret": b"a-secret"}
    exec(code, told)  # noqa: S102 - our own page
    assert told["is_ours"] is True
    assert told["is_new"] is True
    told["body"] += b" "
    exec(code, told)  # noqa: S102 - our own page
    assert told["is_ours"] is False


def test_the_templates_can_be_used() -> None:
    _, templates = blocks("toml")
    written = tomllib.loads(templates)
    require_templates(written)
    told = message_of("n", "fired", "down", [alert()], templates=written)
    assert told.title == "Acme Loop (4711) in Chicago"
    assert "Runbook: https://wiki.example.org/down" in told.text
    assert message_of("n", "fired", "down", [alert(tags={})], templates=written).title == "store 4711 in ?"


def test_every_name_is_told() -> None:
    table = PAGE.partition("They know these names")[2].partition("Each alert has")[0]
    assert {*re.findall(r"`(\w+)`", table)} == {*NAMES}
