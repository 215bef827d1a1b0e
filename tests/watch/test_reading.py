from pathlib import Path
from typing import Any

import pytest

from storemon.errors import InputError
from storemon.watch.channels.reading import Channels, read_channels, read_tables, shown

MAIL = {
    "to": "smtp+tls://user:${SMTP_PASSWORD}@mail.example.org:587",
    "from": "storemon@example.org",
    "recipients": ["ops@example.org", "${BOSS}"],
    "hours": "Mon-Fri 08:00-20:00",
    "zone": "America/Chicago",
}
TABLES: dict[str, Any] = {
    "ops": MAIL,
    "hook": {"to": "https://hooks.example.org/${TOKEN}", "secret": "${HOOK_SECRET}", "private": True},
    "am": {"to": "alertmanager+http://127.0.0.1:9093"},
    "chat": {"to": "apprise:slack://TokenAAAA/TokenBBBB/TokenCCCC"},
    "shelf": {"to": "folder:reports/weekly"},
    "store": {"to": "s3://bucket/path"},
}
ENVIRONMENT = {
    "SMTP_PASSWORD": "p@ss/word#1",
    "BOSS": "boss@example.org",
    "TOKEN": "T0K3N-T0K3N",
    "HOOK_SECRET": "hook-secret-1",
}


def test_each_kind_is_read_and_told_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = read_channels(TABLES, ENVIRONMENT)
    assert {name: (channel.kind, channel.where) for name, channel in known.items()} == {
        "ops": ("mail", "ops@example.org, boss@example.org by mail.example.org:587"),
        "hook": ("webhook", "https://hooks.example.org"),
        "am": ("alertmanager", "http://127.0.0.1:9093"),
        "chat": ("apprise", "slack://…"),
        "shelf": ("folder", str(tmp_path / "reports" / "weekly")),
        "store": ("s3", "s3://bucket/path"),
    }
    assert str(known["ops"].hours) == "Mon-Fri 08:00-20:00 America/Chicago"
    assert known["hook"].hours is None
    assert {"p@ss/word#1", "boss@example.org"} <= known["ops"].secrets
    assert {"T0K3N-T0K3N", "hook-secret-1"} <= known["hook"].secrets
    assert {"TokenAAAA", "TokenBBBB", "TokenCCCC"} <= known["chat"].secrets


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"to": "https://h.example.org", "secrt": "x"}, "there is no key of https: 'secrt'; did you mean secret?"),
        ({"to": "https://h.example.org", "recipients": []}, "there is no key of https: 'recipients'"),
        ({"to": "smpt://h", "from": "a@b.org"}, "there is no kind of channel 'smpt'; did you mean smtp"),
        ({"to": "ops@example.org"}, "there is no kind of channel ''"),
        ({"too": "https://h"}, "it does not say where to"),
        ({"to": 5}, "it does not say where to"),
        ("https://h", "it is no table"),
        ({"to": "https://h", "private": "yes"}, "Expected `bool`, got `str`"),
        ({**MAIL, "recipients": "ops@example.org"}, "Expected `array`, got `str`"),
        ({**MAIL, "zone": ""}, "hours and their zone go together"),
        ({**MAIL, "hours": "always"}, "'always' is not a part of hours"),
        ({**MAIL, "from": ""}, "a mail needs a sender"),
        ({**MAIL, "to": "smtp://us:pass1234@mail.example.org"}, "a password is not sent in the open"),
        ({**MAIL, "to": "smtps://us:pass1234@mail.example.org:x"}, "this is no mail server"),
        ({"to": "https://h.example.org/${NOBODY}"}, "the environment has no variable 'NOBODY'"),
        ({"to": "https://h.example.org", "secret": "whsec_???"}, "copy it once more"),
        ({"to": "apprise:slack"}, "apprise needs one of its addresses"),
        ({"to": "folder:"}, "this names no folder"),
        ({"to": "https://[h"}, "this is no address to post to"),
        ({**MAIL, "to": "smtps://us:pass1234\u2100@[h"}, "its address can't be read"),
        ({"to": "s3:bucket"}, "this names no bucket"),
    ],
)
def test_mistakes_are_told_with_what_was_meant(table: Any, why: str) -> None:
    with pytest.raises(InputError) as failed:
        read_channels({"x": table}, ENVIRONMENT)
    assert str(failed.value).startswith("channels.x: ")
    assert why in str(failed.value)
    assert not any(secret in str(failed.value) for secret in ("p@ss", "pass1234"))


def test_bare_addresses(tmp_path: Path) -> None:
    known = Channels(TABLES, ENVIRONMENT)
    assert known.get("ops") is known.named["ops"]
    bare = known.get("mail:a@example.org,b@example.org")
    assert bare.where == "a@example.org, b@example.org by mail.example.org:587"
    assert bare.hours is None
    assert "p@ss/word#1" in bare.secrets
    assert known.get("mail:a@example.org,b@example.org") is bare
    assert Channels({}, {}).get("mail:a@example.org").where == "a@example.org by localhost:25"
    assert known.get(f"folder:{tmp_path}").where == str(tmp_path)
    assert known.get("https://h.example.org/secret-path").name == "https://h.example.org/…"
    with pytest.raises(InputError, match="there is no channel 'opps'; did you mean ops"):
        known.get("opps")
    with pytest.raises(InputError, match="there is no kind of channel 'htps'"):
        known.get("htps://h.example.org")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ops", "ops"),
        ("mail:a@example.org", "mail:a@example.org"),
        ("https://us:pass@h.example.org:8/services/T000/B000", "https://h.example.org:8/…"),
        ("apprise:slack://TokenA/TokenB", "apprise:slack://…"),
        ("s3://bucket/path", "s3://bucket/path"),
        ("https://us:pass@[h/x", "https://…/…"),
    ],
)
def test_a_name_is_shown_without_secrets(name: str, told: str) -> None:
    assert shown(name) == told


def test_tables_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    assert read_tables(file) == {}
    file.write_text('[[rules]]\nname = "x"\n[channels.am]\nto = "alertmanager+http://h:1"\n')
    assert read_tables(file) == {"am": {"to": "alertmanager+http://h:1"}}
    file.write_text("channels = 3")
    with pytest.raises(InputError, match="channels are tables"):
        read_tables(file)
    file.write_text("[channels")
    with pytest.raises(InputError, match=r"rules\.toml: it can't be read"):
        read_tables(file)
