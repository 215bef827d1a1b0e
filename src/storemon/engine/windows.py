"""Windows: the stretches of time that figures are asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from storemon.errors import InputError

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
EVER = _LAST - _FIRST
"""The longest time between two instants that can be written."""


@dataclass(frozen=True)
class Window:
    """A named stretch ``[starts_at, ends_at)`` on the UTC line; both ends are aware."""

    name: str
    starts_at: datetime
    ends_at: datetime


ROLLING = {
    "last_hour": timedelta(hours=1),
    "last_day": timedelta(hours=24),
    "last_week": timedelta(hours=168),
}
"""The lengths of a report's windows back from as-of, by their names."""


def rolling(as_of: datetime) -> tuple[Window, ...]:
    """Make the report's windows, ``[as_of - length, as_of)``."""
    return tuple(Window(name, shifted(as_of, -length), as_of) for name, length in ROLLING.items())


def parse_instant(text: str) -> datetime:
    """Read an instant in ISO 8601, or with `` UTC`` at its end; one without a zone is UTC, a date alone its start.

    Raises:
        InputError: it is neither.

    """
    written = text.strip().upper().removesuffix("UTC").strip()
    try:
        instant = datetime.fromisoformat(written)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is not an instant; write it like 2024-10-14T23:55:18Z") from None


def shifted(instant: datetime, by: timedelta) -> datetime:
    """Add, stopping at the first and the last instant that can be written."""
    try:
        return instant + by
    except OverflowError:
        return _FIRST if by < timedelta() else _LAST


def microseconds(instant: datetime) -> int:
    """Count the whole microseconds from 1970 in UTC to an aware instant."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def to_frame(windows: tuple[Window, ...]) -> pl.DataFrame:
    """Put windows into ``name, starts_at, ends_at``, in microseconds since 1970 in UTC."""
    rows = [(window.name, microseconds(window.starts_at), microseconds(window.ends_at)) for window in windows]
    return pl.DataFrame(rows, schema={"name": pl.String, "starts_at": pl.Int64, "ends_at": pl.Int64}, orient="row")
