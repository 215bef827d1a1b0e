"""What is found out when somebody asks for the metrics: readiness, jobs, the lake, the processes."""

import platform
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from typing import get_args

import polars as pl
from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import StoremonError
from storemon.lake.kept import KeptLake
from storemon.lake.schemas import POLLS
from storemon.lake.snapshot import LakeSnapshot
from storemon.records.jobs import Kind, State
from storemon.service.health import PARTS, Running, look
from storemon.service.telemetry.counted import processes
from storemon.service.telemetry.watched import of_watch, told
from storemon.settings import Settings
from storemon.units.sizes import parse_size
from storemon.units.zones import EDITION

_BUILD = {"version": version("storemon"), "python": platform.python_version(), "zone_data": EDITION}


class Found(Collector):
    """What is true of the service at the moment at which it is collected; what can't be found out is left out."""

    def __init__(self, settings: Settings, running: Running) -> None:
        self._settings, self._running = settings, running

    def collect(self) -> Iterator[Metric]:
        """Yield what there is."""
        yield told("storemon_build_info", "What runs.", _BUILD, [(tuple(_BUILD.values()), 1)])
        yield from self._readiness()
        with suppress(SQLAlchemyError):
            yield from self._queue()
            yield from self._waiting()
            yield from of_watch(self._running.watching)
        with suppress(StoremonError):
            yield from _of_lake(KeptLake(self._settings.lake).snapshot())
        yield from _of_processes(processes())

    def _readiness(self) -> Iterator[Metric]:
        looked = look(self._settings, self._running)
        yield told(
            "storemon_ready",
            "Whether a report could be made now, as far as a part is concerned; /health/ready tells the reasons.",
            ["part"],
            [((part,), not looked.reasons[part]) for part in PARTS],
        )
        free, size = [], []
        for disk, folder in (("reports", self._settings.reports), ("lake", self._settings.lake)):
            with suppress(OSError):  # not there, or in object storage
                usage = shutil.disk_usage(folder)
                free.append(((disk,), usage.free))
                size.append(((disk,), usage.total))
        yield told("storemon_disk_free_bytes", "Free bytes of the disk that something lies on.", ["disk"], free)
        yield told("storemon_disk_size_bytes", "All bytes of the disk that something lies on.", ["disk"], size)

    def _waiting(self) -> Iterator[Metric]:
        waiting = self._running.inbox.waiting()
        oldest = waiting.oldest.total_seconds() if waiting.oldest else 0.0
        for name, text, value in (
            ("batches", "Batches of polls that wait to be brought into the lake.", waiting.batches),
            ("polls", "Polls that wait to be brought into the lake.", waiting.polls),
            ("bytes", "Bytes that they take.", waiting.bytes),
            ("limit_bytes", "Bytes that may wait.", parse_size(self._settings.inbox)),
            ("oldest_seconds", "How long the batch has waited that has waited longest, 0 where none waits.", oldest),
            ("aside_batches", "Batches that can't be read or moved, and are kept aside.", waiting.aside),
        ):
            yield told(f"storemon_inbox_{name}", text, [], [((), value)])

    def _queue(self) -> Iterator[Metric]:
        counted = {(kind, state): (count, ago) for kind, state, count, ago in self._running.jobs.counts()}
        nothing, kinds = (0, timedelta()), get_args(Kind)
        yield told(
            "storemon_jobs",
            "Jobs whose records are kept, by kind and state.",
            ["kind", "state"],
            [((kind, state), counted.get((kind, state), nothing)[0]) for kind in kinds for state in get_args(State)],
        )
        waiting = [(kind, counted.get((kind, "queued"), nothing)[1]) for kind in kinds]
        yield told(
            "storemon_jobs_oldest_queued_seconds",
            "How long the job has waited that has waited longest, 0 where none waits.",
            ["kind"],
            [((kind,), max(0.0, ago.total_seconds())) for kind, ago in waiting],
        )
        limit = self._settings.max_queued
        yield told("storemon_jobs_queued_limit", "How many jobs of a kind may wait.", [], [((), limit)])


def _of_lake(snapshot: LakeSnapshot) -> Iterator[Metric]:
    """Tell what the logs of the tables tell, and of the polls the newest instant: that is kept with a version."""
    files = {name: opened.files for name, opened in snapshot.opened.items()}
    polls = files[POLLS.name].drop_nulls("polled_on")  # without the roster, whose rows are copies
    rows = [((name,), int((polls if name == POLLS.name else each)["rows"].sum())) for name, each in files.items()]
    yield told("storemon_lake_rows", "Rows of the lake now; of polls, those that are distinct.", ["table"], rows)
    for name, text, figure in (
        ("storemon_lake_files", "Files of the lake now.", pl.len()),
        ("storemon_lake_size_bytes", "Bytes of these files.", pl.col("size").sum()),
    ):
        yield told(name, text, ["table"], [((name,), each.select(figure).item()) for name, each in files.items()])
    now, newest = time.time(), snapshot.newest_poll()
    committed = [opened.committed_at for opened in snapshot.opened.values() if opened.committed_at]
    for name, text, at in (
        ("storemon_data_lag_seconds", "How long ago the newest poll was.", newest),
        ("storemon_commit_age_seconds", "How long ago the lake was last changed.", max(committed, default=None)),
    ):
        yield told(name, text, [], [] if at is None else [((), now - at.timestamp())])


def _of_processes(ids: Iterable[int]) -> Iterator[Metric]:
    """Tell of each process what the library tells of one."""
    of_all: dict[str, Metric] = {}
    for process in ids:
        for metric in ProcessCollector(pid=lambda: process, registry=None).collect():  # noqa: B023 - it asks at once
            known = of_all.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                known.add_sample(sample.name, {"pid": str(process)}, sample.value)
    yield from of_all.values()
