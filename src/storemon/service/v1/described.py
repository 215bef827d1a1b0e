"""What OpenAPI is told of answers that have many forms: one response has as many media types."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

from storemon.questions.options import Option, ReportQuestion, options_of
from storemon.service.v1.answering import MEDIA_TYPES

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


@dataclass
class AnswerOperation(Operation):
    """A route that answers with rows: JSON has them in an array, or under ``rows`` where there are pages."""

    def __post_init__(self) -> None:
        """Name all media types of a success."""
        _name_media_types(self, {"application/json": Schema(one_of=[_ROWS, _PAGE])})


@dataclass
class DownloadOperation(Operation):
    """A route that sends a file of rows, or a part of one."""

    def __post_init__(self) -> None:
        """Name all media types of a success."""
        _name_media_types(self, {"application/json": _ROWS})


@dataclass
class AskOperation(Operation):
    """A route whose body is a question about a report."""

    def __post_init__(self) -> None:
        """Name the members that it can have."""
        question = Schema(
            type=OpenAPIType.OBJECT,
            properties={option.name: _of_option(option) for option in options_of(ReportQuestion)},
            additional_properties=False,
        )
        body = OpenAPIMediaType(schema=Schema(one_of=[question, Schema(type=OpenAPIType.NULL)]))
        self.request_body = RequestBody(content={"application/json": body}, required=False)


@dataclass
class ReplaceOperation(Operation):
    """A route whose body is a table."""

    def __post_init__(self) -> None:
        """Name the forms that it can have."""
        cell = Schema(type=[OpenAPIType.STRING, OpenAPIType.NUMBER, OpenAPIType.BOOLEAN, OpenAPIType.NULL])
        row = Schema(type=OpenAPIType.OBJECT, additional_properties=cell)
        schemas = {
            "application/json": Schema(type=OpenAPIType.ARRAY, items=row),
            "text/csv": Schema(type=OpenAPIType.STRING),
            "application/x-ndjson": Schema(type=OpenAPIType.STRING),
        }
        content = {name: OpenAPIMediaType(schema=schema) for name, schema in schemas.items()}
        self.request_body = RequestBody(content=content, required=True)


def _of_option(option: Option) -> Schema:
    if option.kind is bool:
        return Schema(type=OpenAPIType.BOOLEAN, description=option.help)
    text = Schema(type=OpenAPIType.STRING, enum=[*option.choices] or None)
    if option.kind is str:
        return Schema(type=OpenAPIType.STRING, enum=[*option.choices] or None, description=option.help)
    return Schema(one_of=[text, Schema(type=OpenAPIType.ARRAY, items=text)], description=option.help)


@dataclass
class ExplanationOperation(Operation):
    """A route that explains: in JSON, or in a picture."""

    def __post_init__(self) -> None:
        """Name both media types."""
        _name(self, {"application/json": Schema(type=OpenAPIType.OBJECT), "image/svg+xml": _text()})


def _name_media_types(operation: Operation, json: dict[str, Schema]) -> None:
    _name(operation, {media_type: _text() for media_type in MEDIA_TYPES.values()} | json)


def _name(operation: Operation, schemas: dict[str, Schema]) -> None:
    for status, response in (operation.responses or {}).items():
        if status in {"200", "206"} and isinstance(response, OpenAPIResponse):
            response.content = {name: OpenAPIMediaType(schema=schema) for name, schema in schemas.items()}


def _text() -> Schema:
    return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
