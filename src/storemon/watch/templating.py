"""Templates that people write for notices: Jinja's language without what could take for ever, or all memory.

There is no call, no assignment, no macro and no other file in it: what is left ends, and is not much longer than it
looks. Filters are the harmless ones.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from storemon.engine.question import require_one_of
from storemon.errors import InputError

LONGEST = 5_000
"""Characters of a template."""
_LONGEST_MADE = 50_000
_DEEPEST = 2
_FILTERS = (
    "abs",
    "capitalize",
    "count",
    "default",
    "e",
    "escape",
    "first",
    "float",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lower",
    "round",
    "sort",
    "string",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
)
_WHAT_FOR: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls of functions",
    nodes.Pow: "powers",
    nodes.Mul: "products",
    nodes.Mod: "remainders",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Macro: "{% macro %}",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.With: "{% with %}",
    nodes.Block: "{% block %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% import %}",
    nodes.Extends: "{% extends %}",
}


def _environment() -> SandboxedEnvironment:
    made = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in _FILTERS} | {"join": _joined}
    return made


def _joined(values: Iterable[Any], between: str = "") -> str:
    made = ""
    for place, value in enumerate(values):
        made += (between if place else "") + str(value)
        if len(made) > _LONGEST_MADE:
            raise SecurityError("what join makes is too long")
    return made


_TEMPLATES = _environment()


def require_template(text: str, known: Iterable[str]) -> None:
    """Refuse a template that can't be read, does what it may not, or knows names that there are not.

    Raises:
        InputError: it is so.

    """
    if len(text) > LONGEST:
        raise InputError(f"this template has {len(text):,} characters; {LONGEST:,} are enough")
    with _telling("read"):
        tree = _TEMPLATES.parse(text)
    for node in tree.find_all(tuple(_WHAT_FOR)):
        raise InputError(f"a template may not have {_WHAT_FOR[type(node)]}, as in line {node.lineno}; leave it out")
    if _depth(tree) > _DEEPEST:
        raise InputError(f"a template may have loops in loops, but no more than {_DEEPEST} deep")
    with _telling("read"):
        _TEMPLATES.from_string(text)  # not before: it works out what is constant, be it a power of a power
    for name in sorted(find_undeclared_variables(tree)):
        require_one_of(name, sorted(known), "name in templates")


def rendered(text: str, names: Mapping[str, Any]) -> str:
    """Fill in a template that `require_template` let pass.

    Raises:
        InputError: it asks for what is not there, or makes too much.

    """
    with _telling("filled in"):
        return "".join(_bounded(_TEMPLATES.from_string(text).generate(**names)))


@contextmanager
def _telling(done: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        raise InputError(f"this template can't be {done}: line {error.lineno}: {error.message}") from error
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"this template can't be {done}: {error}") from error


def _bounded(pieces: Iterator[str]) -> Iterator[str]:
    made = 0
    for piece in pieces:
        made += len(piece)
        if made > _LONGEST_MADE:
            raise SecurityError(f"it makes more than {_LONGEST_MADE:,} characters")
        yield piece


def _depth(node: nodes.Node) -> int:
    deepest = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return deepest + isinstance(node, nodes.For)
