"""Bodies of polls in every form."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from unittest.mock import patch

import polars as pl

from storemon.intake.pushed import arrow, delimited, line_protocol, objects
from storemon.intake.pushed.reading import Format, Pushed, read_polls

NOW = datetime(2024, 10, 15, tzinfo=UTC)
SECOND = datetime(2024, 10, 3, 23, 33, 20, tzinfo=UTC)
COLUMNS = ("store_id", "status", "timestamp_utc")
Row = tuple[str, str, str]


def body_of(form: Format, rows: Sequence[Row]) -> bytes:
    """Write rows in a form; for line protocol, ids without spaces, active or inactive, and a number."""
    members = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    if form == "json":
        return json.dumps(members, ensure_ascii=False).encode()
    if form == "ndjson":
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in members).encode()
    if form == "csv":
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
        return text.getvalue().encode()
    if form == "arrow":
        file = io.BytesIO()
        pl.DataFrame(rows, dict.fromkeys(COLUMNS, pl.String), orient="row").write_ipc_stream(file)
        return file.getvalue()
    return "\n".join(f'polls,store_id={store} status="{status}" {instant}' for store, status, instant in rows).encode()


@contextmanager
def with_care() -> Iterator[None]:
    """Read nothing quickly."""
    with ExitStack() as stack:
        for name in ("read_objects", "read_lines"):
            stack.enter_context(patch.object(objects.plain, name, return_value=None))
        for module in (arrow, delimited, line_protocol):
            stack.enter_context(patch.object(module, "plain", return_value=None))
        yield


@contextmanager
def quickly() -> Iterator[None]:
    """Read nothing with care."""
    with ExitStack() as stack:
        for module in (arrow, delimited, line_protocol, objects):
            stack.enter_context(patch.object(module, "judge_records", side_effect=AssertionError("not plain")))
        yield


def read_of(body: bytes | str, form: Format) -> Pushed:
    return read_polls(body.encode() if isinstance(body, str) else body, form, now=NOW)


def polls(pushed: Pushed) -> list[tuple[str, datetime, bool]]:
    return pushed.polls.rows()


def rejects(pushed: Pushed) -> list[tuple[int, str, str]]:
    return pushed.rejected.rows()
