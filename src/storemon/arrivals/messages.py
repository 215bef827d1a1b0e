"""Messages in, polls out: thousands at a time in one reading, and what can't be read with where it came from.

JSON and line protocol are read together: messages become lines of one body, and a line that can't be read is known by
its number. A message of CSV or Arrow is a table of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import polars as pl

from storemon.errors import InputError
from storemon.intake.pushed.reading import MEDIA_TYPES, Format, Pushed, read_polls
from storemon.records.inbox import POLLS, REJECTED, Batch

_ROW_SHOWN = 1_000  # characters of a message that can't be read
_BRACE, _BRACKET = b"{", b"["


class Message(NamedTuple):
    """A message: what it holds, its media type if it says so, and where it came from, as ``rejected`` names it."""

    body: bytes
    media_type: str | None
    file: str
    line: int


class _Rejected(NamedTuple):
    file: str
    line: int
    row: str
    reason: str


def read_messages(messages: Sequence[Message], form: Format, *, now: datetime) -> Batch:
    """Read messages, those that don't say what they are as ``form``.

    Whatever they hold is in one of the two: in ``polls``, or, with its reason, in ``rejected``.
    """
    by_form: dict[Format, list[Message]] = {}
    for message in messages:
        by_form.setdefault(_form_of(message.media_type, form), []).append(message)
    polls = [pl.DataFrame(schema=POLLS)]
    rejected: list[_Rejected] = []
    for each, some in by_form.items():
        if each in _LINES:
            found = _read_together(some, each, now)
        else:
            found = [_read_alone(message, each, now) for message in some]
        for accepted, refused in found:
            polls += accepted
            rejected += refused
    return Batch(pl.concat(polls), pl.DataFrame(rejected, schema=REJECTED, orient="row") if rejected else None)


_Found = tuple[list[pl.DataFrame], list[_Rejected]]


def _form_of(media_type: str | None, form: Format) -> Format:
    """Name the form of a message; a media type that says nothing of polls leaves it to ``form``."""
    return MEDIA_TYPES.get((media_type or "").partition(";")[0].strip().lower(), form)


def _read_together(messages: Sequence[Message], form: Format, now: datetime) -> list[_Found]:
    """Read all messages as lines of one body; the halves by themselves if that cannot be read at all."""
    split, together = _LINES[form]
    lines: list[bytes] = []
    owners: list[Message] = []
    rejected: list[_Rejected] = []
    for message in messages:
        try:
            own = split(message.body)
        except (msgspec.DecodeError, RecursionError) as error:
            rejected.append(_refused(message, f"it is no JSON: {error}"))
            continue
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the others go on
            rejected.append(_refused(message, _reason(error)))
            continue
        if not own and not message.body.strip():
            rejected.append(_refused(message, "the message is empty"))
        lines += own
        owners += [message] * len(own)
    if not lines:
        return [([], rejected)]
    try:
        read = read_polls(b"\n".join(lines), together, now=now)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the others go on
        if len(messages) == 1:
            return [([], [_refused(messages[0], _reason(error))])]
        half = len(messages) // 2  # one bad message costs the others a few readings more, not one each
        return [*_read_together(messages[:half], form, now), *_read_together(messages[half:], form, now)]
    return [([read.polls], [*rejected, *_located(read, owners)])]


def _located(read: Pushed, owners: Sequence[Message]) -> Iterator[_Rejected]:
    for line, row, reason in read.rejected.iter_rows():
        owner = owners[line - 1]
        yield _Rejected(owner.file, owner.line, row[:_ROW_SHOWN], reason)


def _read_alone(message: Message, form: Format, now: datetime) -> _Found:
    try:
        read = read_polls(message.body, form, now=now)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the others go on
        return [], [_refused(message, _reason(error))]
    rows = (
        _Rejected(message.file, message.line, row[:_ROW_SHOWN], f"row {line} of the message: {reason}")
        for line, row, reason in read.rejected.iter_rows()
    )
    return [read.polls], list(rows)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, InputError) else f"it cannot be read: {error!r}"


def _refused(message: Message, reason: str) -> _Rejected:
    return _Rejected(message.file, message.line, message.body[:_ROW_SHOWN].decode(errors="replace"), reason)


def _json_lines(body: bytes) -> list[bytes]:
    """Cut an object, an array of objects, or objects line by line into lines.

    Raises:
        msgspec.DecodeError: it is an array that is not written as JSON.

    """
    text = body.strip()
    if text.startswith(_BRACE) and b"\n" not in text and b"\r" not in text:
        return [text]
    if text.startswith(_BRACKET):
        return [_one_line(bytes(each)) for each in msgspec.json.decode(text, type=list[msgspec.Raw])]
    try:
        return [_one_line(bytes(msgspec.json.decode(text, type=msgspec.Raw)))]
    except msgspec.DecodeError:
        return _plain_lines(text)


def _one_line(text: bytes) -> bytes:
    """Let JSON stand in one line: within its texts there are no ends of lines."""
    return text.replace(b"\n", b" ").replace(b"\r", b" ")


def _plain_lines(body: bytes) -> list[bytes]:
    return [line for line in body.splitlines() if line.strip()]


_LINES: Mapping[Format, tuple[Callable[[bytes], list[bytes]], Format]] = {
    "json": (_json_lines, "ndjson"),
    "ndjson": (_json_lines, "ndjson"),
    "line": (_plain_lines, "line"),
}
"""The forms whose messages can be read together: how one is cut into lines, and what many of these are."""
