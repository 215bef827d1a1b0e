from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import SQLAlchemyError

from storemon.records.inbox import POLLS, REJECTED, Batch, Held, Inbox, InboxFullError
from storemon.records.tables import INBOX
from tests.service.waiting import until

AT = datetime(2024, 10, 3, 12, tzinfo=UTC)
PLENTY = 1 << 30


def polls(*stores: str) -> pl.DataFrame:
    rows = [(store, AT + timedelta(microseconds=n), n % 2 == 0) for n, store in enumerate(stores)]
    return pl.DataFrame(rows, schema=POLLS, orient="row")


@pytest.fixture
def inbox(records: Engine) -> Inbox:
    return Inbox(records, most=PLENTY)


def ids(held: list[Held]) -> list[int]:
    return [one for each in held for one in each.ids]


def test_what_was_put_is_taken_in_its_order_and_stays_until_it_is_dropped(inbox: Inbox) -> None:
    rejected = pl.DataFrame([("kafka://polls/0", 7, "?", "no store_id")], schema=REJECTED, orient="row")
    inbox.put([Batch(polls("a", "b")), Batch(polls("c"), rejected)])
    inbox.put([Batch(polls("d").clear(), rejected)])
    for _ in range(2):
        (held,) = inbox.take(100)
        assert_frame_equal(held.polls, pl.concat([polls("a", "b"), polls("c")]))
        assert_frame_equal(held.rejected, pl.concat([rejected, rejected]))
    inbox.drop([held])
    assert inbox.take(100) == []


def test_no_more_are_taken_than_are_wanted_but_one_batch_always(inbox: Inbox) -> None:
    for stores in ("abc", "d", "e"):
        inbox.put([Batch(polls(*stores))])
    taken = []
    while held := inbox.take(2):
        taken.append("".join(held[0].polls["store_id"]))
        inbox.drop(held)
    assert taken == ["abc", "de"]


def test_any_frame_with_the_columns_is_taken(inbox: Inbox) -> None:
    mixed = polls("a", "b").with_columns(pl.col("store_id").cast(pl.Categorical()), more=1).select("more", *POLLS)
    inbox.put([Batch(mixed)])
    assert_frame_equal(inbox.take(10)[0].polls, polls("a", "b"))


def test_nothing_that_waits(inbox: Inbox) -> None:
    inbox.put([])
    told = inbox.waiting()
    assert (told.batches, told.polls, told.bytes, told.oldest, told.aside) == (0, 0, 0, None, 0)
    assert not inbox.full()


def test_what_waits_is_told(inbox: Inbox, records: Engine) -> None:
    inbox.put([Batch(polls("a", "b")), Batch(polls("c"))])
    with records.connect() as connection:
        connection.execute(update(INBOX).values(received_at=INBOX.c.received_at - 5_000_000))
    inbox.put([Batch(polls("d"))])
    told = inbox.waiting()
    assert (told.batches, told.polls) == (3, 4)
    assert told.bytes > 300
    assert told.oldest is not None
    assert timedelta(seconds=5) <= told.oldest < timedelta(minutes=1)


def test_a_full_one_takes_nothing_until_there_is_room(records: Engine) -> None:
    inbox = Inbox(records, most=1)
    inbox.put([Batch(polls("a"))])
    assert inbox.full()
    with pytest.raises(InboxFullError, match="wait to be brought into the lake, and no more may"):
        inbox.put([Batch(polls("b"))])
    held = inbox.take(10)
    assert list(held[0].polls["store_id"]) == ["a"]
    inbox.drop(held)
    assert not inbox.full()
    inbox.put([Batch(polls("b"))])


def test_what_others_bring_is_known_soon(records: Engine) -> None:
    one, other = Inbox(records, most=1), Inbox(records, most=1)
    assert not one.full()
    other.put([Batch(polls("a"))])
    until(one.full)


def test_several_batches_are_all_in_or_none(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storemon.records.inbox._written", lambda batch: batch.polls)
    good = {"polls": b"", "rejected": None, "count": 1, "bytes": 1}
    with pytest.raises(SQLAlchemyError):
        inbox.put([Batch(good), Batch(good | {"count": None})])  # type: ignore[arg-type]
    assert inbox.waiting().batches == 0


@pytest.mark.parametrize("damaged", [b"", b"no Arrow at all", "cut", "other"])
def test_a_batch_that_cannot_be_read_is_put_aside(inbox: Inbox, records: Engine, damaged: bytes | str) -> None:
    inbox.put([Batch(polls("a"))])
    if damaged == "other":
        other = Batch(polls("b"))
        inbox.put([other])
        with records.connect() as connection:
            packed = connection.execute(INBOX.select().order_by(INBOX.c.id.desc())).first()
            assert packed is not None
            bad = packed.polls.replace(b"active", b"passiv")
            connection.execute(update(INBOX).where(INBOX.c.id == packed.id).values(polls=bad))
    else:
        bad = b"\xff\xff\xff\xff\x70\x00" if damaged == "cut" else damaged
        with records.connect() as connection:
            connection.execute(insert(INBOX).values(received_at=1, count=5, bytes=3, polls=bad))
    inbox.put([Batch(polls("c"))])
    held = inbox.take(100)
    assert list(held[0].polls["store_id"]) == ["a", "c"]
    inbox.drop(held)
    told = inbox.waiting()
    assert (told.batches, told.polls, told.aside) == (0, 0, 1)
    assert inbox.take(100) == []


def test_an_id_never_comes_again(inbox: Inbox) -> None:
    """A mover that was taken for dead may drop late what it held: not what came since."""
    seen: list[int] = []
    for _ in range(3):
        inbox.put([Batch(polls("a"))])
        held = inbox.take(10)
        seen += ids(held)
        inbox.drop(held)
    assert len(set(seen)) == 3


def test_many_put_at_once_and_one_takes(inbox: Inbox) -> None:
    def put(n: int) -> None:
        for k in range(10):
            inbox.put([Batch(polls(f"{n}-{k}"))])

    found: list[str] = []
    with ThreadPoolExecutor(6) as pool:
        putting = [pool.submit(put, n) for n in range(6)]
        while held := inbox.take(7) or any(not one.done() for one in putting):
            if held is not True:
                found.extend(held[0].polls["store_id"])
                inbox.drop(held)
    for one in putting:
        one.result()
    found += [store for held in inbox.take(100) for store in held.polls["store_id"]]
    assert sorted(found) == sorted(f"{n}-{k}" for n in range(6) for k in range(10))


def test_more_batches_than_a_statement_names(inbox: Inbox) -> None:
    inbox.put([Batch(polls(f"store {n}")) for n in range(1200)])
    held = inbox.take(10_000)
    assert list(held[0].polls["store_id"]) == [f"store {n}" for n in range(1200)]
    inbox.drop(held)
    assert inbox.waiting().batches == 0
