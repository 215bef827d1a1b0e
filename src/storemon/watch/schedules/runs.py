"""The runs of a schedule, as its history tells them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from storemon.records.jobs import Job, State
from storemon.units.instants import EPOCH
from storemon.watch.schedules.telling import moment

_MICROSECOND = timedelta(microseconds=1)


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run: its job, its tick, and how far it is."""

    id: UUID
    state: State
    tick_at: datetime
    """The answer's now."""
    by_hand: bool
    """Whether somebody asked for it, and not a tick."""
    queued_at: datetime
    ended_at: datetime | None = None
    waits_until: datetime | None = None
    """When it looks again whether the polls have come."""
    rows: int | None = None
    missing: bool = False
    """Whether the message says that polls are missing."""
    reason: str | None = None
    """Why it failed."""

    def words(self, zone: str) -> str:
        """Say it in a line, by the clocks of a zone."""
        of = f"{moment(self.tick_at, zone)}{' (by hand)' if self.by_hand else ''}"
        if self.reason:
            return f"{of}: {self.state}: {self.reason}"
        if self.state == "complete":
            return f"{of}: complete, {self.rows:,} rows{', polls missing' if self.missing else ''}"
        return f"{of}: waits for polls" if self.waits_until else f"{of}: {self.state}"


def run_of(job: Job) -> Run:
    """Read a run from the record of its job."""
    asked, result = job.parameters, job.result or {}
    return Run(
        UUID(job.id),
        job.state,
        _instant(asked["tick_at"]),
        not asked["waits"],
        _instant(job.queued_at),
        None if job.ended_at is None else _instant(job.ended_at),
        _instant(job.run_after) if job.state == "queued" and job.run_after else None,
        result.get("rows"),
        bool(result.get("missing")),
        job.reason,
    )


def _instant(told: int) -> datetime:
    return EPOCH + told * _MICROSECOND
