"""An explanation as plain values, for JSON: lengths of time in whole microseconds, instants in UTC, as in all JSON."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from storemon.answers.explanation.parts import Explanation

_MICROSECOND = timedelta(microseconds=1)


def plain(explanation: Explanation) -> Mapping[str, Any]:
    """Give the parts of an explanation by the names that they have in Python."""
    told: Mapping[str, Any] = _plain(explanation)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, date):
        return _moment(value)
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        named = getattr(value, "_fields", None)
        parts = [_plain(each) for each in value]
        return dict(zip(named, parts, strict=True)) if named else parts
    return value


def _moment(value: date) -> str:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat()
