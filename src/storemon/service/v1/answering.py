"""An answer over HTTP: of which facts, unchanged or computed, whole or by pages, in which form."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlencode

import msgspec
import polars as pl
from litestar import Request, Response
from litestar.response import Stream

from storemon.engine.question import require_one_of
from storemon.errors import InputError, LakeError
from storemon.lake.schemas import TAGS
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Facts, Means
from storemon.service.door.callers import Caller, caller_of
from storemon.service.problems import problem
from storemon.service.v1 import cursors
from storemon.service.v1.files import has_tag
from storemon.service.v1.query import MOST_ROWS, Shown, Wanted
from storemon.settings import Settings
from storemon.units.zones import EDITION
from storemon.views.answer import Answer
from storemon.views.forms import FORMS, MEDIA_TYPES, Document, Form, pieces, to_json

T = TypeVar("T", bound=str)

_VERSION = version("storemon")  # to look it up takes longer than to answer with 304

OF_ROWS: Mapping[Form, str] = {form: MEDIA_TYPES[form] for form in FORMS}
MOST_STORES = 100_000
"""The most stores of which an answer is computed while its request waits."""

MOST_PARTS = 2_000_000
"""The most parts of windows, of all stores together, that are computed while a request waits."""

Parts = Callable[[Any, Snapshot], int]
Ask = Callable[[Any, Snapshot, Means], Answer]
"""Answers a question: a function of `storemon.questions`."""


class Made(NamedTuple):
    """How a question is answered by a document, and of how many figures of each store that is made."""

    make: Callable[[Any, Snapshot, Means], bytes]
    parts: Parts


def _one(*_: object) -> int:
    return 1


class Cursor(NamedTuple):
    """Where a page begins, of which facts, and of which question."""

    versions: dict[str, int]
    offset: int
    question: str
    as_of: str | None = None
    """The clock's now, where that is asked for: all pages are of one instant."""


def answered(
    request: Request[Any, Any, Any],
    settings: Settings,
    wanted: Wanted,
    ask: Ask,
    *,
    name: str,
    parts: Parts = _one,
    also: object = None,
    document: Made | None = None,
) -> Response[Any]:
    """Answer a question with rows: with 304 if the one who asks has the answer already, which computes nothing.

    Args:
        request: the request.
        settings: where the lake lies, and what an answer may take.
        wanted: what the request asks.
        ask: answers it.
        name: what a file with the answer is called, without its ending.
        also: what the answer depends on beside the question and the facts.
        parts: tells of how many figures, or rows, of each store there will be.
        document: makes a document of it, if there is one.

    Raises:
        StoremonError: the question can't be answered, or its answer is too large for a request to wait for.

    """
    question, shown = wanted
    chosen = form_of(request, shown.format, MEDIA_TYPES if document else cast("Mapping[Form | Document, str]", OF_ROWS))
    caller = caller_of(request.scope)
    digest = _digest(
        name, asdict(question), shown.sort, settings.carry_limit, caller.sees, *([] if also is None else [also])
    )
    limit, cursor = shown.rows(), _cursor(shown, digest)
    snapshot = _snapshot(caller, settings, cursor)
    here = cursor or Cursor(dict(snapshot.versions), 0, digest, as_of_now(question))
    if here.as_of is not None:
        question = replace(question, as_of=here.as_of)
    headers = headers_of(snapshot, digest, chosen, limit, here.offset, here.as_of)
    if has_tag(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    if document and chosen == "pdf":
        return _document(question, shown, snapshot, document, headers, means=means_of(settings), name=name)
    form = cast("Form", chosen)  # where there is no document, there is no such form to choose
    _require_few(len(snapshot.stores()), parts(question, snapshot))
    answer = ask(question, snapshot, means_of(settings))
    if isinstance(question, Facts):
        headers["X-As-Of"] = answer.as_of.isoformat()
    if not shown.in_pages:
        headers["Content-Disposition"] = f'inline; filename="{name}.{form}"'
        return _whole(answer, form, headers)
    page, following = _page(answer.frame, shown, here)
    headers["X-Total-Count"] = str(len(answer.frame))
    if following:
        headers["Link"] = f'<?{_query(request, following)}>; rel="next"'
    if form == "json":
        body = b'{"rows":' + to_json(page) + b',"next":' + msgspec.json.encode(following) + b"}"
    else:
        body = b"".join(pieces([page], form, answer.legend, answer.about))
    return Response(body, media_type=OF_ROWS[form], headers=headers)


def _document(
    question: Any,
    shown: Shown,
    snapshot: Snapshot,
    document: Made,
    headers: Mapping[str, str],
    *,
    means: Means,
    name: str,
) -> Response[bytes]:
    if shown.in_pages:
        raise InputError("a PDF has no pages of rows; leave out limit, sort and cursor")
    _require_few(len(snapshot.stores()), document.parts(question, snapshot))
    told = {"X-As-Of": question.now(snapshot).isoformat(), "Content-Disposition": f'inline; filename="{name}.pdf"'}
    content = document.make(question, snapshot, means)
    return Response(content, media_type=MEDIA_TYPES["pdf"], headers={**headers, **told})


def as_of_now(question: object) -> str | None:
    """Write the clock's now if that is asked for."""
    return datetime.now(UTC).isoformat() if isinstance(question, Facts) and question.is_by_the_clock else None


def means_of(settings: Settings) -> Means:
    """Tell what an answer may take."""
    return Means(settings.carry_limit, settings.memory, settings.on)


def headers_of(snapshot: Snapshot, *asked: object) -> dict[str, str]:
    """Name the facts that an answer rests on, and the answer itself: by them, and by all that was ``asked``."""
    etag = _digest(dict(snapshot.versions), *asked)
    return {
        "ETag": f'"{etag}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Authorization, X-API-Key",
        "X-Lake": " ".join(f"{table}={number}" for table, number in snapshot.versions.items()),
        "X-Zone-Data": EDITION,
    }


def form_of(request: Request[Any, Any, Any], named: str | None, media_types: Mapping[T, str]) -> T:
    """Choose the form of an answer: the one that is named, or the best one that is accepted, or else the JSON one.

    Raises:
        InputError: there is no such form.
        ProblemDetailsException: none is accepted.

    """
    forms = {str(form): form for form in media_types}
    if named is not None:
        require_one_of(named, [*forms], "format")
        return forms[named]
    if not request.headers.get("accept"):
        return forms["json"]
    by_media_type = {media_types[form].partition(";")[0]: form for form in (forms["json"], *media_types)}
    best = request.accept.best_match([*by_media_type])
    if best is None:
        raise problem(406, f"there is no such form; accept one of {', '.join(by_media_type)}")
    return by_media_type[best]


def _digest(*parts: object) -> str:
    """Tell what an answer depends on, the program and the zones' edition too, in a few characters."""
    told = msgspec.json.encode([_VERSION, EDITION, *parts], order="deterministic")
    return hashlib.sha256(told).hexdigest()[:32]


def _cursor(shown: Shown, digest: str) -> Cursor | None:
    if shown.cursor is None:
        return None
    cursor = cursors.read(shown.cursor, Cursor)
    if cursor.question != digest or cursor.offset < 0:
        raise InputError("the cursor is of another question; ask the same as for the page before, or leave it out")
    return cursor


def _snapshot(caller: Caller, settings: Settings, cursor: Cursor | None) -> Snapshot:
    newest = caller.snapshot(settings)
    if cursor is None or cursor.versions == newest.versions:
        return newest
    gone = InputError("the cursor is of facts that are no longer there; leave it out to begin anew")
    if not _may_be_read(cursor.versions, newest.versions, caller):
        raise gone
    try:
        return caller.snapshot(settings, cursor.versions)
    except LakeError as error:
        raise gone from error


def _may_be_read(versions: Mapping[str, int], newest: Mapping[str, int], caller: Caller) -> bool:
    """Tell whether there can be such versions, which anybody can write into a cursor, and whether they may be seen.

    Which stores a caller sees the newest tags tell: by older ones it would see stores that are no longer its own.
    """
    if versions.keys() != newest.keys() or (caller.sees and versions[TAGS.name] != newest[TAGS.name]):
        return False
    return all(-1 <= versions[name] <= newest[name] for name in newest)


def _require_few(stores: int, parts: int) -> None:
    meanwhile = "ask for a report that is made meanwhile: POST /v1/reports"
    if stores > MOST_STORES:
        raise problem(
            422,
            f"there are {stores:,} stores, and a request waits for {MOST_STORES:,} at the most; {meanwhile}",
        )
    if stores * parts > MOST_PARTS:
        raise problem(
            422,
            f"{parts:,} parts of each of {stores:,} stores are {stores * parts:,}, and a request waits for "
            f"{MOST_PARTS:,} at the most; choose fewer or longer parts, or {meanwhile}",
        )


def _whole(answer: Answer, form: Form, headers: Mapping[str, str]) -> Response[Any]:
    """Send all rows: at once if that is one range of stores, else range by range, as they come."""
    parts = pieces(answer.frames, form, answer.legend, answer.about)
    first = [*_next(parts), *_next(parts)]
    more = [*_next(parts)] if first else []
    if not more:
        return Response(b"".join(first), media_type=OF_ROWS[form], headers=dict(headers))
    return Stream(chain(first, more, parts), media_type=OF_ROWS[form], headers=dict(headers))


def _next(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield part
        return


def _page(rows: pl.DataFrame, shown: Shown, here: Cursor) -> tuple[pl.DataFrame, str | None]:
    """Cut out a page, and tell the cursor of the next one if there is one."""
    until = here.offset + (shown.rows() or MOST_ROWS)
    following = None if until >= len(rows) else cursors.written(here._replace(offset=until))
    return _sorted(rows, shown.sort)[here.offset : until], following


def _sorted(rows: pl.DataFrame, sort: str | None) -> pl.DataFrame:
    if sort is None:
        return rows
    column = sort.removeprefix("-")
    require_one_of(column, rows.columns, "column")
    return rows.sort(column, descending=sort.startswith("-"), nulls_last=True, maintain_order=True)


def _query(request: Request[Any, Any, Any], cursor: str) -> str:
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return urlencode([*given, ("cursor", cursor)])
