"""The quick way: bodies in which each poll is written as it usually is, read without a database.

It reads less than the careful way, never otherwise: where anything is unusual it gives None, and the whole body is read
with care. Usual are the names ``store_id, status, timestamp_utc`` themselves, ids without outer spaces, the words
``active`` and ``inactive``, and instants in UTC such as ``2024-10-03T23:33:20Z`` or ``2024-10-03 23:33:20.412748 UTC``.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import msgspec
import polars as pl

from storemon.intake.pushed.bounds import MOST_COLUMNS
from storemon.intake.pushed.polls import CONTROL, LONGEST_ID, PUSHED_SCHEMA, horizon_us
from storemon.lake.schemas import EVERY_STORE

_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"
    r"(?:\.([0-9]{1,9}))?(?:Z| UTC|\+00:00)?"
)
_CONTROL = re.compile(CONTROL)
_WHOLE_INSTANT = f"^(?:{_INSTANT.pattern})$"
_TO_SECONDS = "%Y-%m-%d %H:%M:%S"
_DAY_0 = date(1970, 1, 1).toordinal()
_FIRST_US = (1 - _DAY_0) * 86_400_000_000  # of the year 1
_FEW = 300  # polls up to which Python alone is faster than expressions
_MEMBERS = (b'"store_id"', b'"status"', b'"timestamp_utc"')
_QUOTES = 12  # of a poll without further members: around three names and three texts
_NAME = re.compile(r'"([^"]*)"\s*:')


class Poll(msgspec.Struct):
    """A poll as JSON usually has it."""

    store_id: str
    status: Literal["active", "inactive"]
    timestamp_utc: str


_ONE, _MANY = msgspec.json.Decoder(Poll), msgspec.json.Decoder(list[Poll])
_UNUSUAL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_one(body: bytes, now: datetime) -> tuple[str, int, bool] | None:
    """Read one JSON object: the store, the instant in microseconds from 1970, and whether the store was active.

    None where it is anything else than one accepted poll in the usual form: `storemon.intake.pushed.reading.read_polls`
    tells then what it is.
    """
    try:
        body.decode()  # what it says of other things as well
        poll = _ONE.decode(body)
    except _UNUSUAL:
        return None
    return _one(poll, horizon_us(now)) if _are_single(body, 1) else None


def read_objects(body: bytes, horizon: int) -> pl.DataFrame | None:
    """Read a JSON array of objects, or one object."""
    try:
        polls = [_ONE.decode(body)] if body.lstrip().startswith(b"{") else _MANY.decode(body)
    except _UNUSUAL:
        return None
    return _polls(polls, horizon) if _are_single(body, len(polls)) else None


def read_lines(body: bytes, horizon: int) -> pl.DataFrame | None:
    """Read JSON, an object in each line."""
    try:
        polls = [_ONE.decode(line) for line in body.split(b"\n") if line and not line.isspace()]
    except _UNUSUAL:
        return None
    return _polls(polls, horizon) if _are_single(body, len(polls)) else None


def _are_single(body: bytes, polls: int) -> bool:
    """Tell whether no object has a member twice, of which the decoder would take the last: each was found once.

    Nor may there be too many others.
    """
    if b"\\" in body or any(body.count(name) != polls for name in _MEMBERS):
        return False
    if body.count(b'"') == _QUOTES * polls:
        return True
    return len({*_NAME.findall(body.decode())}) <= MOST_COLUMNS


def _polls(polls: Sequence[Poll], horizon: int) -> pl.DataFrame | None:
    if len(polls) > _FEW:
        texts = {
            "store_id": [poll.store_id for poll in polls],
            "status": [poll.status for poll in polls],
            "timestamp_utc": [poll.timestamp_utc for poll in polls],
        }
        return plain(pl.DataFrame(texts, dict.fromkeys(texts, pl.String())), horizon)
    read = [_one(poll, horizon) for poll in polls]
    return None if None in read else pl.DataFrame(read, PUSHED_SCHEMA, orient="row")


def _one(poll: Poll, horizon: int) -> tuple[str, int, bool] | None:
    store_id, polled_at_us = poll.store_id, _instant(poll.timestamp_utc)
    if polled_at_us is None or polled_at_us > horizon or store_id in {"", EVERY_STORE}:
        return None
    if store_id[0] == " " or store_id[-1] == " " or len(store_id) > LONGEST_ID or _CONTROL.search(store_id):
        return None
    return store_id, polled_at_us, poll.status == "active"


def _instant(text: str) -> int | None:
    found = _INSTANT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _DAY_0
    except ValueError:
        return None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    return seconds * 1_000_000 + (int(fraction[:6].ljust(6, "0")) if fraction else 0)


def plain(raw: pl.DataFrame, horizon: int) -> pl.DataFrame | None:
    """Read columns of values, if all of them are in the usual form.

    Args:
        raw: ``store_id``, text; ``status``, text or whether it was active; ``timestamp_utc``, text or instants.
        horizon: the latest instant at which a poll is believed, in microseconds from 1970.

    """
    store_id, status, timestamp = (pl.col(name) for name in ("store_id", "status", "timestamp_utc"))
    is_text = raw.schema["timestamp_utc"] == pl.String
    polled_at = _instants(timestamp) if is_text else timestamp.dt.cast_time_unit("us").cast(pl.Int64)
    active = status if raw.schema["status"] == pl.Boolean else _active(status)
    usual = ~store_id.is_in(["", EVERY_STORE]) & ~store_id.str.starts_with(" ") & ~store_id.str.ends_with(" ")
    usual &= (store_id.str.len_chars() <= LONGEST_ID) & ~store_id.str.contains(CONTROL)
    read = raw.select(store_id, polled_at=polled_at, active=active, usual=usual)
    if not len(read):
        return pl.DataFrame(schema=PUSHED_SCHEMA)
    if sum(read.null_count().row(0)) or not read["usual"].all():
        return None
    first, last = read["polled_at"].min(), read["polled_at"].max()
    if first < _FIRST_US or last > horizon:  # type: ignore[operator]  # whole numbers
        return None
    return read.select(*PUSHED_SCHEMA.names()).with_columns(pl.col("polled_at").cast(PUSHED_SCHEMA["polled_at"]))


def _active(status: pl.Expr) -> pl.Expr:
    return pl.when(status == "active").then(True).when(status == "inactive").then(False)


def _instants(text: pl.Expr) -> pl.Expr:
    second = (
        text.str.head(19).str.replace("T", " ", literal=True).str.to_datetime(_TO_SECONDS, time_unit="us", strict=False)
    )
    fraction = text.str.strip_suffix("+00:00").str.slice(20, 6).str.strip_chars_end("Z UTC").str.pad_end(6, "0")
    instant = second.cast(pl.Int64) + fraction.cast(pl.Int64, strict=False)
    return pl.when(text.str.contains(_WHOLE_INSTANT)).then(instant)
