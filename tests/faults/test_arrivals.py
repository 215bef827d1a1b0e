"""Polls that are pushed while anything dies: what was acknowledged is in the lake; what is sent again adds nothing."""

import time
from collections.abc import Iterator

import polars as pl
import pytest

from storemon.records.inbox import POLLS, REJECTED, Batch
from tests.arrivals.listening import rejected_in
from tests.examples import examples
from tests.faults.arriving import Place, until
from tests.faults.quick_arrivals import STAGES
from tests.postgres import Postgres


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
