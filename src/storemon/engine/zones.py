from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def clock_changes(zone: str, starts_at: datetime, ends_at: datetime) -> list[datetime]:
    """List the instants after ``starts_at`` and before ``ends_at`` at which a zone's offset changes."""
    info = ZoneInfo(zone)
    found = []
    at, offset = starts_at, starts_at.astimezone(info).utcoffset()
    while at < ends_at:
        later = min(at + timedelta(days=3), ends_at)
        if (changed := later.astimezone(info).utcoffset()) != offset:
            before, after = at, later
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                before, after = (middle, after) if middle.astimezone(info).utcoffset() == offset else (before, middle)
            found.append(after.replace(microsecond=0))
        at, offset = later, changed
    return [change for change in found if change < ends_at]
