"""One rule, as it is meant."""

from typing import Literal

Severity = Literal["info", "warning", "critical"]
