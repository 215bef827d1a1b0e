"""Schedules in the records, and their ticks: each starts one job, however many processes watch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from storemon.records.database import alone, now
from storemon.records.jobs import Job, Jobs, cancel_scheduled, newest_scheduled, put
from storemon.records.tables import JOBS, SCHEDULES
from storemon.units.instants import EPOCH, microseconds
from storemon.watch.channels.reading import Channels
from storemon.watch.schedules.schedule import Schedule, read_schedule, require_name

_MICROSECOND = timedelta(microseconds=1)
_schedule = SCHEDULES.c
_LOCK = "schedules"


class Kept(NamedTuple):
    """A schedule that is kept."""

    name: str
    schedule: Schedule
    author: str | None
    written_at: datetime
    paused: bool
    next_at: datetime | None


class Schedules:
    """The schedules in ``records``. Every method is safe from any thread and any process."""

    def __init__(self, records: Engine) -> None:
        self.records = records

    def put(self, name: str, schedule: Schedule, channels: Channels, author: str | None = None) -> bool:
        """Keep a schedule, in place of one with its name. Tell whether it is a new one.

        One whose cron and zone stay the same keeps its next tick, a paused one stays paused.

        Raises:
            InputError: it can't be understood, or can't be called so.

        """
        require_name(name)
        schedule = schedule.checked(channels)
        with alone(self.records, _LOCK) as connection:
            at = _now(connection)
            row = {"written": msgspec.to_builtins(schedule), "author": author, "written_at": microseconds(at)}
            following = microseconds(schedule.ticks().after(at))
            known = connection.execute(select(SCHEDULES).where(_schedule.name == name)).one_or_none()
            if known is None:
                connection.execute(insert(SCHEDULES).values(name=name, paused=False, next_at=following, **row))
                return True
            before = (known.written.get("cron"), known.written.get("zone"))
            if before != (schedule.cron, schedule.zone):
                row["next_at"] = following
            connection.execute(update(SCHEDULES).where(_schedule.name == name).values(**row))
            return False

    def list(self) -> Sequence[Kept]:
        """Read all, by their names."""
        with self.records.connect() as connection:
            return [_read(row) for row in connection.execute(select(SCHEDULES).order_by(_schedule.name))]

    def get(self, name: str) -> Kept | None:
        """Read one, None if there is none."""
        with self.records.connect() as connection:
            row = connection.execute(select(SCHEDULES).where(_schedule.name == name)).one_or_none()
        return None if row is None else _read(row)

    def newest(self) -> dict[str, Job]:
        """Read the newest job of each, by its name."""
        with self.records.connect() as connection:
            return newest_scheduled(connection)

    def pause(self, name: str) -> bool:
        """Let no tick start anything until `resume`; what has started goes on. Tell whether there is such a one."""
        with self.records.connect() as connection:
            return bool(
                connection.execute(update(SCHEDULES).where(_schedule.name == name).values(paused=True)).rowcount
            )

    def resume(self, name: str) -> bool:
        """Go on with the next tick from now; those of the pause are not made up for. Tell whether there is such a one.

        Raises:
            InputError: what was kept can't be read.

        """
        with alone(self.records, _LOCK) as connection:
            row = connection.execute(select(SCHEDULES).where(_schedule.name == name)).one_or_none()
            if row is not None and row.paused:
                following = microseconds(read_schedule(row.written).ticks().after(_now(connection)))
                of_name = update(SCHEDULES).where(_schedule.name == name)
                connection.execute(of_name.values(paused=False, next_at=following))
        return row is not None

    def remove(self, name: str) -> bool:
        """Forget one, and end what it has started and has not ended. Tell whether there was one."""
        with alone(self.records, _LOCK) as connection:
            removed = bool(connection.execute(delete(SCHEDULES).where(_schedule.name == name)).rowcount)
            if removed:
                cancel_scheduled(connection, name)
        return removed

    def run(self, kept: Kept, jobs: Jobs) -> str:
        """Start one now, whatever its ticks; it waits for no polls. The id of the job.

        Raises:
            QueueFullError: as many wait as may.

        """
        with self.records.connect() as connection:
            at = _now(connection)
        return jobs.add("schedule", _parameters(kept.name, at, msgspec.to_builtins(kept.schedule), waits=False))

    def due(self) -> Sequence[str]:
        """Name those whose tick has come."""
        has_come = ~_schedule.paused & (_schedule.next_at <= now())
        with self.records.connect() as connection:
            return list(
                connection.execute(select(_schedule.name).where(has_come).order_by(_schedule.next_at)).scalars()
            )

    def start(self, name: str) -> str | None:
        """Start the job of the tick that has come: of several that were missed, of the newest.

        Tell its id, None if another process was faster, or none has come.

        Raises:
            InputError: what was kept can't be read.

        """
        with alone(self.records, _LOCK) as connection:
            has_come = (_schedule.name == name) & ~_schedule.paused & (_schedule.next_at <= now())
            row = connection.execute(select(SCHEDULES).where(has_come)).one_or_none()
            if row is None:
                return None
            ticks, at = read_schedule(row.written).ticks(), _now(connection)
            tick, following = ticks.last(at, since=_instant(row.next_at)), microseconds(ticks.after(at))
            own = (_schedule.name == name) & (_schedule.next_at == row.next_at)
            if not connection.execute(update(SCHEDULES).where(own).values(next_at=following)).rowcount:
                return None
            key = f"schedule:{name}:{microseconds(tick)}"
            if connection.scalar(select(JOBS.c.id).where(JOBS.c.dedupe_key == key)) is not None:
                return None  # the clock went back, or a schedule of this name was removed and came again
            return put(connection, "schedule", _parameters(name, tick, row.written, waits=True), dedupe_key=key)


def _parameters(name: str, tick: datetime, written: dict[str, Any], *, waits: bool) -> dict[str, Any]:
    """Say what a job is asked for: all of it, so that what becomes of the schedule meanwhile changes nothing."""
    return {"schedule": name, "tick_at": microseconds(tick), "written": written, "waits": waits}


def _now(connection: Connection) -> datetime:
    return _instant(connection.scalar(select(now())) or 0)


def _instant(told: int) -> datetime:
    return EPOCH + told * _MICROSECOND


def _read(row: Row[Any]) -> Kept:
    next_at = None if row.next_at is None else _instant(row.next_at)
    return Kept(row.name, read_schedule(row.written), row.author, _instant(row.written_at), row.paused, next_at)
