import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import fields
from sqlalchemy import Engine, select, update

from storemon.records.database import alone, now
from storemon.records.tables import NOTICES
from storemon.settings import Settings
from storemon.watch.messages import Message
from storemon.watch.outbox import ATTEMPTS, Notice, Outbox, pause_after
from tests.watch.told import message

LEASE, NO_LEASE = timedelta(minutes=1), timedelta(microseconds=-1)
HOUR = timedelta(hours=1)


@pytest.fixture
def outbox(records: Engine) -> Outbox:
    return Outbox(records)


def put(
    records: Engine, *notices: str, channel: str = "ops", kind: str = "fired", send_after: int | None = None
) -> None:
    with alone(records, "alerts") as connection:
        for each in notices:
            Outbox(records).put(
                connection, channel=channel, kind=kind, alerts=["a"], message=message(each), send_after=send_after
            )


def read(outbox: Outbox, notice: str) -> Notice:
    (found,) = [each for each in outbox.newest(1000) if each.id == notice]
    return found


def test_a_notice_has_a_field_for_each_column() -> None:
    assert [field.name for field in fields(Notice)] == [column.name for column in NOTICES.columns]


def test_from_waiting_to_sent(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    (notice,) = outbox.claim("us", LEASE)
    assert (notice.state, notice.attempts, notice.owner, notice.alerts) == ("sending", 1, "us", ["a"])
    assert notice.message == message("n1")
    assert outbox.claim("others", LEASE) == []
    assert outbox.sent(["n1"], "us") == 1
    sent = read(outbox, "n1")
    assert (sent.state, sent.owner, sent.reason) == ("sent", None, None)
    assert sent.sent_at is not None
    assert sent.sent_at >= sent.created_at
    assert outbox.claim("us", LEASE) == []


def test_it_is_put_in_with_the_rest_of_a_transaction_or_not_at_all(outbox: Outbox, records: Engine) -> None:
    def fails() -> None:
        with alone(records, "alerts") as connection:
            outbox.put(connection, channel="ops", kind="fired", alerts=["a"], message=message("n1"))
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert outbox.newest(10) == []


def test_it_waits_for_its_time(outbox: Outbox, records: Engine) -> None:
    with records.connect() as connection:
        at = connection.scalar(select(now())) or 0
    put(records, "later", send_after=at + 3_600_000_000)
    put(records, "first", send_after=at - 2_000_000)
    put(records, "second", send_after=at - 1_000_000)
    assert outbox.due()[1] == ["ops"]
    claimed = [outbox.claim("us", LEASE) for _ in range(3)]
    assert [[notice.id for notice in notices] for notices in claimed] == [["first"], ["second"], []]
    assert outbox.due()[1] == []


def test_the_channels_that_something_is_due_for(outbox: Outbox, records: Engine) -> None:
    put(records, "n1", "n2")
    put(records, "n3", channel="hook")
    at, due = outbox.due()
    assert due == ["hook", "ops"]
    assert abs(at - datetime.now(UTC)) < HOUR
    assert [notice.id for notice in outbox.claim("us", LEASE, "hook", most=9)] == ["n3"]
    assert outbox.claim("us", LEASE, "hook") == []


def test_what_waited_for_the_hours_is_claimed_together(outbox: Outbox, records: Engine) -> None:
    put(records, "n1", "n2", "n3")
    put(records, "answer", kind="answer")
    at, _ = outbox.due()
    put(records, "n4")
    others = outbox.claim("us", LEASE, "ops", most=9, opened_at=at)
    assert [notice.id for notice in others] == ["answer", "n4"]
    claimed = outbox.claim("us", LEASE, "ops", most=9, opened_at=at, waited=True)
    assert [notice.id for notice in claimed] == ["n1", "n2", "n3"]


def test_what_failed_is_tried_again_later_and_given_up_at_last(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    outbox.claim("us", LEASE)
    assert outbox.failed(["n1"], "us", "it is asleep", HOUR) == 1
    waits = read(outbox, "n1")
    assert (waits.state, waits.reason, waits.owner, waits.attempts) == ("waiting", "it is asleep", None, 1)
    assert waits.send_after - waits.created_at >= HOUR // timedelta(microseconds=1)
    assert outbox.claim("us", LEASE) == []
    with records.connect() as connection:
        connection.execute(update(NOTICES).values(send_after=now()))
    assert outbox.claim("us", LEASE)[0].attempts == 2
    outbox.failed(["n1"], "us", "it is gone", None)
    assert [(dead.id, dead.state, dead.reason) for dead in outbox.newest(1000, state="dead")] == [
        ("n1", "dead", "it is gone")
    ]
    assert outbox.claim("us", LEASE) == []


def test_what_was_given_up_can_be_sent_again(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    assert not outbox.retry("n1")
    outbox.claim("us", LEASE)
    outbox.failed(["n1"], "us", "it is gone", None)
    assert outbox.retry("n1")
    assert not outbox.retry("n1")
    assert outbox.claim("us", LEASE)[0].attempts == 1
    assert outbox.newest(1000, state="dead") == []


def test_what_was_taken_over_is_no_longer_the_first_ones(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    outbox.claim("dead", NO_LEASE)
    (taken,) = outbox.claim("us", LEASE)
    assert (taken.owner, taken.attempts) == ("us", 2)
    assert outbox.sent(["n1"], "dead") == 0
    assert outbox.failed(["n1"], "dead", "no", None) == 0
    assert outbox.renew(["n1"], "dead", LEASE) == 0
    assert read(outbox, "n1") == taken


def test_a_lease_that_is_renewed_holds(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    outbox.claim("us", NO_LEASE)
    assert outbox.renew(["n1"], "us", LEASE) == 1
    assert outbox.claim("others", LEASE) == []


def test_what_kills_everybody_is_given_up(outbox: Outbox, records: Engine) -> None:
    put(records, "n1")
    for _ in range(ATTEMPTS):
        assert outbox.give_up() == 0
        assert outbox.claim("dead", NO_LEASE)
    assert outbox.claim("us", LEASE) == []
    assert outbox.give_up() == 1
    assert "look into the log" in (outbox.newest(1000, state="dead")[0].reason or "")


def test_counts_and_letting_go(outbox: Outbox, records: Engine) -> None:
    put(records, "n1", "n2", "n3")
    put(records, "n4", channel="hook")
    with records.connect() as connection:
        connection.execute(update(NOTICES).where(NOTICES.c.id == "n4").values(send_after=now() - 3_600_000_000))
    outbox.claim("us", LEASE, "ops")
    sent = outbox.claim("us", LEASE, "ops")[0].id
    outbox.sent([sent], "us")
    counted = {(told.channel, told.state): told for told in outbox.waiting()}
    assert {key: told.notices for key, told in counted.items()} == {
        ("ops", "waiting"): 1,
        ("ops", "sending"): 1,
        ("hook", "waiting"): 1,
    }
    assert counted["hook", "waiting"].due_for >= HOUR
    assert timedelta() <= counted["ops", "waiting"].due_for < HOUR
    assert outbox.let_go() == 0
    with records.connect() as connection:
        connection.execute(update(NOTICES).values(sent_at=now() - 31 * 86_400_000_000, send_after=0))
    assert outbox.let_go() == 1
    assert sent not in {notice.id for notice in outbox.newest(10)}
    assert len(outbox.newest(10)) == 3


def test_of_many_that_claim_at_once_each_notice_goes_to_one(outbox: Outbox, records: Engine) -> None:
    names = [f"n{n}" for n in range(60)]
    put(records, *names)

    def claim(who: int) -> list[str]:
        claimed = []
        while notices := outbox.claim(f"owner {who}", LEASE, most=1 + who % 3):
            claimed += [notice.id for notice in notices]
        return claimed

    with ThreadPoolExecutor(6) as pool:
        found = [name for names in pool.map(claim, range(6)) for name in names]
    assert sorted(found) == sorted(names)


CLAIMS = """
import sys
from datetime import timedelta
from pathlib import Path
from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.outbox import Outbox

outbox = Outbox(opened_records(Settings.load(reports=Path(sys.argv[1]), database=sys.argv[2])))
while notices := outbox.claim(sys.argv[3], timedelta(minutes=1), most=2):
    for notice in notices:
        print(notice.id, flush=True)
"""


def test_of_many_processes_each_notice_goes_to_one(settings: Settings, records: Engine) -> None:
    names = [f"n{n}" for n in range(100)]
    put(records, *names)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, str(settings.reports), settings.database, f"owner {n}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    claimed = [name for process in processes for name in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(claimed) == sorted(names)


def test_pauses_make_up_a_day() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, ATTEMPTS)]
    assert pause_after(ATTEMPTS) is None
    told = [pause.total_seconds() for pause in pauses if pause]
    assert len(told) == ATTEMPTS - 1
    assert 4 <= told[0] <= 6
    assert max(told) <= 1.2 * 3600
    assert 20 * 3600 < sum(told) < 30 * 3600
    assert len({pause_after(3) for _ in range(20)}) > 1


def test_what_a_channel_asks_for_is_kept() -> None:
    assert pause_after(1, 120) == timedelta(seconds=120)
    assert pause_after(1, 1e9) == timedelta(days=1)
    longest = pause_after(20, 1)
    assert longest is not None
    assert longest > timedelta(minutes=40)


def test_a_message_comes_out_as_it_went_in(outbox: Outbox, records: Engine) -> None:
    odd = Message("id", "Größe “x”", "a\nb", "<b>", "critical", {"alerts": [{"n": None, "x": 1.5, "t": ["ü"]}]})
    with alone(records, "alerts") as connection:
        outbox.put(connection, channel="ops", kind="fired", alerts=[], message=odd)
    assert outbox.claim("us", LEASE)[0].message == odd
