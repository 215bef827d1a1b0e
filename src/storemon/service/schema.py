"""What the service tells of itself in OpenAPI: all that is true of many routes, and the page at /schema.

The page is made of our own file only: it works without any other host.
"""

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    Link,
    OpenAPIHeader,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    Schema,
    SecurityScheme,
    Tag,
)
from litestar.routes import HTTPRoute
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from storemon.service import problems
from storemon.service.v1 import problems as v1

_HEADERS = {
    "Location": "Where it is",
    "ETag": "Names the answer; sent as If-None-Match, it spares an unchanged one",
    "Link": 'The next page, as <?…>; rel="next"; none on the last one',
    "X-Total-Count": "So many rows there are on all pages",
    "X-As-Of": "The answer's now, an instant",
    "X-Lake": "The version of each table that the answer rests on",
    "X-Zone-Data": "The edition of the time zones",
    "X-Report-Status": "Complete, with the CSV",
    "Content-Disposition": "What the file is to be called",
    "Last-Modified": "When the file was made",
    "Content-Range": "Which bytes of how many",
    "Retry-After": "Come again after so many seconds",
    "WWW-Authenticate": "How to say who asks",
    "X-Request-ID": "Stands in every line of the log of this request: that of the request, or a new one",
}
OF_FACTS = ("ETag", "X-Lake", "X-Zone-Data")
"""The headers of each answer that rests on the lake."""

OF_PAGES = ("Link", "X-Total-Count")
"""Those of a page."""

_BY_STATUS = {
    "206": ["Content-Range"],
    "401": ["WWW-Authenticate"],
    "409": ["Retry-After"],
    "416": ["Content-Range"],
    "429": ["Retry-After"],
    "503": ["Retry-After"],
}
_REFUSED = {
    "no_key": "There is no key, or one that can't be used",
    "not_allowed": "This key may not do this, or sees some stores only",
    "too_often": "This was asked too often",
    "records_out_of_reach": "The records of jobs and keys can't be read",
    "issuer_out_of_reach": "The keys of the issuer of tokens can't be read or fetched",
}
_OF_BODIES = {"body_too_slow": "The body did not arrive in time", "too_large": "The body is too large"}


class SchemaPage(OpenAPIRenderPlugin):
    """Renders the OpenAPI document with ``pages/schema.html``, which has a place for it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Put the document into the page."""
        page = files("storemon.service").joinpath("pages/schema.html").read_bytes()
        document = self.render_json(request, openapi_schema).replace(b"<", rb"\u003c")  # no tag can end the script
        return page.replace(b'"OPENAPI"', document)


def openapi_config() -> OpenAPIConfig:
    """Describe the API: the page at /schema, the document at /schema/openapi.json."""
    only_then = "Needed once the service has keys, or an issuer of tokens; a role may do what those before it may."
    text = Schema(type=OpenAPIType.STRING)
    return OpenAPIConfig(
        title="storemon",
        version=version("storemon"),
        description="While each place was supposed to be open, was it up? Exact uptime within opening hours, in bulk.",
        use_handler_docstrings=True,
        render_plugins=[SchemaPage(path="/")],
        operation_id_creator=_name,
        tags=[
            Tag("answers", "Answers, straight"),
            Tag("reports", "Reports that are made meanwhile"),
            Tag("alerts", "Alerts, silences, and the rules behind them"),
            Tag("schedules", "Answers that are sent again and again"),
            Tag("facts", "Tables that are loaded"),
            Tag("arrivals", "Polls that are sent as they are made"),
            Tag("basic", "The few routes for a report of the usual windows, and for ingestions"),
            Tag("operation", "How the service is"),
        ],
        components=Components(
            headers={
                name: OpenAPIHeader(schema=text, description=description) for name, description in _HEADERS.items()
            },
            security_schemes={
                "bearer": SecurityScheme("http", scheme="bearer", description=f"A key or a JWT. {only_then}"),
                "key": SecurityScheme(
                    "apiKey", name="X-API-Key", security_scheme_in="header", description=f"A key. {only_then}"
                ),
            },
        ),
    )


def _name(handler: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]) -> str:  # noqa: ARG001
    """Name an operation by its method and path, like ``get_v1_reports_report_id``."""
    parts = [part if isinstance(part, str) else part.name for part in path]
    return "_".join([method.lower(), *parts]).replace("-", "_")


def tells(*headers: str, **links: Link) -> dict[str, Any]:
    """Say of a route which headers a success has, and what can be asked with it."""
    return {"headers": headers, "links": links}


def link(operation_id: str, text: str, **parameters: str) -> Link:
    """Say what can be asked with an answer: its parameters are found in it by OpenAPI's expressions."""
    return Link(operation_id=operation_id, description=text, parameters=parameters or None)


def describe(app: Litestar) -> None:
    """Tell of each route what its place among the others makes true: who may take it, and what refuses it before."""
    paths = {
        handler: route.path_format
        for route in sorted(app.routes, key=lambda route: _is_v1(route.path_format))  # by that one where it has two
        if isinstance(route, HTTPRoute)
        for handler, _ in route.route_handler_map.values()
        if handler.resolve_include_in_schema()
    }
    for handler, path in paths.items():
        handler.responses = problems.joined(handler.responses or {}, _refused(handler, path))
        handler.operation_class = partial(_described, handler, path, handler.operation_class)  # type: ignore[assignment]


def _refused(handler: HTTPRouteHandler, path: str) -> Mapping[int, ResponseSpec]:
    """Describe the problems of whatever comes before a route."""
    if _role(handler) is None:
        return {}
    has_body = not {"data", "body"}.isdisjoint(handler.parsed_fn_signature.parameters)
    texts = _REFUSED | (_OF_BODIES if has_body else {})
    if _is_v1(path):
        return v1.problems(**texts)
    return problems.joined(*(problems.problems(**{f"_{v1.status_of(name)}": text}) for name, text in texts.items()))


def _is_v1(path: str) -> bool:
    return path.startswith("/v1/")


def _role(handler: HTTPRouteHandler) -> str | None:
    role: str | None = handler.opt.get("role", "reader")
    return role


def _described(handler: HTTPRouteHandler, path: str, kind: type[Operation], **given: Any) -> Operation:
    operation, role = kind(**given), _role(handler)
    operation.security = [] if role is None else [{name: [role]} for name in ("bearer", "key")]
    for status, response in (operation.responses or {}).items():
        if not isinstance(response, OpenAPIResponse):
            continue
        names = [
            *(handler.opt.get("headers", ()) if status < "4" else ()),
            *(_BY_STATUS.get(status, ()) if role else ()),
        ]
        names += ["X-Request-ID"] if _is_v1(path) else []
        response.headers = {name: Reference(f"#/components/headers/{name}") for name in names} or None
        if status < "3":
            response.links = handler.opt.get("links") or None
        for media_type in (response.content or {}).values():
            told: list[Any] = [each.value for each in (media_type.examples or {}).values() if isinstance(each, Example)]
            if _is_v1(path) and status >= "4":
                media_type.examples = {
                    one["type"].partition("#")[2]: Example(value=one | {"instance": path}) for one in told
                }
    return operation
