"""What requests are told apart by: few words, however many paths and methods are asked for."""

from litestar.types import Scope

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def method_of(scope: Scope) -> str:
    """Tell the method of a request, ``other`` where it is none that is known."""
    method = str(scope.get("method"))
    return method if method in _METHODS else "other"


def route_of(scope: Scope) -> str:
    """Tell the template of the route that a request has taken, ``none`` where it took none."""
    return str(scope.get("path_template", "none")) or "/"
