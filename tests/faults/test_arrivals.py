"""Polls that arrive while anything dies: what was acknowledged is in the lake, and what is sent again adds nothing."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from deltalake.exceptions import TableNotFoundError

from storemon.records.inbox import POLLS, REJECTED, Batch, Inbox
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.arrivals.brokers import NO_NATS, NO_RABBITMQ, NatsServer, Rabbit, has_nats, has_rabbitmq
from tests.arrivals.listening import Polls, in_lake, listening, rejected_in, sent, written
from tests.conftest import COMMAND
from tests.examples import DEEP, examples
from tests.faults.publishing import Publishing, QuickNats, consumer_of, left
from tests.faults.pushing import Pushing
from tests.faults.quick_arrivals import STAGES
from tests.postgres import Postgres
from tests.service import waiting
from tests.service.server import Server

QUICK = str(Path(__file__).parent / "quick_arrivals.py")
MANY = 20_000
log = logging.getLogger(__name__)
until = partial(waiting.until, seconds=120)
NEEDS_NATS = pytest.mark.skipif(not has_nats(), reason=NO_NATS)
NEEDS_RABBITMQ = pytest.mark.skipif(not has_rabbitmq(), reason=NO_RABBITMQ)


class Place:
    """A folder with a lake and an inbox, the services at work there, and all that was pushed to them."""

    def __init__(self, folder: Path, database: str, *, services: int, workers: int) -> None:
        self.folder, self._database, self._workers = folder, database, workers
        with chdir(folder):
            self.records = opened_records(Settings.load(database=database))
        self.inbox = Inbox(self.records, most=1_000_000_000)
        self.pushing = Pushing()
        self.rejected: set[int] = set()
        self._killed = 0
        self.servers = [self._started() for _ in range(services)]

    def start_again(self, nth: int = 0) -> None:
        self.servers[nth], self._killed = self._started(), 0

    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def ready(self) -> list[int]:
        """Give the processes of the one service, once all of them answer.

        One that dies before that is missed by the first process only after many seconds.
        """
        (server,) = self.servers
        until(lambda: len(server.logged("Application startup complete.")) == self._workers + self._killed)
        return server.workers()

    def kill(self, processes: list[int]) -> None:
        for process in processes:
            os.kill(process, signal.SIGKILL)
        self._killed += len(processes)

    def begun(self) -> None:
        """Wait until something more is acknowledged."""
        before = len(self.pushing.acknowledged)
        until(lambda: len(self.pushing.acknowledged) > before)

    def hold_all(self, sent_before: Polls) -> None:
        """Check what is promised, and that to send again all that was sent since adds nothing."""
        self._until_moved()
        found = in_lake(self.folder)
        assert not self.pushing.acknowledged - found, "polls that were acknowledged are lost"
        assert not found - self.pushing.sent, "there are polls that nobody sent"
        again = self.pushing.sent - sent_before
        if again:
            until(lambda: self.pushing.push_again(self.urls()[0], again))
            self._until_moved()
        assert in_lake(self.folder) == self.pushing.sent

    def end(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        self.records.dispose()

    def _started(self) -> Server:
        with chdir(self.folder):
            return Server(QUICK, "serve", workers=self._workers, STOREMON_DATABASE=self._database)

    def _until_moved(self) -> None:
        until(lambda: self.inbox.waiting().batches == 0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("one"), "sqlite", services=1, workers=2)
    yield place
    place.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("two"), postgres.database(), services=2, workers=1)
    yield place
    place.end()


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


@pytest.mark.fault(
    "`kill -9` of a service, or of one or both of its processes that answer, while clients push polls by batches and "
    "one by one, at points from the first push to after its move",
    "each poll that was acknowledged is in the lake once, and nothing is that nobody sent; sent again it adds nothing",
)
@pytest.mark.parametrize("n", range(examples(40)))
def test_a_service_that_takes_polls(place: Place, n: int) -> None:
    before = set(place.pushing.sent)
    processes = place.ready()
    with place.pushing.going_on(place.urls()):
        if n:
            place.begun()
        time.sleep(0.6 * n / examples(40))
        if n % 4 == 0:
            place.servers[0].kill()
        else:
            place.kill(processes[: 2 if n % 4 == 1 else 1])
    if n % 4 == 0:
        place.start_again()
    place.hold_all(before)


@pytest.mark.fault(
    "`kill -9` of the process that moves the inbox: after it took batches, before, between and after its commits to "
    "the lake, before and after it drops them",
    "the next one moves them again; each poll and each rejected row is in the lake once",
)
@pytest.mark.parametrize("n", range(1, 1 + examples(20)))
def test_the_process_that_moves(place: Place, n: int) -> None:
    before = set(place.pushing.sent)
    processes = place.ready()
    with place.pushing.going_on(place.urls()):
        place.begun()
        place.inbox.put([with_a_rejected_row(n)])
        (place.folder / "wait-at").write_text(STAGES[n % len(STAGES)])
        waits = place.folder / "waiting"
        until(waits.exists)
        (place.folder / "wait-at").unlink()
        mover = int(waits.read_text())
        waits.unlink()
        assert mover in processes
        place.kill([mover])
    place.rejected.add(n)
    place.hold_all(before)
    assert {line for _, line, _, _ in rejected_in(place.folder)} == place.rejected


def with_a_rejected_row(line: int) -> Batch:
    row = pl.DataFrame([("kafka://polls/0", line, "?", "no status")], schema=REJECTED, orient="row")
    return Batch(pl.DataFrame(schema=POLLS), row)


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


@pytest.mark.fault(
    "`kill -9` of one of two services that share their records, and then of PostgreSQL, while clients push to both",
    "the same as of one service; the other one goes on by itself; what could not be recorded was answered 503",
)
@pytest.mark.parametrize("n", range(examples(10)))
def test_of_services_that_share_their_records(shared: Place, postgres: Postgres, n: int) -> None:
    before = set(shared.pushing.sent)
    nth = n % 2
    with shared.pushing.going_on(shared.urls()):
        shared.begun()
        time.sleep(0.6 * n / examples(10))
        shared.servers[nth].kill()
        shared.begun()
        postgres.kill()
        refused = shared.pushing.refused
        until(lambda: shared.pushing.refused > refused)
        postgres.start()
        shared.begun()
    shared.start_again(nth)
    shared.hold_all(before)
