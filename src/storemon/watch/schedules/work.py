"""The job of a tick: wait for the polls, ask, write the file, and tell whoever wants to know."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import InputError, LakeError, StoremonError
from storemon.lake.kept import KeptLake
from storemon.questions.kinds import KINDS
from storemon.questions.options import Means, ReportQuestion
from storemon.questions.paper import document
from storemon.records.database import alone, now
from storemon.records.files import report_file
from storemon.records.inbox import Inbox
from storemon.records.jobs import Job, PutBackError, pinned
from storemon.settings import Settings
from storemon.units.instants import EPOCH
from storemon.units.sizes import parse_size
from storemon.views.export import export, remove_parts, save
from storemon.views.forms import MEDIA_TYPES
from storemon.watch.messages import Attached
from storemon.watch.outbox import Outbox
from storemon.watch.schedules.reach import end_of, reach_of, zones_of
from storemon.watch.schedules.schedule import Schedule, read_schedule
from storemon.watch.schedules.summing import WorstRows, asked_of, figures_of, totals_of, unknown_words
from storemon.watch.schedules.telling import Summary, missing_words, window_words

_LOOK = timedelta(seconds=15)
"""How often is looked whether the polls have come."""
_MICROSECOND = timedelta(microseconds=1)


class Order(msgspec.Struct, frozen=True):
    """What a job of this kind is asked for; see `storemon.watch.schedules.kept`.

    Attributes:
        schedule: its name.
        tick_at: the tick, in microseconds since 1970.
        written: the schedule as it was then.
        waits: whether it waits for the polls.
        reached_at: when the lake was first seen to have them.
        told: what came of it, once the notices are in the outbox.

    """

    schedule: str
    tick_at: int
    written: dict[str, Any]
    waits: bool
    reached_at: int | None = None
    told: dict[str, Any] | None = None


class Work:
    """Does the jobs of schedules; the records tell who is to do which."""

    def __init__(self, settings: Settings, records: Engine) -> None:
        self._settings, self._records = settings, records
        self._outbox = Outbox(records)
        self._inbox = Inbox(records, most=parse_size(settings.inbox))

    def run(self, job: Job) -> dict[str, Any]:
        """Answer the question of a tick, write its file, and put a notice for each recipient into the outbox.

        If that can't be done, they are told why. The result counts the ``rows``, and names the file's ``form``.

        Raises:
            PutBackError: the polls have not come yet.
            StoremonError: the question can't be answered, or the file can't be written.

        """
        order = msgspec.convert(job.parameters, Order)
        if order.told is not None:  # by a process that died before it could end the job
            if "reason" in order.told:
                raise InputError(order.told["reason"])
            return order.told
        schedule = read_schedule(order.written)
        summary = Summary(order.schedule, schedule, EPOCH + order.tick_at * _MICROSECOND, job.id)
        try:
            summary, result = self._made(job, order, summary)
        except (SQLAlchemyError, PutBackError):
            raise
        except LakeError as error:
            self._put_back_if_early(job, order, schedule)
            self._tell(job, replace(summary, missing=[_why(error)]), {"reason": str(error)})
            raise
        except Exception as error:
            self._tell(job, replace(summary, missing=[_why(error)]), {"reason": str(error)})
            raise
        self._tell(job, summary, result)
        return result

    def _made(self, job: Job, order: Order, summary: Summary) -> tuple[Summary, dict[str, Any]]:
        schedule, at = summary.schedule, summary.tick_at
        snapshot, question = KeptLake(self._settings.lake).snapshot(), schedule.asked(at)
        kind = KINDS[schedule.question.kind]
        windows, zones = kind.windows(question), zones_of(snapshot)
        ends_at = end_of(windows, at, zones)
        self._wait(job, order, schedule, snapshot.newest_poll(), ends_at)
        means = Means(question.limit(self._means()), self._settings.memory, self._settings.on)
        answer = kind.answer(question, snapshot, means)
        form, worst = schedule.written_form(), WorstRows(answer)
        path = report_file(self._settings, job.id, form)
        remove_parts(path)
        if form == "pdf" and isinstance(question, ReportQuestion):
            pages = document(question, snapshot, means)
            save(path, lambda file: file.write(pages))
            rows = sum(len(frame) for frame in worst.seen(answer.frames))
        elif form != "pdf":
            rows = save(path, lambda file: export(worst.seen(answer.frames), form, answer.legend, file, answer.about))
        else:
            raise InputError(f"only a report is written as PDF, and this is {schedule.question.kind}")
        reach = reach_of(snapshot, ends_at, **asked_of(question, at, means))
        waited = f" They were waited for, for {schedule.grace}." if order.waits and schedule.grace_time() else ""
        totals = totals_of(snapshot, question, at, windows, means)
        name = f"{summary.name}-{at:%Y-%m-%d}.{form}"
        told = replace(
            summary,
            windows=[window_words(window, at, zones, schedule.zone) for window in windows],
            tables=[table for table in (totals, worst.table(rows)) if table],
            is_whole=reach.is_whole,
            missing=[*missing_words(reach, waited, schedule.zone), *unknown_words(totals)],
            rows=f"{rows:,} {answer.rows}",
            file=Attached(name, MEDIA_TYPES[form], str(path.resolve())),
            figures=figures_of(reach, rows, totals),
        )
        result = {"rows": rows, "form": form, "missing": len(told.missing), "versions": dict(snapshot.versions)}
        return told, result

    def _wait(self, job: Job, order: Order, schedule: Schedule, newest: datetime | None, ends_at: datetime) -> None:
        """Put the job back unless the polls up to an instant are in the lake, or the grace is over.

        They are once a newer one is, and all that was in the inbox then: polls come in no particular order.
        """
        if not order.waits:
            return
        if newest is None or newest < ends_at:
            self._put_back_if_early(job, order, schedule)
            return
        with self._records.connect() as connection:
            at = connection.scalar(select(now())) or 0
        oldest = self._inbox.waiting().oldest
        if oldest is None:
            return
        reached_at = at if order.reached_at is None else order.reached_at
        if at - oldest // _MICROSECOND <= reached_at:
            self._put_back_if_early(job, order, schedule, reached_at=reached_at)

    def _put_back_if_early(self, job: Job, order: Order, schedule: Schedule, *, reached_at: int | None = None) -> None:
        if not order.waits:
            return
        with self._records.connect() as connection:
            at = connection.scalar(select(now())) or 0
        left = schedule.grace_time() - (at - job.queued_at) * _MICROSECOND
        if left > timedelta():
            raise PutBackError(min(left, _LOOK), job.parameters | {"reached_at": reached_at})

    def _means(self) -> Means:
        return Means(self._settings.carry_limit, self._settings.memory, self._settings.on)

    def _tell(self, job: Job, summary: Summary, result: dict[str, Any]) -> None:
        """Put the notices into the outbox: unless the job is another process's by now, or was canceled."""
        with alone(self._records, "schedules") as connection:
            if pinned(connection, job, job.parameters | {"told": result}):
                for channel in summary.schedule.to:
                    notice = str(uuid5(UUID(job.id), channel))
                    message = summary.message(notice)
                    self._outbox.put(connection, channel=channel, kind="answer", alerts=[], message=message)


def _why(error: Exception) -> str:
    known = isinstance(error, StoremonError)
    why = str(error) if known else "this was not foreseen; the log of the service says more"
    return f"It could not be made: {why}" + ("" if why.endswith(("?", ".")) else ".")
