"""The log: one line for each request and each job, for people on a terminal, as JSON elsewhere."""

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import partial
from random import getrandbits
from typing import Any
from urllib.parse import unquote

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from storemon.records.keys import LIKE_A_KEY

_BROUGHT = (b"x-request-id", b"traceparent")
_REQUEST_ID, _TRACE = (
    re.compile(r"[\w.:-]{1,64}", re.ASCII),
    re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
)
PASSWORD = re.compile(r"(?:(?<=^p=)|(?<=&p=))[^&]*")
"""The key in the query of a client of InfluxDB 1: its parameter ``p``, under this name only."""
_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ALLOWED = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What keeps a browser from taking an answer for something that it runs: a picture has styles, and nothing else."""
_OF_SCHEMA = b"; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
_AS_EVER = re.compile(r"/(trigger_report|get_report|ingest|health|(get_report|ingest)/.*)")
"""The routes that stay as they are, headers and all."""


class _Lines:
    """Writes lines under a name: without the standard library's logging, in a third of the time."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Write one."""
        sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = exception = msg


def configure_logs() -> None:
    """Send every line, the libraries' too, to standard error in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    form: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]
    if sys.stderr.isatty():
        form = [printable, structlog.dev.ConsoleRenderer()]
    structlog.configure(
        processors=[*shared, *form],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form]
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def printable(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write what moves the cursor of a terminal, or worse, as its escape: a path can have it in it."""
    for name, value in line.items():
        if isinstance(value, str) and name not in {"event", "exception", "stack"} and not value.isprintable():
            line[name] = "".join(each if each.isprintable() else repr(each)[1:-1] for each in value)
    return line


_encoder = msgspec.json.Encoder(enc_hook=repr)


def _as_json(line: Mapping[str, object], **_: object) -> str:
    try:
        return _encoder.encode(line).decode()
    except UnicodeEncodeError:  # a name of a file that is not UTF-8
        return _encoder.encode({name: encodable(value) for name, value in line.items()}).decode()


def encodable(value: object) -> object:
    """Write what no encoding has, as in the name of a file that is not UTF-8, as its escape."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


class RequestLog:
    """Logs each request around ``app``, also those that no route takes. Bodies are nobody's business.

    Each has an id, its own or that of its ``X-Request-ID``, which every line that is written for it has too; so has a
    ``traceparent`` that it brings (W3C Trace Context). The versioned API answers with the id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._write = line_writer("storemon.requests", "request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when the answer has been sent."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()
        told = _identity(scope)
        structlog.contextvars.bind_contextvars(**told)  # each request has a context of its own, so it ends with it

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if not _AS_EVER.fullmatch(scope["path"]):
                    message["headers"] = [*message.get("headers", ()), *_also(scope["path"], told["request_id"])]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            query = PASSWORD.sub("***", scope["query_string"].decode("latin-1"))
            self._write(
                method=scope["method"],
                path=masked(f"{scope['path']}?{query}" if query else scope["path"]),
                status=status,
                milliseconds=round(1000 * (time.perf_counter() - started), 2),
            )


def masked(text: str) -> str:
    """Hide each key in a path or a query, wherever it stands and however it is written."""
    plain = unquote(text)
    return LIKE_A_KEY.sub("***", plain) if LIKE_A_KEY.search(plain) else text


def line_writer(logger: str, event: str) -> Callable[..., None]:
    """Give what writes lines of one kind as structlog would, in a third of the time: there is one for each poll."""
    if sys.stderr.isatty():
        return partial(structlog.stdlib.get_logger(logger).info, event)

    def write(**told: object) -> None:
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = {"event": event, "level": "info", "logger": logger, "timestamp": at}
        sys.stderr.write(f"{_as_json(told | structlog.contextvars.get_contextvars() | line)}\n")

    return write


def _also(path: str, request_id: str) -> list[tuple[bytes, bytes]]:
    """Give the headers that an answer has besides its own."""
    allowed = _ALLOWED + _OF_SCHEMA if path.startswith("/schema") else _ALLOWED
    named = [(b"x-request-id", request_id.encode())] if path.startswith("/v1/") else []
    return [*named, *_SAFE, (b"content-security-policy", allowed)]


def _new_id() -> str:
    """Make an id; it is no secret, so the system need not be asked."""
    return f"{getrandbits(128):032x}"


def _identity(scope: Scope) -> dict[str, str]:
    """Give what the lines of a request are known by."""
    brought = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _BROUGHT}
    request_id, trace = brought.get(b"x-request-id", ""), brought.get(b"traceparent", "")
    told = {"request_id": request_id if request_id and _REQUEST_ID.fullmatch(request_id) else _new_id()}
    if trace and _TRACE.fullmatch(trace):
        told["traceparent"] = trace
    return told
