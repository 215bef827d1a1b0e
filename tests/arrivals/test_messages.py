"""Messages are read together, and nobody's fault is another one's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from storemon.arrivals.messages import Message, read_messages
from storemon.intake.pushed.reading import Format, Pushed, read_polls
from tests.arrivals.listening import sent, written

NOW = datetime(2024, 10, 14, tzinfo=UTC)


def message(body: bytes, line: int = 0, media_type: str | None = None) -> Message:
    return Message(body, media_type, "kafka://polls/3", line)


def test_each_form_of_json() -> None:
    one, two, three = written(sent(3))
    for body in (one, one + b"\n" + two, b"[" + one + b" , " + two + b"]", one.replace(b",", b",\r\n"), b"[]"):
        for neighbours in ([], [message(three)]):
            batch = read_messages([message(body), *neighbours], "json", now=NOW)
            assert batch.rejected is None
            wanted = body.count(b"store_id") + len(neighbours)
            assert {*batch.polls.rows()} <= sent(3)
            assert len(batch.polls) == wanted


@pytest.mark.parametrize(
    "bad", [b"", b"null", b"{", b"[1, 2", b"\xff", b'{"store_id": "1"}', b"store_id,status", b"[" * 900_000]
)
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_bad_message_among_good_ones(bad: bytes, place: int) -> None:
    messages = [message(body, line) for line, body in enumerate(written(sent(5)))]
    messages[place:place] = [message(bad, 99)]
    batch = read_messages(messages, "json", now=NOW)
    assert {*batch.polls.rows()} == sent(5)
    assert batch.rejected is not None
    ((file, line, row, reason),) = batch.rejected.rows()
    assert (file, line) == ("kafka://polls/3", 99)
    assert bad.decode(errors="replace").startswith(row)
    assert reason


def test_the_media_type_tells_the_form_and_else_the_option_does() -> None:
    csv = b"store_id,status,timestamp_utc\n1,up,2024-10-03T00:00:00Z\n2,asleep,2024-10-03T00:00:00Z\n"
    batch = read_messages([message(csv, 7, "Text/CSV; charset=utf-8")], "json", now=NOW)
    assert batch.rejected is not None
    assert batch.polls["store_id"].to_list() == ["1"]
    assert batch.rejected.select("line", "row").rows() == [(7, "2,asleep,2024-10-03T00:00:00Z")]
    assert "row 3 of the message" in batch.rejected["reason"][0]
    same = read_messages([message(csv, 7, "application/octet-stream")], "csv", now=NOW)
    assert same.polls.equals(batch.polls)


def test_a_long_message_is_cut_where_it_cannot_be_read() -> None:
    batch = read_messages([message(b"x" * 1_000_000)], "json", now=NOW)
    assert batch.rejected is not None
    assert 100 < len(batch.rejected["row"][0]) <= 1_000


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_nobody_has_foreseen_costs_no_other_message(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(body: bytes, *given: Any, **how: Any) -> Pushed:
        if b"store-1" in body:
            raise ZeroDivisionError
        return read_polls(body, *given, **how)

    monkeypatch.setattr("storemon.arrivals.messages.read_polls", failing)
    polls = sorted(sent(3))
    bodies = {"json": written(sent(3)), "csv": [csv_of(poll) for poll in polls]}[form]
    batch = read_messages([message(body, line) for line, body in enumerate(bodies)], form, now=NOW)
    assert len(batch.polls) == 2
    assert batch.rejected is not None
    assert batch.rejected["reason"].to_list() == ["it cannot be read: ZeroDivisionError()"]


def csv_of(poll: tuple[str, datetime, bool]) -> bytes:
    store_id, at, active = poll
    return f"store_id,status,timestamp_utc\n{store_id},{'active' if active else 'inactive'},{at.isoformat()}\n".encode()
