"""Time zones that provoke trouble, and the instants at which their clocks change."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONES = (
    "America/Chicago",
    "UTC",
    "America/New_York",
    "US/Pacific",  # an old name
    "America/Phoenix",  # no clock changes
    "Europe/London",
    "Europe/Dublin",  # winter is the exception, summer the standard
    "Europe/Lisbon",
    "Asia/Kolkata",  # half hours
    "Asia/Kathmandu",  # quarters
    "Pacific/Chatham",  # quarters, and clock changes
    "America/St_Johns",
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Antarctica/Troll",  # clocks change by two hours
    "America/Sao_Paulo",  # midnight skipped
    "Asia/Beirut",  # midnight skipped
    "Africa/Cairo",  # midnight skipped, and 23:00 to 24:00 repeated
    "America/Havana",  # midnight skipped, and 00:00 to 01:00 repeated
    "America/Santiago",
    "Asia/Amman",
    "Asia/Tehran",
    "Africa/Casablanca",  # clocks go back for Ramadan
    "Pacific/Apia",  # a whole day skipped
    "Pacific/Fakaofo",  # a whole day skipped
    "Asia/Pyongyang",  # half an hour skipped at midnight, once
    "America/Caracas",
    "Europe/Volgograd",
    "Africa/Juba",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
    "Etc/GMT+12",
)
STRANGEST = (
    "America/Chicago",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Africa/Cairo",
)
PLAIN = datetime(2024, 10, 7, 12, tzinfo=UTC)
FIRST, LAST = date(2010, 1, 1), date(2024, 12, 31)


@cache
def clock_changes(zone: str) -> tuple[datetime, ...]:
    """Every instant from 2010 to 2024 whose UTC offset differs from that of the second before."""
    there, second = ZoneInfo(zone), timedelta(seconds=1)

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(there).utcoffset()

    changes = []
    midnight = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    for _ in range((LAST - FIRST).days):
        before, midnight = midnight, midnight + timedelta(days=1)
        if offset(before) == offset(midnight):
            continue
        after = midnight
        while after - before > second:
            middle = before + (after - before) // 2 // second * second
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        changes.append(after)
    return tuple(changes)


def walls_around(zone: str, at: datetime) -> list[datetime]:
    """What the clocks of a zone show just before an instant and at it: the ends of a gap or of a repeated stretch."""
    shown = [(moment.astimezone(ZoneInfo(zone))).replace(tzinfo=None) for moment in (at, at - timedelta(seconds=1))]
    return [shown[0], shown[1] + timedelta(seconds=1)]
