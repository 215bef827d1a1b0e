import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import structlog
from sqlalchemy import Engine, update

from storemon.errors import ChannelError
from storemon.records.database import alone, now
from storemon.records.tables import NOTICES
from storemon.settings import Settings
from storemon.watch.channels.channel import Channel, Way
from storemon.watch.channels.reading import Channels
from storemon.watch.hours import Hours
from storemon.watch.messages import Message
from storemon.watch.outbox import Outbox
from storemon.watch.sending import Sender
from tests.service.waiting import until
from tests.watch.receiving import Hook, Said
from tests.watch.told import message

LEASE = timedelta(seconds=1)
HOUR_US = 3_600_000_000


class Kept(Way):
    """Keeps what it gets, or fails as it is told to."""

    kind, where = "kept", "here"

    def __init__(self, fails: Callable[[Message], Exception | None] = lambda _: None) -> None:
        self.got: list[Message] = []
        self.fails = fails

    def send(self, message: Message) -> None:
        if (error := self.fails(message)) is not None:
            raise error
        self.got.append(message)

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.got]


class Slow(Kept):
    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end = Event(), Event()

    def send(self, message: Message) -> None:
        self.begun.set()
        self.may_end.wait(60)
        super().send(message)


@pytest.fixture
def outbox(records: Engine) -> Outbox:
    return Outbox(records)


@pytest.fixture
def ways() -> dict[str, Way]:
    return {}


@pytest.fixture
def hours() -> dict[str, Hours]:
    return {}


@pytest.fixture
def sender(outbox: Outbox, ways: dict[str, Way], hours: dict[str, Hours]) -> Iterator[Sender]:
    def channel_of(name: str) -> Channel:
        if name not in ways:
            return Channels({}).get(name)
        return Channel(name, ways[name], hours.get(name))

    made = Sender(outbox, channel_of, link="https://storemon.example.org")
    made.start()
    yield made
    made.stop()
    assert not made.has_ended()


def put(records: Engine, *messages: Message, channel: str = "ops", kind: str = "fired") -> None:
    with alone(records, "alerts") as connection:
        for each in messages:
            Outbox(records).put(connection, channel=channel, kind=kind, alerts=[], message=each)


def all_are(outbox: Outbox, state: str) -> Callable[[], bool]:
    return lambda: {notice.state for notice in outbox.newest(1000)} == {state}


def due_now(records: Engine) -> None:
    with records.connect() as connection:
        connection.execute(update(NOTICES).where(NOTICES.c.state == "waiting").values(send_after=now()))


def closed() -> Hours:
    """Hours that are over now, and for two hours to come."""
    at = datetime.now(UTC) + timedelta(hours=2)
    return Hours.read(f"{at:%a} {at:%H}:00-{at:%H}:59", "UTC")


def opened() -> Hours:
    """Hours that began within the last minute."""
    at = datetime.now(UTC)
    return Hours.read(f"{at:%H:%M}-{at + timedelta(hours=3):%H:%M}", "UTC")


@pytest.mark.usefixtures("sender")
def test_what_is_due_is_sent_in_its_order(records: Engine, outbox: Outbox, ways: dict[str, Way]) -> None:
    ways["ops"] = kept = Kept()
    put(records, *(message(f"n{n}") for n in range(5)))
    until(all_are(outbox, "sent"))
    assert kept.ids == [f"n{n}" for n in range(5)]
    assert kept.got[0] == message("n0")


@pytest.mark.usefixtures("sender")
def test_a_slow_channel_holds_up_no_other(records: Engine, ways: dict[str, Way]) -> None:
    ways |= {"slow": (slow := Slow()), "ops": (kept := Kept())}
    put(records, message("s1"), message("s2"), channel="slow")
    slow.begun.wait(30)
    put(records, message("n1"))
    until(lambda: kept.ids == ["n1"])
    assert slow.ids == []
    slow.may_end.set()
    until(lambda: slow.ids == ["s1", "s2"])


@pytest.mark.usefixtures("sender")
def test_what_fails_is_tried_again_and_given_up_as_the_channel_says(
    records: Engine, outbox: Outbox, ways: dict[str, Way]
) -> None:
    errors: list[Exception | None] = [ChannelError("asleep", after_s=7200), RuntimeError("a bug"), None]
    ways |= {
        "ops": (kept := Kept(lambda _: errors.pop(0))),
        "gone": Kept(lambda _: ChannelError("gone", again=False)),
    }
    put(records, message("n1"))
    put(records, message("n2"), channel="gone")
    until(lambda: len(outbox.newest(1000, state="dead")) == 1 and len(errors) == 2)
    (dead,) = outbox.newest(1000, state="dead")
    assert (dead.id, dead.reason, dead.attempts) == ("n2", "gone: gone", 1)
    waits = until(lambda: next((n for n in outbox.newest(9) if n.id == "n1" and n.state == "waiting"), None))
    assert waits.reason == "ops: asleep"
    assert waits.send_after - waits.created_at >= 2 * HOUR_US
    due_now(records)
    until(lambda: len(errors) == 1)
    until(lambda: next((n for n in outbox.newest(9) if n.id == "n1" and n.state == "waiting"), None))
    due_now(records)
    until(lambda: kept.ids == ["n1"])


@pytest.mark.usefixtures("sender")
def test_a_channel_that_there_is_not_is_told(records: Engine, outbox: Outbox) -> None:
    put(records, message("n1"), channel="opps")
    (waits,) = until(lambda: [notice for notice in outbox.newest(9) if notice.reason])
    assert waits.state == "waiting"
    assert "there is no channel 'opps'" in (waits.reason or "")


@pytest.mark.usefixtures("sender")
def test_outside_of_its_hours_a_channel_is_told_nothing(
    records: Engine, outbox: Outbox, ways: dict[str, Way], hours: dict[str, Hours]
) -> None:
    ways |= {"ops": (kept := Kept()), "always": (other := Kept())}
    hours["ops"] = closed()
    put(records, message("n1"), message("n2"))
    put(records, message("n3"), channel="always")
    until(lambda: other.ids == ["n3"])
    assert kept.ids == []
    assert [notice.attempts for notice in outbox.newest(9) if notice.channel == "ops"] == [0, 0]


@pytest.mark.usefixtures("sender")
def test_what_waited_for_the_hours_comes_as_one(
    records: Engine, outbox: Outbox, ways: dict[str, Way], hours: dict[str, Hours]
) -> None:
    hours["ops"] = closed()
    ways["ops"] = kept = Kept()
    put(records, message("n1", id="a1", subject="1"), message("n2", id="a2", subject="2"))
    put(records, message("n3", "resolved", id="a1", subject="1", resolved_at="2024-10-14T20:00:00Z"), kind="resolved")
    put(records, Message("n4", "Last week", "x", data={"kind": "answer"}), kind="answer")
    with records.connect() as connection:
        connection.execute(update(NOTICES).values(created_at=NOTICES.c.created_at - HOUR_US))
    put(records, message("n5"))
    hours["ops"] = opened()
    until(all_are(outbox, "sent"))
    digest, *rest = kept.got
    assert digest.title == "[digest] 2 alerts outside of your hours, 1 of them still on"
    assert digest.data["notices"] == ["n1", "n2", "n3"]
    assert [(alert["id"], alert["resolved_at"]) for alert in digest.data["alerts"]] == [
        ("a1", "2024-10-14T20:00:00Z"),
        ("a2", None),
    ]
    assert digest.data["link"] == "https://storemon.example.org"
    assert [told.id for told in rest] == ["n4", "n5"]


@pytest.mark.usefixtures("sender")
def test_one_that_waited_alone_comes_as_it_is(
    records: Engine, outbox: Outbox, ways: dict[str, Way], hours: dict[str, Hours]
) -> None:
    hours["ops"] = opened()
    ways["ops"] = kept = Kept()
    with alone(records, "alerts") as connection:
        outbox.put(connection, channel="ops", kind="fired", alerts=[], message=message("n1"))
        connection.execute(update(NOTICES).values(created_at=NOTICES.c.created_at - HOUR_US))
    until(lambda: kept.ids == ["n1"])


@pytest.mark.usefixtures("sender")
def test_a_digest_that_fails_is_the_same_the_next_time(
    records: Engine, outbox: Outbox, ways: dict[str, Way], hours: dict[str, Hours]
) -> None:
    tried: list[str] = []

    def fails(told: Message) -> Exception | None:
        tried.append(told.id)
        return ChannelError("asleep") if len(tried) == 1 else None

    hours["ops"] = closed()
    ways["ops"] = Kept(fails)
    put(records, message("n1"), message("n2"))
    with records.connect() as connection:
        connection.execute(update(NOTICES).values(created_at=NOTICES.c.created_at - HOUR_US))
    hours["ops"] = opened()
    until(lambda: len(tried) == 1 and all_are(outbox, "waiting")())
    due_now(records)
    until(all_are(outbox, "sent"))
    assert len({*tried}) == 1


def test_each_end_is_counted(records: Engine, outbox: Outbox) -> None:
    counted: list[tuple[str, str, int]] = []
    way = Kept(lambda told: ChannelError("gone", again=False) if told.id == "n2" else None)
    sender = Sender(outbox, lambda name: Channel(name, way), counting=lambda *told: counted.append(told))
    put(records, message("n1"), message("n2"), channel="https://h.example.org/secret")
    sender.start()
    until(lambda: len(counted) == 2)
    sender.stop()
    assert sorted(counted) == [("https://h.example.org/…", "dead", 1), ("https://h.example.org/…", "sent", 1)]


def test_what_is_lost_is_told_in_the_log(records: Engine, outbox: Outbox) -> None:
    way = Kept(lambda _: ChannelError("gone", again=False))
    put(records, message("n1"))
    with structlog.testing.capture_logs() as logged:
        sender = Sender(outbox, lambda name: Channel(name, way))
        sender.start()
        until(all_are(outbox, "dead"))
        sender.stop()
    (line,) = [line for line in logged if line["event"] == "notice given up"]
    assert (line["log_level"], line["notice"], line["reason"]) == ("error", "n1", "ops: gone")


def test_what_takes_longer_than_the_lease_is_sent_once(records: Engine, outbox: Outbox) -> None:
    slow = Slow()
    senders = [Sender(outbox, lambda name: Channel(name, slow), lease=timedelta(seconds=2)) for _ in range(2)]
    put(records, message("n1"))
    for sender in senders:
        sender.start()
    slow.begun.wait(30)
    (first,) = outbox.newest(1)
    until(lambda: (outbox.newest(1)[0].lease_ends_at or 0) > (first.lease_ends_at or 0) + 3_000_000)
    slow.may_end.set()
    until(all_are(outbox, "sent"))
    for sender in senders:
        sender.stop()
    assert slow.ids == ["n1"]
    assert outbox.newest(1)[0].attempts == 1


@pytest.mark.usefixtures("sender")
def test_it_outlives_records_that_are_out_of_reach(
    records: Engine, outbox: Outbox, ways: dict[str, Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Event()

    def fails(*_: object) -> None:
        failed.set()
        raise OSError("out of reach")

    ways["ops"] = kept = Kept()
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "due", fails)
        failed.wait(30)
    put(records, message("n1"))
    until(lambda: kept.ids == ["n1"])


SENDS = """
import sys
from datetime import timedelta
from pathlib import Path
from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.channels.reading import Channels
from storemon.watch.outbox import Outbox
from storemon.watch.sending import Sender

outbox = Outbox(opened_records(Settings.load(reports=Path(sys.argv[1]), database=sys.argv[2])))
channels = Channels({"hook": {"to": sys.argv[3], "private": True, "secret": "s3cret"}})
sender = Sender(outbox, channels.get, lease=timedelta(seconds=1))
sender.start()
sys.stdin.read()
sender.stop()
"""


def sending(settings: Settings, hook: Hook) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SENDS, str(settings.reports), settings.database, hook.url]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def test_killed_between_sending_and_the_record_of_it(
    settings: Settings, records: Engine, outbox: Outbox, hook: Hook
) -> None:
    """Each notice arrives, with its own id, though every second sender dies with one in hand."""
    processes: list[subprocess.Popen[bytes]] = []
    names = {f"n{n}" for n in range(6)}

    def answer(count: int) -> Said:
        if count in {2, 4}:
            os.kill(processes[-1].pid, signal.SIGKILL)
        return 204, {}, b""

    hook.answer = answer
    put(records, *(message(name) for name in sorted(names)), channel="hook")
    for _ in range(3):
        processes.append(sending(settings, hook))
        until(lambda: processes[-1].poll() is not None or all_are(outbox, "sent")(), 60)
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [-signal.SIGKILL, -signal.SIGKILL, 0]
    arrived = [posted.headers["webhook-id"] for posted in hook.posted]
    assert {*arrived} == names
    assert len(arrived) == 8
    assert all(posted.signed_by(b"s3cret") for posted in hook.posted)


def test_many_processes_and_a_receiver_that_fails_half_of_the_time(
    settings: Settings, records: Engine, outbox: Outbox, hook: Hook
) -> None:
    names = {f"n{n}" for n in range(20)}
    hook.answer = lambda count: (204 if count % 2 else 503, {}, b"")
    put(records, *(message(name) for name in sorted(names)), channel="hook")
    processes = [sending(settings, hook) for _ in range(2)]

    def over() -> bool:
        due_now(records)
        return all_are(outbox, "sent")()

    until(over, 60)
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert {posted.headers["webhook-id"] for posted in hook.posted} == names
    assert len(hook.posted) in {39, 40}
