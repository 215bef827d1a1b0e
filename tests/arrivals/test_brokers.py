"""What is sent to a broker is in the lake, whatever happens to the broker and to whoever listens."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.arrivals.brokers import NO_NATS, NO_RABBITMQ, Broker, KafkaMock, NatsServer, Rabbit, has_nats, has_rabbitmq
from tests.arrivals.listening import arrived, listening, rejected_in, sent, written
from tests.examples import examples

MANY = 20_000
POINTS = 10
NEEDS_NATS = pytest.mark.skipif(not has_nats(), reason=NO_NATS)
NEEDS = {
    "nats": NEEDS_NATS,
    "rabbitmq": pytest.mark.skipif(not has_rabbitmq(), reason=NO_RABBITMQ),
    "kafka": (),
}
STARTS = {"nats": NatsServer, "rabbitmq": Rabbit, "kafka": KafkaMock}
KINDS = [pytest.param(kind, marks=marks) for kind, marks in NEEDS.items()]
REAL_KINDS = [pytest.param(kind, marks=NEEDS[kind]) for kind in ("nats", "rabbitmq")]


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[str], Broker]]:
    """Give a broker of a kind, started when it is first asked for, with a new queue."""
    with ExitStack() as stack:
        running: dict[str, Broker] = {}

        def start(kind: str) -> Broker:
            if kind not in running:
                running[kind] = stack.enter_context(STARTS[kind]())
            running[kind].make()
            return running[kind]

        yield start


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, started: Callable[[str], Broker]) -> Broker:
    return started(request.param)


@pytest.fixture(params=REAL_KINDS)
def real_broker(request: pytest.FixtureRequest, started: Callable[[str], Broker]) -> Broker:
    return started(request.param)


def test_all_that_is_sent_is_in_the_lake(broker: Broker, tmp_path: Path) -> None:
    polls = sent(300)
    bodies = written(polls)
    array = b"[" + b",".join(bodies[100:200]) + b"]"
    pretty = json.dumps([json.loads(body) for body in bodies[200:250]], indent=2).encode()
    csv = b"store_id,status,timestamp_utc\n" + b"".join(
        f"{store},{'up' if active else 'down'},{at:%Y-%m-%d %H:%M:%S UTC}\n".encode()
        for store, at, active in sorted(polls, key=lambda poll: poll[1])[250:275]
    )
    with listening(tmp_path, broker.url) as listener:
        broker.send(bodies[:100])
        broker.send([array, pretty], "application/json")
        broker.send([csv], "text/csv; charset=utf-8")
        broker.send([b"\n".join(bodies[275:])], "application/x-ndjson")
        assert arrived(tmp_path, polls), listener.log
        assert listener.stop() == 0
        (ended,) = listener.logged("stopped")
        assert (ended["messages"], ended["polls"], ended["rejected"]) == (104, 300, 0)


def test_what_cannot_be_read_is_kept_with_where_it_came_from(broker: Broker, tmp_path: Path) -> None:
    polls = sent(4)
    good = written(polls)
    wrong = b'{"store_id": "7", "status": "asleep", "timestamp_utc": "2024-10-03T00:00:00Z"}'
    with listening(tmp_path, broker.url) as listener:
        broker.send([good[0], wrong, good[1], b"no JSON at all", b"\xff\xfe", good[2], good[3]])
        assert arrived(tmp_path, polls), listener.log
        assert listener.stop() == 0
    rows = {row: (file, line, reason) for file, line, row, reason in rejected_in(tmp_path)}
    assert {wrong.decode(), "no JSON at all", "\ufffd\ufffd"} == {*rows}
    assert "status" in rows[wrong.decode()][2]
    places = {
        "kafka": f"kafka://{broker.topic}/",
        "amqp": f"amqp://{broker.topic}",
        "nats": f"nats://{broker.topic.upper()}",
    }
    place = places[broker.url.partition(":")[0]]
    assert all(file.startswith(place) for file, _, _ in rows.values())
    if isinstance(broker, NatsServer):  # it counts from 1
        assert [rows[row][1] for row in (wrong.decode(), "no JSON at all", "\ufffd\ufffd")] == [2, 4, 5]
    assert len({(file, line) for file, line, _ in rows.values()}) == 3


@pytest.mark.parametrize("n", range(examples(POINTS)))
def test_a_consumer_is_killed(broker: Broker, tmp_path: Path, n: int) -> None:
    polls = sent(MANY)
    broker.send(written(polls))
    with listening(tmp_path, broker.url) as listener:
        listener.said("listening")
        time.sleep(1.5 * n / max(1, examples(POINTS) - 1))
    with listening(tmp_path, broker.url) as listener:
        assert arrived(tmp_path, polls, 90), listener.log
        assert listener.stop() == 0


def test_a_broker_is_killed_and_started_again(real_broker: NatsServer | Rabbit, tmp_path: Path) -> None:
    before, after = sent(2_000), sent(2_000, 2_000)
    with listening(tmp_path, real_broker.url) as listener:
        real_broker.send(written(before))
        assert arrived(tmp_path, before), listener.log
        real_broker.kill()
        listener.said("the broker is not there")
        time.sleep(2)
        real_broker.start()
        listener.said("the broker is there again")
        real_broker.send(written(after))
        assert arrived(tmp_path, before | after), listener.log
        assert len(listener.logged("the broker is not there")) == 1
        assert listener.stop() == 0


def test_a_broker_that_is_not_there_yet(real_broker: NatsServer | Rabbit, tmp_path: Path) -> None:
    real_broker.kill()
    with listening(tmp_path, real_broker.url) as listener:
        listener.said("the broker is not there")
        real_broker.start()
        real_broker.send(written(sent(10)))
        assert arrived(tmp_path, sent(10)), listener.log


def test_a_full_inbox_is_waited_for(broker: Broker, tmp_path: Path) -> None:
    """So little may wait that each batch fills it; the mover empties it."""
    polls = sent(15_000)
    with listening(tmp_path, broker.url, STOREMON_INBOX="1KB") as listener:
        broker.send(written(polls))
        listener.said("nothing is fetched")
        assert arrived(tmp_path, polls, 90), listener.log
        assert listener.logged("the inbox takes polls again")
        assert listener.stop() == 0


def test_several_side_by_side(broker: Broker, tmp_path: Path) -> None:
    polls = sent(MANY)
    with listening(tmp_path, broker.url) as first, listening(tmp_path, broker.url) as second:
        first.said("listening")
        second.said("listening")
        broker.send(written(polls))
        assert arrived(tmp_path, polls, 90), first.log + second.log
        assert first.stop(signal.SIGINT) == second.stop() == 0


def test_a_listener_ends_in_seconds_when_nothing_comes(broker: Broker, tmp_path: Path) -> None:
    with listening(tmp_path, broker.url) as listener:
        listener.said("listening")
        time.sleep(1)
        assert listener.stop() == 0
        assert listener.logged("stopped")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda url: url.replace("guest:guest", "guest:Sesame1"), "does not let us in"),
        (lambda url: url.replace("queue=", "queue=no"), "make the queue first"),
        (lambda url: url.replace("nats://", "nats://storemon:Sesame1@"), "does not let us in"),
        (lambda url: url.replace("/polls", "/no"), "there is no stream"),
        (lambda url: url + "?stream=NONE", "there is no stream NONE"),
    ],
)
def test_what_waiting_would_not_help(
    real_broker: NatsServer | Rabbit, tmp_path: Path, change: object, told: str
) -> None:
    url = change(real_broker.url)  # type: ignore[operator]
    if url == real_broker.url or (isinstance(real_broker, Rabbit) and "stream" in told):
        pytest.skip("is about the other broker")
    with listening(tmp_path, url) as listener:
        assert listener.process.wait(30) == 2
        assert told in listener.log
        assert "Sesame1" not in listener.log
        assert "Traceback" not in listener.log


def test_an_unknown_topic(started: Callable[[str], Broker], tmp_path: Path) -> None:
    broker = started("kafka")
    assert isinstance(broker, KafkaMock)
    with listening(tmp_path, f"kafka://{broker.servers}/none") as listener:
        assert listener.process.wait(30) == 2
        assert "there is no topic none" in listener.log


PAGE = Path(__file__).parent.parent.parent / "docs" / "live.md"


def test_the_commands_of_the_page(broker: Broker, tmp_path: Path) -> None:
    """Each example as it stands, but for the broker and what it is called there."""
    scheme = broker.url.partition("://")[0]
    (example,) = re.findall(rf"^storemon listen '({scheme}://.*)'$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    place = broker.url.partition("://")[2].partition("/")[0].partition("?")[0]
    url = re.sub(r"://[^/]*", f"://{place}", example).replace("/vhost", "").replace("polls", broker.topic)
    with listening(tmp_path, url) as listener:
        broker.send(written(sent(5)))
        assert arrived(tmp_path, sent(5)), listener.log
