"""The page at /schema, made of our own file only: it works without any other host."""

from importlib.metadata import version
from importlib.resources import files
from typing import Any

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin


class SchemaPage(OpenAPIRenderPlugin):
    """Renders the OpenAPI document with ``pages/schema.html``, which has a place for it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Put the document into the page."""
        page = files("storemon.service").joinpath("pages/schema.html").read_bytes()
        document = self.render_json(request, openapi_schema).replace(b"<", rb"\u003c")  # no tag can end the script
        return page.replace(b'"OPENAPI"', document)


def openapi_config() -> OpenAPIConfig:
    """Describe the API: the page at /schema, the document at /schema/openapi.json."""
    return OpenAPIConfig(
        title="storemon",
        version=version("storemon"),
        description="While each place was supposed to be open, was it up? Exact uptime within opening hours, in bulk.",
        use_handler_docstrings=True,
        render_plugins=[SchemaPage(path="/")],
    )
