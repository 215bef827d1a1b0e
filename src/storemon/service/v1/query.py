"""What a request asks: its query as a question, and as how the rows are to be shown.

Every parameter is declared in `storemon.questions.options`, or in `Shown`. Here they are read, and told to OpenAPI.
"""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar

from cyclopts import Parameter
from litestar import Request
from litestar.di import Provide
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from storemon.errors import InputError
from storemon.questions.options import LONGEST, MOST_TEXTS, Option, Value, options_of, question_of
from storemon.views.forms import FORMS, WITH_DOCUMENT

T = TypeVar("T")

MOST_ROWS = 10_000
"""The most rows of a page."""

Cursor = Annotated[str | None, Parameter(help="Where a page begins, as the page before told it."), Value(None)]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How rows are shown."""

    format: Annotated[
        str | None,
        Parameter(help=f"The form of the answer: {', '.join(FORMS)} (default: by Accept, else json)."),
        Value("csv", choices=lambda: FORMS),
    ] = None
    limit: Annotated[
        str | None,
        Parameter(help=f"So many rows, up to {MOST_ROWS:,}: a page, which tells where the next begins."),
        Value(20, least=1, most=MOST_ROWS),
    ] = None
    sort: Annotated[
        str | None,
        Parameter(help="A column to sort by, like availability_last_week, or -downtime for the most first."),
        Value("-downtime_last_week"),
    ] = None
    cursor: Cursor = None

    @property
    def in_pages(self) -> bool:
        """Whether not all rows are wanted at once, in their own order."""
        return self.limit is not None or self.cursor is not None or self.sort is not None

    def rows(self) -> int | None:
        """Read how many rows are wanted; None for all.

        Raises:
            InputError: it is no such number.

        """
        return None if self.limit is None else number("limit", self.limit, MOST_ROWS)


def number(name: str, text: str, most: int) -> int:
    """Read a number from 1 on.

    Raises:
        InputError: it is none, or too large; the text calls it by its name.

    """
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise InputError(f"{name} is {text!r}; it can be a number from 1 to {most}")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """A query that can have no parameters of its own."""


@dataclass(frozen=True, kw_only=True)
class ShownReport(Shown):
    """How the rows of a report are shown, or that they are to be a document."""

    format: Annotated[
        str | None,
        Parameter(help=f"The form of the answer: {', '.join(WITH_DOCUMENT)} (default: by Accept, else json)."),
        Value("csv", choices=lambda: WITH_DOCUMENT),
    ] = None


class Wanted(NamedTuple):
    """What a request asks, by the parameters it gave: a question, and how its answer is shown."""

    question: Any
    shown: Shown


def wanted(
    kind: type[Any], *, shown: type[Any] = Shown, sort: str | None = None, fixed: Collection[str] = ()
) -> dict[str, Provide]:
    """Read the query of a route that answers such a kind of question.

    A parameter that is not known is refused: passed over, a misspelt one would change what is answered.

    Args:
        kind: the kind of question.
        shown: what says how the answer is shown.
        sort: an example of what its rows can be sorted by, if others than those of a report.
        fixed: options that the route fixes, which can't be given.

    """
    of_shown = {option.name for option in options_of(shown)}

    def read(request: Request[Any, Any, Any], **_: Any) -> Wanted:
        given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            given.setdefault(name, []).append(value)
        question = question_of(kind, _without(given, of_shown), also=of_shown)
        return Wanted(question, question_of(shown, _only(given, of_shown)))

    options = [option for option in (*options_of(kind), *options_of(shown)) if option.name not in fixed]
    if sort is not None:
        options = [each._replace(value=Value(sort)) if each.name == "sort" else each for each in options]
    _describe(read, options)
    return {"wanted": Provide(read, sync_to_thread=False)}


def _describe(read: Callable[..., Any], options: Collection[Option]) -> None:
    """Tell OpenAPI of the options, by a signature that names each. All are texts: `question_of` reads them."""
    hints: dict[str, Any] = {
        f"asked_{option.name}": Annotated[  # some names have a meaning to Litestar
            list[str] | None if option.kind is tuple else str | None,
            QueryParameter(
                name=option.name,
                description=option.help,
                # in place of what Litestar finds in the hint
                schema_extra={"oneOf": None, **of_texts(option)},
                examples=examples_of(option),
            ),
        ]
        for option in options
    }
    only_by_name = inspect.Parameter.KEYWORD_ONLY
    request = inspect.Parameter("request", only_by_name, annotation=Request[Any, Any, Any])
    described = [inspect.Parameter(name, only_by_name, default=None, annotation=hint) for name, hint in hints.items()]
    read.__annotations__ = {"request": Request[Any, Any, Any], **hints, "return": Wanted}
    read.__signature__ = inspect.Signature([request, *described], return_annotation=Wanted)  # type: ignore[attr-defined]


def of_texts(option: Option) -> dict[str, Any]:
    """Tell as a JSON schema what an option can be, one text or several."""
    one = of_one(option)
    return {"type": "array", "items": one, "maxItems": MOST_TEXTS} if option.kind is tuple else one


def of_one(option: Option) -> dict[str, Any]:
    """Tell as a JSON schema what a text of an option can be, where that is a matter of form."""
    value = option.value
    if option.kind is bool:
        return {"type": "boolean"}
    if value.least is not None:
        is_whole = isinstance(value.least, int)
        return {"type": "integer" if is_whole else "number", "minimum": value.least, "maximum": value.most}
    choices = [*option.choices] or [*value.choices()]
    if choices:
        return {"type": "string", "enum": choices}
    return {"type": "string", "maxLength": LONGEST} | ({"pattern": value.pattern} if value.pattern else {})


def examples_of(option: Option) -> list[Example] | None:
    """Give an example of what an option can be, if there is one that is always good."""
    example = option.value.example
    if example is None:
        return None
    return [Example(value=[example] if option.kind is tuple else example)]


def _only(given: Mapping[str, T], names: set[str]) -> dict[str, T]:
    return {name: value for name, value in given.items() if name in names}


def _without(given: Mapping[str, T], names: set[str]) -> dict[str, T]:
    return {name: value for name, value in given.items() if name not in names}
