"""JSON: one object, an array of objects, or an object in each line."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from storemon.errors import InputError
from storemon.intake.forms.columns import places
from storemon.intake.forms.known import POLLS_FORM
from storemon.intake.pushed import plain
from storemon.intake.pushed.bounds import unclear
from storemon.intake.pushed.careful import NOTHING, Record, judge_records
from storemon.intake.pushed.polls import Pushed
from storemon.intake.texts import text_of

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder()
_PAIRS = json.JSONDecoder(object_pairs_hook=list, parse_int=str, parse_float=str)
_AMISS = (msgspec.MsgspecError, ValueError, RecursionError)
_EXAMPLE = '{"store_id": "7", "status": "active", "timestamp_utc": "2024-10-03T23:33:20Z"}'
_Places = dict[tuple[str, ...], list[int | None] | str]
"""Where the columns are among names, or what is wrong with these."""


def read_json(body: bytes, horizon: int) -> Pushed:
    """Read one object, or an array of them.

    Raises:
        InputError: it is neither.

    """
    polls = plain.read_objects(body, horizon)
    return judge_records(_of_array(body), horizon) if polls is None else Pushed.all_of(polls)


def read_ndjson(body: bytes, horizon: int) -> Pushed:
    """Read an object in each line; blank lines are none."""
    polls = plain.read_lines(body, horizon)
    return judge_records(_of_lines(body), horizon) if polls is None else Pushed.all_of(polls)


def _of_array(body: bytes) -> list[Record]:
    known: _Places = {}
    try:
        if body.strip().startswith(b"{"):
            _OBJECT.decode(body)  # what is wrong with it is wrong with the body
            return [_record(1, body.strip(), known)]
        return [_record(number, bytes(raw), known) for number, raw in enumerate(_ARRAY.decode(body), 1)]
    except msgspec.ValidationError:
        raise InputError(f"the body is neither a JSON object nor an array of them; send {_EXAMPLE}") from None
    except _AMISS as error:
        raise InputError(f"the body is not JSON: {error}; send {_EXAMPLE}, or an array of them") from error


def _of_lines(body: bytes) -> Iterator[Record]:
    known: _Places = {}
    for number, line in enumerate(body.split(b"\n"), 1):
        if text := line.strip():
            yield _record(number, text, known)


def _record(line: int, raw: bytes, known: _Places) -> Record:
    row = raw.decode()
    try:
        members = _OBJECT.decode(raw)
    except msgspec.ValidationError:
        return line, *NOTHING, row, "not a JSON object"
    except _AMISS as error:
        return line, *NOTHING, row, f"not JSON: {error}"
    names = tuple(members)
    if names not in known:
        known[names] = unclear(names) or places(POLLS_FORM.columns, names, {})
    if isinstance(found := known[names], str):
        return line, *NOTHING, row, found
    texts: list[str | None] = []
    for column, at in zip(POLLS_FORM.columns, found, strict=True):
        if at is None:
            return line, *NOTHING, row, _lacking(column, names)
        value, damage = _text(names[at], members[names[at]])
        if damage or (damage := _twice(names[at], row)):
            return line, *NOTHING, row, damage
        texts.append(value)
    store_id, status, timestamp = texts
    return line, store_id, status, timestamp, row, None


def _lacking(column: str, names: tuple[str, ...]) -> str:
    there = "".join(filter(str.isprintable, ", ".join(names)[:300])) or "none"
    return f"there is no member {column}, which each poll must have; its members are: {there}"


def _text(name: str, raw: msgspec.Raw) -> tuple[str | None, str | None]:
    """Give a value as the text of a CSV, or what is wrong with it."""
    try:
        value: Any = _VALUE.decode(raw)
        if isinstance(value, dict | list):
            return None, f"{name} is neither text nor a number"
        return text_of(value), None
    except _AMISS as error:
        return None, f"{name} cannot be read: {error}"


def _twice(name: str, row: str) -> str | None:
    """Tell of a member that an object has twice, of which it is not known which one counts."""
    if row.count(f'"{name}"') == 1 and "\\" not in row:
        return None
    try:
        names = [pair[0] for pair in _PAIRS.decode(row)]
    except _AMISS as error:
        return f"not JSON: {error}"
    return f"{name} stands in it twice" if names.count(name) > 1 else None
