"""InfluxDB's line protocol: ``measurement,store_id=7 status="active" 1727998400000000000``.

The tag ``store_id`` names the store; the field ``active`` or ``status`` says whether it was active, in the words that a
CSV may have. Other tags and fields do not matter, nor does the measurement. Without a timestamp a poll is of now.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, get_args

import polars as pl

from storemon.intake.pushed.careful import NOTHING, Record, judge_records
from storemon.intake.pushed.plain import plain
from storemon.intake.pushed.polls import Pushed

Unit = Literal["ns", "us", "ms", "s", "n", "u", "m", "h"]
"""The unit of timestamps: of InfluxDB 2, or of InfluxDB 1."""
UNIT_NS = dict(zip(get_args(Unit), (1, 10**3, 10**6, 10**9, 1, 10**3, 60 * 10**9, 3600 * 10**9), strict=True))
"""The units, in nanoseconds."""
_FIRST_US, _LAST_US = 10**15, 253_402_300_799_999_999  # of 2001, from which on Unix time is read, and of the year 9999

_LONGEST = 30  # digits, with zeros before them

_NAME = r"(?:\\[,= ]|[^,= \n])++"
_TAGS = re.compile(rf"[ \t]*+((?:\\[, ]|[^, \n])++)((?:,{_NAME}={_NAME})*+)(?= |\r?(?:\n|\Z))")
_TAG = re.compile(rf",({_NAME})=({_NAME})")
_STRING = r'"(?:[^"\\]|\\[\s\S])*+"'
_NUMBER = r"[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?+[iu]?"
_TRUTHS = {"t", "T", "true", "True", "TRUE"}
_VALUE = rf"(?:{_STRING}|{_NUMBER}|t|T|true|True|TRUE|f|F|false|False|FALSE)(?=[, \r\n]|\Z)"
_FIELD = re.compile(rf"({_NAME})=({_VALUE})(,?)", re.ASCII)
_END = re.compile(r" *+(?:(-?\d++) *+)?\r?(?:\n|\Z)", re.ASCII)
_NO_TAG = "there is no tag store_id, which names the store; add it: polls,store_id=7"
_ESCAPED_NAME, _ESCAPED_STRING = re.compile(r"\\([,= ])"), re.compile(r'\\(["\\])')
_LINE = re.compile(r"[^\n]*\n?")

_P = r'[^"\\,= \t\r\n]+'  # what needs no care
_P_VALUE = r'(?:"[^"\\,= \t\r\n]*"|-?[0-9]+(?:\.[0-9]+)?[iu]?|true|false|t|f)'
_PLAIN = (
    rf"^[^#\"\\,= \t\r\n]{_P[:-1]}*(?:,{_P}={_P})*?,store_id=({_P})(?:,{_P}={_P})*"
    rf" (?:{_P}={_P_VALUE},)*?(?:active|status)=([^,= ]+)(?:,{_P}={_P_VALUE})*"
    r"(?: ([0-9]{1,18}|[0-8][0-9]{18}))?\r?$"
)
_PLAIN_WORDS = {
    **dict.fromkeys(("true", "t", "1i", "1", '"active"'), True),
    **dict.fromkeys(("false", "f", "0i", "0", '"inactive"'), False),
}
_SAYS = ("the store", "whether it was active")  # what a line must say, each once
_NAMES_OF_THE_POLL = r"[, ](?:store_id|active|status)="


def read_line_protocol(body: bytes, horizon: int, now_us: int, unit: Unit) -> Pushed:
    """Read a poll in each line; blank lines and comments are none."""
    text = body.decode()
    raw = _plain_records(text, now_us, UNIT_NS[unit])
    polls = None if raw is None else plain(raw, horizon)
    return judge_records(_records(text, now_us, unit), horizon) if polls is None else Pushed.all_of(polls)


def _plain_records(text: str, now_us: int, unit_ns: int) -> pl.DataFrame | None:
    lines = pl.Series("line", [line for line in text.split("\n") if line and line[0] != "#"], pl.String)
    # Each of the poll's names once, and the other one of active and status not at all.
    if (lines.str.count_matches(_NAMES_OF_THE_POLL) != len(_SAYS)).any():
        return None
    groups = pl.col("line").str.extract_groups(_PLAIN).struct
    store_id, word, number = (groups.field(str(nth)) for nth in (1, 2, 3))
    whole = number.cast(pl.Int64, strict=False)
    # Compared before it is multiplied, for that may overflow.
    in_time = pl.when(whole.is_between(*_ends(unit_ns))).then(
        whole // 1000 if unit_ns == 1 else whole * (unit_ns // 1000)
    )
    frame = pl.DataFrame([lines]).select(
        store_id=store_id,
        status=word.replace_strict(_PLAIN_WORDS, default=None, return_dtype=pl.Boolean()),
        timestamp_utc=pl.when(number.is_null()).then(now_us).otherwise(in_time).cast(pl.Datetime("us")),
    )
    return None if sum(frame.null_count().row(0)) else frame


def _records(text: str, now_us: int, unit: Unit) -> Iterator[Record]:
    at, number = 0, 1
    while at < len(text):
        line = _LINE.match(text, at)
        end = line.end() if line else len(text)
        shown = text[at:end].strip(" \t\r\n")
        if shown and not shown.startswith("#"):
            found, past = _parsed(text, at, now_us, unit)
            end = past or end
            yield (
                number,
                *(found if isinstance(found, tuple) else NOTHING),
                text[at:end].strip(" \t\r\n"),
                (found if isinstance(found, str) else None),
            )
        number += text.count("\n", at, end)
        at = end


def _parsed(text: str, at: int, now_us: int, unit: Unit) -> tuple[tuple[str, str, str] | str, int | None]:
    """Read a line: the poll, or what is wrong with it; and where it ends, None where that cannot be told."""
    head = _TAGS.match(text, at)
    if not head:
        return "the line does not begin with a measurement and its tags, like polls,store_id=7", None
    fields: dict[str, list[str]] = {}
    place, more = _past_spaces(text, head.end()), True
    while more:
        field = _FIELD.match(text, place)
        if not field:
            return (
                "a field is missing, or cannot be read: a text stands in double quotes, a whole number ends in i",
                None,
            )
        fields.setdefault(_ESCAPED_NAME.sub(r"\1", field[1]), []).append(field[2])
        place, more = field.end(), bool(field[3])
    ended = _END.match(text, place)
    if not ended:
        return "the fields are followed by something other than a whole number, the timestamp", None
    return _poll(_TAG.findall(head[2]), fields, ended[1], now_us, unit), ended.end()


def _past_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at


def _poll(
    tags: list[tuple[str, str]], fields: dict[str, list[str]], timestamp: str | None, now_us: int, unit: Unit
) -> tuple[str, str, str] | str:
    names = [(_ESCAPED_NAME.sub(r"\1", name), _ESCAPED_NAME.sub(r"\1", value)) for name, value in tags]
    store_ids = [value for name, value in names if name == "store_id"]
    if len(store_ids) != 1:
        return (
            "the tag store_id stands in it twice"
            if store_ids
            else "there is no tag store_id; add it: polls,store_id=7 …"
        )
    said = [value for name in ("active", "status") for value in fields.get(name, ())]
    if len(said) != 1:
        return (
            "the fields active and status stand in it more than once in all; send one of them"
            if said
            else 'there is no field active or status; add one: active=true, or status="active"'
        )
    polled_at_us = now_us if timestamp is None else _instant_us(timestamp, UNIT_NS[unit])
    if polled_at_us is None:
        return (
            f"the timestamp is not Unix time in {unit} of the years 2001 to 9999; name its precision: ns, us, ms or s"
        )
    instant = datetime(1970, 1, 1) + timedelta(microseconds=polled_at_us)  # noqa: DTZ001 - the text names the zone
    return store_ids[0], _word(said[0]), f"{instant.isoformat(' ', 'microseconds')} UTC"


def _word(value: str) -> str:
    if value.startswith('"'):
        return _ESCAPED_STRING.sub(r"\1", value[1:-1])
    if value[0] in "tTfF":
        return "true" if value in _TRUTHS else "false"
    number = float(value.rstrip("iu"))
    return str(int(number)) if number in {0, 1} else value


def _instant_us(timestamp: str, unit_ns: int) -> int | None:
    first, last = _ends(unit_ns)
    if len(timestamp) > _LONGEST or not first <= int(timestamp) <= last:
        return None
    return int(timestamp) * unit_ns // 1000


def _ends(unit_ns: int) -> tuple[int, int]:
    """Give the first and the last timestamp that is read."""
    return -(-_FIRST_US * 1000 // unit_ns), min((_LAST_US * 1000 + 999) // unit_ns, 2**63 - 1)
