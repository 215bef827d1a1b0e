import sys
import time
from pathlib import Path

import pytest

from storemon.errors import ChannelError, InputError
from storemon.watch.channels import apprise as ours
from storemon.watch.channels.apprise import Apprise
from storemon.watch.channels.reading import read_channels
from storemon.watch.messages import Attached, Message
from tests.watch.receiving import Hook
from tests.watch.told import message

pytest.importorskip("apprise", reason="apprise is not installed: storemon[notify]")


def address(hook: Hook) -> str:
    return f"json://127.0.0.1:{hook.port}/hook"


def test_a_message_goes_by_it(hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"1,2")
    told = message("n1")
    files = (Attached("week.csv", "text/csv", str(file)),)
    Apprise(address(hook)).send(Message("n1", told.title, told.text, severity="critical", data=told.data, files=files))
    (posted,) = hook.posted
    assert posted.json["title"] == told.title
    assert posted.json["message"].split() == told.text.split()
    assert posted.json["type"] == "failure"
    assert posted.json["attachments"][0]["filename"] == "week.csv"


def test_what_is_over_is_a_success(hook: Hook) -> None:
    Apprise(address(hook)).send(message("n1", "resolved", resolved_at="2024-10-14T20:00:00Z"))
    assert hook.posted[0].json["type"] == "success"


def test_what_it_says_is_told_without_secrets(hook: Hook) -> None:
    hook.answer = lambda _: (500, {}, b"no")
    channel = read_channels({"chat": {"to": f"apprise:json://us:tok3n-tok3n@127.0.0.1:{hook.port}/hook"}}, {})["chat"]
    with pytest.raises(ChannelError, match="chat: json://… was not reached: ") as failed:
        channel.send(message())
    assert failed.value.again
    assert "tok3n" not in str(failed.value)


def test_an_address_that_it_does_not_know() -> None:
    with pytest.raises(ChannelError, match="no address that apprise knows") as failed:
        Apprise("nothing://of/the/kind").send(message())
    assert not failed.value.again


def test_who_hangs_is_left(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(ours, "_COMMAND", asleep)
    began = time.monotonic()
    with pytest.raises(ChannelError, match=r"json://… does not answer for 0\.2 s") as failed:
        Apprise(address(hook), limit_s=0.2).send(message())
    assert failed.value.again
    assert time.monotonic() - began < 30


def test_a_process_that_ends_without_a_word(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_COMMAND", (sys.executable, "-c", "pass"))
    with pytest.raises(ChannelError, match="apprise ended without an answer"):
        Apprise(address(hook)).send(message())


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'storemon\[notify\]'"):
        Apprise("slack://a/b/c")
