"""Requests with an address that cannot be parsed: refused before any route."""

import re

import msgspec
from litestar.datastructures import URL
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from storemon.service.problems import Problem

_PLAIN = re.compile(rb"[A-Za-z0-9.-]+(:\d{1,4})?")


class ParsedHost:
    """Lets only such requests through to ``app`` of which an error could tell the whole address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 400."""
        if scope["type"] != ScopeType.HTTP or _is_parsed(scope):
            await self._app(scope, receive, send)
            return
        detail = "the Host header cannot be parsed; send the name or address of this service, like 127.0.0.1:8000"
        body = msgspec.json.encode(Problem(400, "Bad Request", detail))
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def _is_parsed(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1 and _PLAIN.fullmatch(hosts[0]):
        return True
    try:
        URL.from_scope(scope)
    except ValueError:
        return False
    return len(hosts) <= 1
