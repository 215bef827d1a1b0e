import asyncio
import threading
from datetime import UTC, datetime

import polars as pl
import pytest

from storemon.arrivals.gathering import Gatherer
from storemon.records.inbox import POLLS, Batch, Inbox, InboxFullError

AT = datetime(2024, 10, 3, 12, tzinfo=UTC)
AT_US = int(AT.timestamp() * 1_000_000)


class Kept(Inbox):
    """An inbox that keeps what it is given in a list, and waits with that until it is told to go on."""

    def __init__(self) -> None:
        self.batches: list[pl.DataFrame] = []
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def put(self, batches: "list[Batch]") -> None:  # type: ignore[override]
        assert self.go_on.wait(30)
        if self.error:
            raise self.error
        self.batches += [batch.polls for batch in batches]


def frame(store: str) -> pl.DataFrame:
    return pl.DataFrame([(store, AT, False)], schema=POLLS, orient="row")


def test_those_that_come_meanwhile_share_the_next_write() -> None:
    async def arrive(kept: Kept) -> None:
        gatherer = Gatherer(kept)
        first = asyncio.create_task(gatherer.put_one(("first", AT_US, True)))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(gatherer.put_one((f"one {n}", AT_US, n % 2 == 0))) for n in range(5)]
        others.append(asyncio.create_task(gatherer.put(frame("of a frame"))))
        await asyncio.sleep(0.05)
        assert not first.done()
        assert not any(other.done() for other in others)
        kept.go_on.set()
        await asyncio.gather(first, *others)
        await gatherer.stop()

    kept = Kept()
    asyncio.run(arrive(kept))
    assert [len(batch) for batch in kept.batches] == [1, 6]
    assert all(batch.schema == POLLS for batch in kept.batches)
    assert kept.batches[0].rows() == [("first", AT, True)]
    expected = [(f"one {n}", AT, n % 2 == 0) for n in range(5)] + [("of a frame", AT, False)]
    assert sorted(kept.batches[1].rows()) == expected[-1:] + expected[:-1]


def test_after_several_single_polls_more_may_come_before_the_next_write() -> None:
    async def arrive(kept: Kept) -> None:
        gatherer = Gatherer(kept)
        await asyncio.gather(*(gatherer.put_one((f"first {n}", AT_US, True)) for n in range(2)))
        second = asyncio.create_task(gatherer.put_one(("second", AT_US, True)))
        for _ in range(3):  # so long a write would have begun
            await asyncio.sleep(0)
        await asyncio.gather(second, gatherer.put_one(("third", AT_US, True)))
        await gatherer.stop()

    kept = Kept()
    kept.go_on.set()
    asyncio.run(arrive(kept))
    assert [list(batch["store_id"]) for batch in kept.batches] == [["first 0", "first 1"], ["second", "third"]]


def test_each_of_a_group_is_told_what_went_wrong_and_the_next_goes_on() -> None:
    async def arrive(kept: Kept) -> None:
        gatherer = Gatherer(kept)
        kept.error = InboxFullError("full")
        kept.go_on.set()
        for _ in range(2):
            both = [gatherer.put_one(("a", AT_US, True)), gatherer.put(frame("b"))]
            told = await asyncio.gather(*both, return_exceptions=True)
            assert [type(one) for one in told] == [InboxFullError, InboxFullError]
        kept.error = None
        await gatherer.put_one(("c", AT_US, True))
        await gatherer.stop()

    kept = Kept()
    asyncio.run(arrive(kept))
    assert [batch["store_id"].to_list() for batch in kept.batches] == [["c"]]


def test_who_leaves_takes_nobody_along() -> None:
    async def arrive(kept: Kept) -> None:
        gatherer = Gatherer(kept)
        first = asyncio.create_task(gatherer.put_one(("first", AT_US, True)))
        await asyncio.sleep(0.02)
        leaving = asyncio.create_task(gatherer.put_one(("leaving", AT_US, True)))
        staying = asyncio.create_task(gatherer.put_one(("staying", AT_US, True)))
        await asyncio.sleep(0.02)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        kept.go_on.set()
        await asyncio.gather(first, staying)
        await gatherer.stop()

    kept = Kept()
    asyncio.run(arrive(kept))
    assert [batch["store_id"].to_list() for batch in kept.batches] == [["first"], ["leaving", "staying"]]
