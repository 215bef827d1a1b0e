"""Values that a file of rules takes from the environment: ``${NAME}``."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from storemon.errors import InputError

_VARIABLE = re.compile(r"\$\{(\w*)\}", re.ASCII)
_LOGIN = re.compile(r"(?<=://)[^/?#\s]*@")
_SHORTEST = 4
"""A shorter value is no secret, and hiding it would spoil what is told."""


class Variables:
    """Puts values in their places, and remembers them: they are secrets, as far as anybody knows."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._used: set[str] = set()

    @property
    def secrets(self) -> frozenset[str]:
        """What is not to be told."""
        return frozenset(value for value in self._used if len(value) >= _SHORTEST)

    def filled(self, value: Any) -> Any:
        """Fill in the text, or each of the texts; a value is encoded where it is a part of the login of an address.

        Raises:
            InputError: a variable is not set.

        """
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, str):
            return value
        with_login = _LOGIN.sub(
            lambda login: _VARIABLE.sub(lambda found: quote(self._of(found), safe=""), login[0]), value
        )
        return _VARIABLE.sub(self._of, with_login)

    def _of(self, found: re.Match[str]) -> str:
        value = self._environment.get(found[1])
        if not value:
            raise InputError(f"the environment has no variable {found[1]!r}; set it, or write its value here")
        self._used.add(value)
        return value
