"""What OpenAPI is told of answers that have many forms: one response has as many media types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

from storemon.questions.options import MOST_TEXTS, Option, ReportQuestion, options_of
from storemon.service.v1.answering import OF_ROWS
from storemon.service.v1.query import of_one
from storemon.views.forms import MEDIA_TYPES

_ROWS = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT), description="All rows")
_PAGE = Schema(
    type=OpenAPIType.OBJECT,
    required=["rows", "next"],
    properties={
        "rows": _ROWS,
        "next": Schema(
            type=[OpenAPIType.STRING, OpenAPIType.NULL], description="The cursor of the next page, null on the last"
        ),
    },
)


UNCHANGED = {304: ResponseSpec(None, description="It is what If-None-Match names")}
"""What is said of a route with an ETag."""


@dataclass
class AnswerOperation(Operation):
    """A route that answers with rows: JSON has them in an array, or under ``rows`` where there are pages."""

    def __post_init__(self) -> None:
        """Name all media types of a success."""
        _name_media_types(self, {"application/json": Schema(one_of=[_ROWS, _PAGE])})


@dataclass
class ReportOperation(Operation):
    """A route that answers with rows, or with a document of them."""

    def __post_init__(self) -> None:
        """Name all media types of a success."""
        _name_media_types(self, {"application/json": Schema(one_of=[_ROWS, _PAGE])}, MEDIA_TYPES)


@dataclass
class DownloadOperation(Operation):
    """A route that sends a file of rows, a document of them, or a part of one."""

    def __post_init__(self) -> None:
        """Name all media types of a success."""
        _name_media_types(self, {"application/json": _ROWS}, MEDIA_TYPES)


@dataclass
class AskOperation(Operation):
    """A route whose body is a question about a report."""

    def __post_init__(self) -> None:
        """Name the members that it can have."""
        options = {option.name: option for option in options_of(ReportQuestion)}
        members: dict[str, Any] = {name: _of_member(option) for name, option in options.items()}
        question = Schema(type=OpenAPIType.OBJECT, properties=members, additional_properties=False)
        example = {name: options[name].value.example for name in ("window", "measures", "group_by")}
        body = OpenAPIMediaType(
            schema=Schema(one_of=[question, Schema(type=OpenAPIType.NULL)]), examples={"groups": Example(value=example)}
        )
        self.request_body = RequestBody(content={"application/json": body}, required=False)


def _of_member(option: Option) -> dict[str, Any]:
    told, one = {"description": option.help, "examples": [option.value.example]}, of_one(option)
    if option.kind is not tuple:
        return one | told
    return {"oneOf": [one, {"type": "array", "items": one, "maxItems": MOST_TEXTS}]} | told


def taking_rows(example: Mapping[str, str]) -> Callable[..., Operation]:
    """Describe a route whose body is a table, with such rows, in each form that it can have."""
    cell = Schema(type=[OpenAPIType.STRING, OpenAPIType.NUMBER, OpenAPIType.BOOLEAN, OpenAPIType.NULL])
    rows = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT, additional_properties=cell))
    text = Schema(type=OpenAPIType.STRING)
    in_forms: dict[str, tuple[Schema, object]] = {
        "application/json": (rows, [dict(example)]),
        "text/csv": (text, f"{','.join(example)}\n{','.join(example.values())}\n"),
        "application/x-ndjson": (text, f"{msgspec.json.encode(example).decode()}\n"),
    }

    def described(**given: Any) -> Operation:
        content = {
            media_type: OpenAPIMediaType(schema=schema, examples={"one row": Example(value=value)})
            for media_type, (schema, value) in in_forms.items()
        }
        return replace(Operation(**given), request_body=RequestBody(content=content, required=True))

    return described


@dataclass
class ExplanationOperation(Operation):
    """A route that explains: in JSON, or in a picture."""

    def __post_init__(self) -> None:
        """Name both media types."""
        _name(self, {"application/json": Schema(type=OpenAPIType.OBJECT), "image/svg+xml": _text()})


def _name_media_types(operation: Operation, json: dict[str, Schema], among: Mapping[Any, str] = OF_ROWS) -> None:
    _name(operation, {media_type: _text() for media_type in among.values()} | json)


def _name(operation: Operation, schemas: dict[str, Schema]) -> None:
    for status, response in (operation.responses or {}).items():
        if status in {"200", "206"} and isinstance(response, OpenAPIResponse):
            response.content = {name: OpenAPIMediaType(schema=schema) for name, schema in schemas.items()}


def _text() -> Schema:
    return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
