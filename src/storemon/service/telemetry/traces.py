"""Whether traces are wanted: OTEL_* says where they go; without that nothing of them is loaded or paid for."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from litestar.types import ASGIApp

from storemon.errors import InputError
from storemon.records.jobs import Job

if TYPE_CHECKING:
    from storemon.service.telemetry.spans import Spans

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
_spans: "Spans | None" = None


def require_tracing() -> None:
    """Find out at the start whether traces can be sent, if they are wanted.

    Raises:
        InputError: they are wanted, and what sends them is not installed, or does not speak the protocol.

    """
    if not _wanted():
        return
    for variable in _PROTOCOLS:
        if _said(variable) not in {"", "http/protobuf"}:
            raise InputError(f"{variable}={_said(variable)}: traces are sent by http/protobuf only; unset it")
    try:
        import storemon.service.telemetry.spans  # noqa: F401, PLC0415 - only if it is wanted
    except ImportError as error:
        raise InputError(
            f"{next(filter(_said, _ENDPOINTS))} is set, but what sends traces is not installed; install it with: "
            "pip install 'storemon[otel]', or unset the variable"
        ) from error


def traced(app: ASGIApp) -> ASGIApp:
    """Have a span made for each request to ``app``, and for each job of this process, if that is wanted."""
    global _spans  # noqa: PLW0603 - of the process, as what it counts is
    if not _wanted():
        return app
    from storemon.service.telemetry.spans import Spans  # noqa: PLC0415 - only if it is wanted

    _spans = Spans(named=bool(_said("OTEL_SERVICE_NAME")) or "service.name=" in _said("OTEL_RESOURCE_ATTRIBUTES"))
    return _spans.of_requests(app)


def traced_job(job: Job) -> AbstractContextManager[object]:
    """Have a span of what is done for a job within the context, if that is wanted."""
    if _spans is None:
        return nullcontext()
    return _spans.of_job(job)


def _wanted() -> bool:
    is_off = _said("OTEL_SDK_DISABLED").lower() == "true" or _said("OTEL_TRACES_EXPORTER") == "none"
    return not is_off and any(map(_said, _ENDPOINTS))


def _said(variable: str) -> str:
    return os.environ.get(variable, "")
