"""A file over HTTP: whole or a range of it, unless the one who asks has it already (RFC 9110, 13 and 14)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO

from litestar import Request, Response
from litestar.response import Stream

from storemon.service.problems import problem

_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def sent(
    request: Request[Any, Any, Any], path: Path, *, etag: str, media_type: str, name: str, headers: dict[str, str]
) -> Response[Any]:
    """Answer GET or HEAD with a file, or with one range of it. Several ranges at once are answered with all of it.

    Args:
        request: the request.
        path: the file. It does not change, only go.
        etag: names its content, in quotation marks.
        media_type: what it is.
        name: what it is to be called where it is saved.
        headers: more of them.

    Raises:
        OSError: it can't be read.
        ProblemDetailsException: it has no such bytes.

    """
    status = path.stat()
    size, changed_at = status.st_size, datetime.fromtimestamp(int(status.st_mtime), UTC)
    headers = headers | {
        "ETag": etag,
        "Last-Modified": format_datetime(changed_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, X-API-Key",
    }
    if _has_already(request, etag, changed_at):
        return Response(None, status_code=304, headers=headers)
    part = _range(request, size, etag, changed_at)
    if part is not None and not part:
        raise problem(
            416, f"the file has {size:,} bytes; ask for some of them", headers={"Content-Range": f"bytes */{size}"}
        )
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    part, code = part or range(size), 206 if part else 200
    headers["Content-Length"] = str(len(part))
    body = iter(()) if request.method == "HEAD" else _read(path.open("rb"), part)  # at once: it may be deleted
    return Stream(body, status_code=code, media_type=media_type, headers=headers)


def has_tag(request: Request[Any, Any, Any], etag: str) -> bool:
    """Tell whether the one who asks says to have what a tag names."""
    tags = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return etag in tags or tags == ["*"]


def _has_already(request: Request[Any, Any, Any], etag: str, changed_at: datetime) -> bool:
    if request.headers.get("if-none-match"):
        return has_tag(request, etag)
    since = _date(request.headers.get("if-modified-since"))
    return since is not None and changed_at <= since


def _range(request: Request[Any, Any, Any], size: int, etag: str, changed_at: datetime) -> range | None:
    """Read which bytes are asked for: an empty range if there are none such, None for all."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    condition = request.headers.get("if-range")
    if asked is None or asked[0] == "bytes=-" or (condition and condition != etag and _date(condition) != changed_at):
        return None
    first, last = asked[1][:18], asked[2][:18]
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(int(last) + 1 if last else size, size))


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _read(file: BinaryIO, part: range) -> Iterator[bytes]:
    with file:
        file.seek(part.start)
        left = len(part)
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
