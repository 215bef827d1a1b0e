"""The routes of rules: those in force, of the file or sent; send one, forget one; replay all of them."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import JSONBody, PathParameter

from storemon.errors import InputError
from storemon.rules.conditions import Kind
from storemon.rules.file import LONGEST_NAME
from storemon.rules.rule import Rule
from storemon.rules.writing import written
from storemon.service.door.callers import OF_ALL_STORES, caller_of, needs
from storemon.service.problems import joined, problem
from storemon.service.schema import link, tells
from storemon.service.v1.alerts import Asking, author_of
from storemon.service.v1.problems import problems
from storemon.watch.book import Book

RuleName = Annotated[
    str,
    PathParameter(
        description="What a rule is called.", min_length=1, max_length=LONGEST_NAME, examples=[Example(value="down")]
    ),
]
LARGEST = 65_536
"""Bytes of a rule that is sent."""
_BY_NAME = {"name": "$response.body#/name"}
_LINKS = {
    "look": link("get_v1_rules_name", "It", **_BY_NAME),
    "change": link("put_v1_rules_name", "Send it anew", **_BY_NAME),
    "forget": link("delete_v1_rules_name", "Forget it", **_BY_NAME),
}
_READING, _WRITING = OF_ALL_STORES, needs("admin") | OF_ALL_STORES


class OneRule(msgspec.Struct):
    """A rule in force."""

    name: str
    kind: Kind
    condition: str
    """What it waits for, as text."""
    of_file: bool
    """Whether the file of rules has it: it is changed there only."""
    parts: dict[str, Any]
    """All of it, as a file of rules has it, and as it can be sent."""


class AllRules(msgspec.Struct):
    """The rules in force, those of the file first."""

    rows: list[OneRule]


def _text(*examples: str, null: bool = False) -> Schema:
    kind: Any = [OpenAPIType.STRING, OpenAPIType.NULL] if null else OpenAPIType.STRING
    return Schema(type=kind, examples=list(examples) or None)


_TEXTS = Schema(one_of=[_text(), Schema(type=OpenAPIType.ARRAY, items=_text())])
_NAMES = Schema(type=OpenAPIType.ARRAY, items=_text())
_STEP = Schema(
    type=OpenAPIType.OBJECT,
    required=["after", "channels"],
    properties={"after": _text("30m"), "channels": _NAMES},
    additional_properties=False,
)
_PARTS = {
    "name": _text(),
    "when": _text("down for 15m", "5 stores and 30% down by region"),
    **dict.fromkeys(("where", "by", "channels"), _TEXTS),
    "severity": Schema(type=OpenAPIType.STRING, enum=["info", "warning", "critical"]),
    **{name: _text(null=True) for name in ("coverage", "recover", "recovery", "grouping", "flapping")},
    "repeat": _text("4h", "never"),
    "repeats": Schema(type=[OpenAPIType.INTEGER, OpenAPIType.NULL], minimum=1, maximum=1000),
    "escalate": Schema(type=OpenAPIType.ARRAY, items=_STEP),
    **{name: _text() for name in ("title", "text")},
}
_EXAMPLE = {"when": "down for 15m", "severity": "critical", "recovery": "5m"}


@dataclass
class RuleOperation(Operation):
    """A route whose body is a rule."""

    def __post_init__(self) -> None:
        """Name the parts that it can have."""
        rule = Schema(type=OpenAPIType.OBJECT, required=["when"], properties=_PARTS, additional_properties=False)  # type: ignore[arg-type]
        body = OpenAPIMediaType(schema=rule, examples={"down": Example(value=_EXAMPLE)})
        self.request_body = RequestBody(content={"application/json": body}, required=True)


@get("/rules", sync_to_thread=True, summary="Rules in force", opt=_READING)
def list_rules(book: NamedDependency[Book]) -> AllRules:
    """List the rules in force: those of the file of rules, and those that were sent."""
    in_force = book.in_force()
    return AllRules([_told(rule, in_force.of_file) for rule in in_force.rules])


_ONE = problems(wrong_question="It can't be called so", not_found="There is no such rule")


@get("/rules/{name:str}", sync_to_thread=True, summary="A rule", responses=_ONE, opt=_READING | tells(**_LINKS))
def get_rule(name: RuleName, book: NamedDependency[Book]) -> OneRule:
    """Tell of a rule in force."""
    return _found(book, name)


@put(
    "/rules/{name:str}",
    status_code=200,
    sync_to_thread=True,
    summary="Send a rule",
    response_description="It is in force, in place of another one of its name",
    responses={
        201: ResponseSpec(OneRule, generate_examples=False, description="It is in force; there was none of its name"),
        **problems(
            wrong_question="It can't be understood, or names a channel that is not there",
            conflict="The file of rules has it; change it there",
            too_large="The rule is too large",
        ),
    },
    opt=_WRITING | tells(**_LINKS),
    operation_class=RuleOperation,
)
def put_rule(
    request: Asking, name: RuleName, data: JSONBody[dict[str, Any]], book: NamedDependency[Book]
) -> Response[OneRule]:
    """Send a rule: its parts, as in a file of rules. It is watched from the next look on."""
    if len(msgspec.json.encode(data)) > LARGEST:
        raise problem(413, f"the rule is larger than {LARGEST:,} bytes; write less")
    _require_sent(book, name)
    if b"\\u0000" in msgspec.json.encode(data):
        raise InputError("the rule has the character NUL in it; leave it out")
    is_new = book.put(name, data, author_of(caller_of(request.scope)))
    return Response(_found(book, name), status_code=201 if is_new else 200)


@delete(
    "/rules/{name:str}",
    sync_to_thread=True,
    summary="Forget a rule",
    responses=joined(_ONE, problems(conflict="The file of rules has it; remove it there")),
    opt=_WRITING,
)
def remove_rule(name: RuleName, book: NamedDependency[Book]) -> None:
    """Forget a rule that was sent; its open alerts are closed by the next look."""
    _require_sent(book, name)
    if not book.remove(name):
        raise _no_such(name)


def _require_sent(book: Book, name: str) -> None:
    if "\0" in name:
        raise InputError("a name has no NUL in it")
    if name in book.in_force().of_file:
        raise problem(409, f"the rule {name!r} is one of the file of rules; change it there")


def _found(book: Book, name: str) -> OneRule:
    in_force = book.in_force()
    for rule in in_force.rules:
        if rule.name == name:
            return _told(rule, in_force.of_file)
    raise _no_such(name)


def _no_such(name: str) -> Exception:
    return problem(404, f"there is no rule {name!r}; GET /v1/rules lists them")


def _told(rule: Rule, of_file: frozenset[str]) -> OneRule:
    return OneRule(rule.name, rule.kind, str(rule.condition), rule.name in of_file, written(rule))


RULES = [list_rules, get_rule, put_rule, remove_rule]
