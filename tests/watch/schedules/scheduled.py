"""Schedules for tests, and the hands of the clock."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from storemon.records.database import now
from storemon.records.tables import JOBS, NOTICES, SCHEDULES
from storemon.units.instants import EPOCH, microseconds
from storemon.watch.channels.reading import Channels
from storemon.watch.schedules.schedule import AskedQuestion, Schedule

MICROSECOND = timedelta(microseconds=1)
NO_CHANNELS = Channels({})


def schedule(kind: str = "report", **given: Any) -> Schedule:
    options = given.pop("options", {})
    usual: dict[str, Any] = {"cron": "0 * * * *", "zone": "UTC", "to": ["mail:ops@example.org"]}
    return Schedule(**usual | given, question=AskedQuestion(kind, options))


def by_the_database(records: Engine) -> datetime:
    with records.connect() as connection:
        return EPOCH + (connection.scalar(select(now())) or 0) * MICROSECOND


def set_next(records: Engine, name: str, at: datetime) -> None:
    """Have the next tick of a schedule be at another instant, as if it had been waited for so long."""
    with records.connect() as connection:
        connection.execute(update(SCHEDULES).where(SCHEDULES.c.name == name).values(next_at=microseconds(at)))


def jobs_of(records: Engine, name: str) -> list[dict[str, Any]]:
    with records.connect() as connection:
        rows = connection.execute(select(JOBS).where(JOBS.c.kind == "schedule").order_by(JOBS.c.queued_at)).mappings()
        return [{**row} for row in rows if row["parameters"]["schedule"] == name]


def ticks_of(records: Engine, name: str) -> list[datetime]:
    return [EPOCH + job["parameters"]["tick_at"] * MICROSECOND for job in jobs_of(records, name)]


def notices_of(records: Engine) -> list[dict[str, Any]]:
    with records.connect() as connection:
        return [{**row} for row in connection.execute(select(NOTICES).order_by(NOTICES.c.created_at)).mappings()]
