"""Spans: one for each request, named by its method and route, and one for each job, in the trace of its request.

The library's own middleware names a span before the route is known, and tells the whole address with all parameters.
"""

import asyncio
from contextlib import AbstractContextManager
from importlib.metadata import version
from threading import Thread

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from storemon.records.jobs import Job
from storemon.service.logs import masked
from storemon.service.telemetry.routes import method_of, route_of

_FLUSH_SECONDS = 2
_SERVER_ERROR = 500
_BROUGHT = (b"traceparent", b"tracestate")
_TRACE_CONTEXT = TraceContextTextMapPropagator()


class Spans:
    """Makes the spans of one process, and sends them off."""

    def __init__(self, *, named: bool) -> None:
        """Begin; the service is called storemon unless it is ``named`` otherwise."""
        told = {SERVICE_VERSION: version("storemon")} | ({} if named else {SERVICE_NAME: "storemon"})
        self._provider = TracerProvider(resource=Resource.create(told), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("storemon")

    def of_job(self, job: Job) -> AbstractContextManager[Span]:
        """Make a span of the context, a child of that of the request which asked for the job."""
        parent = _TRACE_CONTEXT.extract({"traceparent": job.parameters.get("traceparent", "")})
        told: dict[str, str | int] = {"storemon.job.id": job.id, "storemon.job.attempt": job.attempts}
        return self._tracer.start_as_current_span(f"{job.kind} job", parent, SpanKind.CONSUMER, told)

    def of_requests(self, app: ASGIApp) -> ASGIApp:
        """Make a span of each request to ``app``, which takes that for the one that was brought."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == ScopeType.HTTP:
                await self._request(app, scope, receive, send)
            else:
                await app(scope, receive, self._flushed(send))

        return traced

    async def _request(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        brought = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _BROUGHT}
        method = method_of(scope)
        told = {"http.request.method": method, "url.path": masked(scope["path"]), "url.scheme": scope["scheme"]}
        parent = _TRACE_CONTEXT.extract(brought)
        with self._tracer.start_as_current_span(method, parent, SpanKind.SERVER, told) as span:
            own: dict[str, str] = {}
            _TRACE_CONTEXT.inject(own)
            others = [header for header in scope["headers"] if header[0] != b"traceparent"]
            scope["headers"] = [*others, (b"traceparent", own["traceparent"].encode())]

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await app(scope, receive, watched)
            finally:
                span.update_name(f"{method} {route_of(scope)}")
                span.set_attribute("http.route", route_of(scope))

    def _flushed(self, send: Send) -> Send:
        """Send off all spans before the process says that it is done."""

        async def told(message: Message) -> None:
            if str(message["type"]).startswith("lifespan.shutdown"):
                flushing = Thread(target=self._provider.force_flush, daemon=True)  # it minds no time limit of its own
                flushing.start()
                await asyncio.to_thread(flushing.join, _FLUSH_SECONDS)
            await send(message)

        return told
