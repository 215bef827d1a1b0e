"""One body in, accepted polls and rejected rows out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from storemon.errors import InputError
from storemon.intake.pushed.arrow import read_arrow
from storemon.intake.pushed.arrow_size import TooMuchError
from storemon.intake.pushed.bounds import MOST_ROWS, require_few
from storemon.intake.pushed.delimited import read_csv
from storemon.intake.pushed.line_protocol import UNIT_NS, Unit, read_line_protocol
from storemon.intake.pushed.objects import read_json, read_ndjson
from storemon.intake.pushed.plain import read_one
from storemon.intake.pushed.polls import PUSHED_SCHEMA, Pushed, horizon_us, microseconds_of

__all__ = [
    "MEDIA_TYPES",
    "MOST_ROWS",
    "PUSHED_SCHEMA",
    "Format",
    "Pushed",
    "TooMuchError",
    "Unit",
    "read_one",
    "read_polls",
]

Format = Literal["json", "ndjson", "csv", "arrow", "line"]
"""The forms that a body may have; ``line`` is InfluxDB's line protocol."""
MEDIA_TYPES: Mapping[str, Format] = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "text/csv": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
}
"""The forms by their media types. Line protocol has none of its own."""
_MOST = 10_000_000
_MARK = b"\xef\xbb\xbf"


def read_polls(
    body: bytes,
    form: Format,
    *,
    now: datetime,
    unit: Unit = "ns",
    most: int = _MOST,
    most_rows: int | None = None,
) -> Pushed:
    """Read the polls of a body, by the rules of a CSV of polls.

    Args:
        body: an HTTP body or a broker's message, unpacked.
        form: what it is written in.
        now: the wall clock; a poll more than a day ahead of it is rejected, a naive one is UTC.
        unit: of the timestamps of line protocol.
        most: the bytes that an Arrow stream may unpack to.
        most_rows: the polls that it may hold, None for as many as there are.

    Raises:
        TooMuchError: it is an Arrow stream that unpacks to too much.
        InputError: the body as a whole is not of this form, or holds too many polls; the text says what,
            where and what to try.

    """
    horizon = horizon_us(now)
    if form == "arrow":
        return read_arrow(body, horizon, most, most_rows)
    text = body.removeprefix(_MARK)
    _require_utf8(text)
    if most_rows is not None:
        require_few(text, form, most_rows)
    if form == "line":
        if unit not in UNIT_NS:
            raise InputError(f"there is no precision {unit!r}; there are: {', '.join(UNIT_NS)}")
        return read_line_protocol(text, horizon, microseconds_of(now), unit)
    return {"json": read_json, "ndjson": read_ndjson, "csv": read_csv}[form](text, horizon)


def _require_utf8(text: bytes) -> None:
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputError(f"the body is not UTF-8: line {line}, byte {error.start + 1}; send text in UTF-8") from error
