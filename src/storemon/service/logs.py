"""The log: one line for each request and each job, for people on a terminal, as JSON elsewhere."""

import logging
import sys
import time
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.stdlib.get_logger("storemon.requests")


def configure_logs() -> None:
    """Send every line, the libraries' too, to standard error in one form."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    form: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if sys.stderr.isatty():
        form = [structlog.dev.ConsoleRenderer()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form]
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class RequestLog:
    """Logs each request around ``app``, also those that no route takes. Bodies are nobody's business."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when the answer has been sent."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            query = scope["query_string"].decode("latin-1")
            _log.info(
                "request",
                method=scope["method"],
                path=f"{scope['path']}?{query}" if query else scope["path"],
                status=status,
                milliseconds=round(1000 * (time.perf_counter() - started), 2),
            )
