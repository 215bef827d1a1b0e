"""Ranges of stores: what is asked of many is answered range by range, each in the memory that it may take."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import ceil

import polars as pl

from storemon.calendar.windows import realise
from storemon.engine.facts import horizon
from storemon.engine.question import Question, Work
from storemon.lake.snapshot import Snapshot
from storemon.stopping import advance, check
from storemon.units.instants import shifted
from storemon.units.workplaces import LOCAL

_POLL, _DAY, _PART = 150, 500, 500
"""Bytes that a poll, a day of a schedule, and the part of a window take at the height of the work, as measured."""


def by_range(work: Work, snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Do the work for one range of stores after the other, in their order; for none at all if there are no stores.

    On a cluster the memory is that of each worker, and each gets as many ranges as the others, one at least.
    """
    if stores.is_empty():
        yield work(snapshot, question, stores)
        return
    done = 0
    if question.on == LOCAL:
        for some in stores.iter_slices(stores_at_once(snapshot, question, stores)):
            check()
            yield work(snapshot, question, some)
            done += len(some)
            advance(done, len(stores))
        return
    from storemon.engine.cluster import join, on_cluster  # noqa: PLC0415 - who does not ask for it need not have Ray

    workers = join(question.on)
    fitting = replace(question, memory=min(question.memory, workers.memory))
    turns = ceil(len(stores) / (stores_at_once(snapshot, fitting, stores) * workers.number))
    size = ceil(len(stores) / (turns * workers.number))
    for answer in on_cluster(work, snapshot, question, stores.iter_slices(size), workers.number):
        yield answer
        done = min(done + size, len(stores))
        advance(done, len(stores))


def stores_at_once(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> int:
    """Tell for how many stores the work fits into the memory that the question may take."""
    zones = stores["zone"].unique().to_list()
    windows = realise(question.windows, question.as_of, zones, question.every)
    starts_at, ends_at = horizon(windows, question.as_of)
    polls = snapshot.count_polls(shifted(starts_at, -question.carry_limit), shifted(ends_at, question.carry_limit))
    days = (ends_at - starts_at) // timedelta(days=1) + 1
    parts = len(windows) / max(1, len(zones))
    each = polls / max(1, len(stores)) * _POLL + days * _DAY + parts * _PART
    return max(1, int(question.memory / each))
