"""Ranges of stores as tasks of a Ray cluster: each worker reads its ranges from the lake by itself.

What a task is given is pickled: the work, the question, and the snapshot. A snapshot of a lake goes as the lake's place
and versions, frames go once into Ray's object store. Frames go and come as Arrow IPC, which is how Polars pickles them.
"""

import logging
import os
import re
import socket
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl
import ray
from ray._private import ray_constants
from ray.exceptions import RayError, RaySystemError, RayTaskError

from storemon.engine.question import Question, Work
from storemon.errors import ClusterError, StoremonError
from storemon.lake.snapshot import Snapshot
from storemon.stopping import check
from storemon.units.workplaces import Workplace

_CPUS = 1
"""How many each task takes, and how many threads DuckDB and Polars have in its worker."""
_RETRIES = 4
"""How often a range is given to another worker when its own one, or the machine of that, died."""
_HOST_AND_PORT = re.compile(r"(?P<host>[^/\[\]]+)\]?:(?P<port>\d+)$")
_REACHED_WITHIN = 10  # seconds
_LOOK_SECONDS = 0.5
"""How often to look whether a range is to be waited for any longer."""
_AHEAD = 2
"""How many ranges there are for each worker: one to work on, one that waits."""


class Workers(NamedTuple):
    """How many workers a cluster has, and how many bytes of memory there are for each."""

    number: int
    memory: int


_joining = threading.Lock()
_joined: Workplace | None = None


def join(workplace: Workplace) -> Workers:
    """Join a cluster, or start one on this machine, unless that has been done; tell what workers it has.

    ``ray`` is the cluster that this process has joined by itself, or the one in ``RAY_ADDRESS``, or a new one that ends
    with this process.

    Raises:
        ClusterError: it cannot be reached or started.

    """
    global _joined  # noqa: PLW0603 - a process is in one cluster at a time
    with _joining:
        if _joined not in {None, workplace}:
            ray.shutdown()
        if not ray.is_initialized():
            _init(workplace)
            _joined = workplace
    resources = ray.cluster_resources()
    number = max(1, int(resources.get("CPU", 0)) // _CPUS)
    return Workers(number, int(resources["memory"]) // number)


def _init(workplace: Workplace) -> None:
    address = (os.environ.get("RAY_ADDRESS") or "local") if workplace == "ray" else workplace
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == "local":
        # As Ray does on macOS: its processes listen on the loopback device only.
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        if found := _HOST_AND_PORT.search(address):  # Ray itself tries for minutes
            socket.create_connection((found["host"], int(found["port"])), timeout=_REACHED_WITHIN).close()
        with warnings.catch_warnings(action="ignore"):
            ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)
    except (RayError, OSError, RuntimeError, ValueError) as error:
        done = "started" if address == "local" else "joined"
        raise ClusterError(f"the Ray cluster {address!r} cannot be {done}: {error}") from error


def on_cluster(
    work: Work, snapshot: Snapshot, question: Question, ranges: Iterable[pl.DataFrame], workers: int
) -> Iterator[pl.DataFrame]:
    """Do the work for ranges of stores on the cluster that was joined; yield what comes of them in their order.

    Raises:
        ClusterError: its workers lack storemon, the cluster is lost, or one worker after the other has died of a range.
        StoremonError: what the work raises.

    """
    try:
        given = ray.put((work, snapshot, question))
    except ImportError as error:  # on the other side of ray://
        raise _not_installed(error) from error
    under_way: deque[ray.ObjectRef] = deque()
    try:
        for stores in ranges:
            if len(under_way) == _AHEAD * workers:
                yield _result(under_way[0])
                under_way.popleft()
            under_way.append(_TASK.remote(given, stores))
        while under_way:
            yield _result(under_way[0])
            under_way.popleft()
    finally:
        for task in under_way:
            ray.cancel(task, force=True)


def _do(given: tuple[Work, Snapshot, Question], stores: pl.DataFrame) -> pl.DataFrame | StoremonError:
    """Do the work in a worker process. An error on purpose is a result like another: Ray is not to try again."""
    work, snapshot, question = given
    try:
        return work(snapshot, question, stores)
    except StoremonError as error:
        return error


_TASK = ray.remote(
    num_cpus=_CPUS,
    max_retries=_RETRIES,
    runtime_env={"env_vars": {"POLARS_MAX_THREADS": str(_CPUS)}},
)(_do)


def _result(task: ray.ObjectRef) -> pl.DataFrame:
    try:
        check()
        while not ray.wait([task], timeout=_LOOK_SECONDS)[0]:
            check()
        result: pl.DataFrame | StoremonError = ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, RaySystemError):
            raise _not_installed(error.cause.client_exc) from error
        raise  # a mistake of ours: its trace is of use
    except RayError as error:
        raise ClusterError(f"the Ray cluster has lost a range of stores: {str(error).splitlines()[0]}") from error
    if isinstance(result, StoremonError):
        raise result
    return result


def _not_installed(reason: object) -> ClusterError:
    return ClusterError(
        f"the workers of the Ray cluster cannot take on the work: {reason}; install the same version of storemon, with "
        "the same versions of Python and Polars, on each machine of the cluster"
    )
