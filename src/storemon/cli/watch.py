"""The command that watches: judges the rules, sends notices, answers what schedules ask."""

import sys
from threading import Event
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.channels import RulesFile
from storemon.cli.options import LakePlace
from storemon.cli.records import RecordsFolder
from storemon.settings import Settings

_LOOK_SECONDS = 1


def watch(
    *,
    lake: LakePlace = None,
    reports: RecordsFolder = None,
    rules: RulesFile = None,
    every: Annotated[str | None, Parameter(help="How often the rules are judged (default: 1m).")] = None,
    behind: Annotated[
        str | None, Parameter(help="How long ago they are judged for, so that polls are there (default: 10s).")
    ] = None,
) -> int:
    """Watch: judge the rules again and again, send notices, answer what schedules ask. Ctrl-C stops.

    A service with --watch does the same. Any number of both can run: the records let one do each piece of work.
    """
    from storemon.cli.listen import stop_at_signals
    from storemon.records.jobs import Jobs
    from storemon.records.opening import opened_records
    from storemon.service.logs import configure_logs
    from storemon.service.workers import Workers
    from storemon.watch.book import Book, read_whole
    from storemon.watch.schedules.work import Work
    from storemon.watch.watching import Watching

    settings = Settings.load(lake=lake, reports=reports, rules=rules, watch_every=every, watch_behind=behind)
    if rules is not None or settings.rules.exists():
        read_whole(settings.rules)  # a person should hear of mistakes here
    configure_logs()
    stopping = Event()
    stop_at_signals(stopping)
    records = opened_records(settings)
    book = Book(settings, records)
    if not book.in_force().rules:
        sys.stderr.write(f"storemon: there are no rules, neither in {settings.rules} nor sent; this goes on without\n")
    watching = Watching(settings, records, book)
    jobs = Jobs(records, lease=settings.lease, max_queued=settings.max_queued)
    workers = Workers(jobs, {"schedule": Work(settings, records).run}, lease=settings.lease, limit=settings.job_limit)
    workers.start()
    watching.start()
    try:
        while not stopping.wait(_LOOK_SECONDS):
            if ended := [*watching.ended(), *workers.ended()]:
                sys.stderr.write(
                    f"storemon: the thread for {', '.join(ended)} has ended; the log says why. Start again\n"
                )
                return 1
    finally:
        watching.stop()
        workers.stop()
        records.dispose()
    return 0
