"""Instants: as people write them, and as whole microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

from storemon.errors import InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
EVER = LAST - FIRST
"""The longest time between two instants that can be written."""


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
        return FIRST if by < timedelta() else LAST


def microseconds(instant: datetime) -> int:
    """Count the whole microseconds from 1970 in UTC to an aware instant."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def instant_of(us: int) -> datetime:
    """Give the instant of whole microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)
