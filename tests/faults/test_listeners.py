"""Listeners and brokers that die: what a broker had is in the lake, and what it delivers again adds nothing."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest
from deltalake.exceptions import TableNotFoundError

from storemon.records.inbox import Inbox
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.arrivals.brokers import NO_NATS, NO_RABBITMQ, NatsServer, Rabbit, has_nats, has_rabbitmq
from tests.arrivals.listening import Polls, in_lake, listening, sent, written
from tests.conftest import COMMAND
from tests.examples import DEEP, examples
from tests.faults.arriving import QUICK, until
from tests.faults.publishing import Publishing, QuickNats, consumer_of, left

MANY = 20_000
NEEDS_NATS = pytest.mark.skipif(not has_nats(), reason=NO_NATS)
NEEDS_RABBITMQ = pytest.mark.skipif(not has_rabbitmq(), reason=NO_RABBITMQ)
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def broker() -> Iterator[Callable[[str], NatsServer | Rabbit]]:
    """Give a broker of a kind, started when it is first asked for."""
    with ExitStack() as stack:
        running: dict[str, NatsServer | Rabbit] = {}

        def start(kind: str) -> NatsServer | Rabbit:
            if kind not in running:
                running[kind] = NatsServer() if kind == "nats" else Rabbit()
                stack.enter_context(running[kind])
            return running[kind]

        yield start


@pytest.fixture(scope="module")
def nats() -> Iterator[QuickNats]:
    with QuickNats() as nats:
        yield nats


@pytest.fixture(scope="module")
def stream(nats: QuickNats) -> QuickNats:
    """Many messages, for as many consumers as want them."""
    nats.make()
    nats.send(written(sent(MANY)))
    return nats


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have listeners move what they hear every moment."""
    assert COMMAND[1:] == ("-m", "storemon")
    monkeypatch.setattr("tests.arrivals.listening.COMMAND", (sys.executable, QUICK))


@NEEDS_NATS
@pytest.mark.fault(
    "`kill -9` of a listener that consumes a stream of 20,000 messages, at points from its start to its end",
    "the next one gets what was not acknowledged; the lake has each poll once",
)
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("n", range(examples(20)))
def test_a_listener(stream: QuickNats, tmp_path: Path, n: int) -> None:
    url = consumer_of(stream, name := f"listener{n}")
    with listening(tmp_path, url) as listener:
        listener.said("listening")
        time.sleep(0.9 * n / examples(20))
    with listening(tmp_path, url) as listener:
        listener.said("listening")
        consumed(stream, name, tmp_path)
        assert in_lake(tmp_path) == sent(MANY)
        assert listener.stop() == 0


def consumed(stream: QuickNats, durable: str, folder: Path) -> None:
    """Wait until all messages are acknowledged, those too that come again, and all is moved."""
    until(lambda: left(stream, durable) == 0)
    records = opened_records(Settings(reports=folder / "reports"))
    until(lambda: Inbox(records, most=1).waiting().batches == 0)
    records.dispose()


@NEEDS_NATS
@pytest.mark.fault(
    "`kill -9` of a listener ten times on its way through a stream of 1,000,000 messages",
    "the lake has each poll once",
)
@pytest.mark.skipif(not DEEP, reason="takes a minute: DEEP_TESTS=1")
def test_a_listener_of_a_million(nats: QuickNats, tmp_path: Path) -> None:
    count = 1_000_000
    polls = sent(count)
    nats.make()
    nats.send(written(polls))
    url = consumer_of(nats, "million")
    began = time.monotonic()
    for nth in range(10):
        with listening(tmp_path, url):
            until(lambda so_few=count * (10 - nth) // 11: left(nats, "million") < so_few)  # type: ignore[misc]
    with listening(tmp_path, url):
        consumed(nats, "million", tmp_path)
    log.info("%d messages a second, with ten kills and starts", count / (time.monotonic() - began))
    assert in_lake(tmp_path) == polls


@pytest.mark.fault(
    "`kill -9` of the broker, NATS or RabbitMQ, while polls are published and consumed",
    "the listener waits for it; all that the broker confirmed is in the lake once",
)
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("kind", "n"),
    [
        *(pytest.param("nats", n, marks=NEEDS_NATS) for n in range(examples(5))),
        *(pytest.param("rabbitmq", n, marks=NEEDS_RABBITMQ) for n in range(5 if DEEP else 1)),  # it is slow to start
    ],
)
def test_of_the_broker(broker: Callable[[str], NatsServer | Rabbit], tmp_path: Path, kind: str, n: int) -> None:
    there = broker(kind)
    there.make()
    url = consumer_of(there, "listener") if isinstance(there, NatsServer) else there.url
    with listening(tmp_path, url) as listener:
        listener.said("listening")
        publishing = Publishing(there, sent(MANY))
        until(lambda: publishing.confirmed)
        time.sleep(0.1 * n)
        there.kill()
        publishing.join()
        assert len(publishing.confirmed) < MANY
        there.start()
        after = Publishing(there, sent(1_000, MANY))
        after.join()
        assert after.confirmed == sent(1_000, MANY)
        confirmed = publishing.confirmed | after.confirmed
        until(lambda: not confirmed - seen_in_lake(tmp_path))
        assert listener.stop() == 0
    assert confirmed <= in_lake(tmp_path) <= sent(MANY + 1_000)


def seen_in_lake(folder: Path) -> Polls:
    """All polls of the lake at one version of it, while more come in; none as long as there is no lake."""
    try:
        rows = pl.scan_delta(str(folder / "parquet" / "polls")).collect()
    except (TableNotFoundError, FileNotFoundError):
        return set()
    of_day = pl.col("polled_on").is_not_null()
    roster = rows.filter(~of_day).select("store_key", pl.col("store_id").alias("id")).unique()
    polls = rows.filter(of_day).join(roster, on="store_key", how="left")
    return set(polls.select("id", "polled_at", "active").rows())
