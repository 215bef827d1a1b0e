"""``storemon`` as it is, but that it moves the inbox and looks for lost brokers every moment, and waits when told to.

So there are as many moments to end it at in a second as there are in a minute else. Told is it by the file ``wait-at``
in the working directory, with the name of a moment; the file ``waiting`` then has the id of the process that waits.
"""

import os
import runpy
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from storemon.arrivals import consuming, moving
from storemon.lake.tables import Tables
from storemon.records.inbox import Inbox

STAGES = ("taken", "written", "committed", "dropping", "dropped")
"""Batches were taken; their polls are in files; those are committed, but not the rejected rows; the batches are
deleted, but that is not committed; it is."""

_take, _drop, _append, _commit = Inbox.take, Inbox.drop, moving.append_polls, Tables.commit  # type: ignore[attr-defined]


def wait(stage: str) -> None:
    asked = Path("wait-at")
    if asked.exists() and asked.read_text() == stage:
        Path("waiting.part").write_text(str(os.getpid()))
        Path("waiting.part").rename("waiting")
        time.sleep(60)


def take(*args: Any) -> Any:
    held = _take(*args)
    if held:
        wait("taken")
    return held


def drop(*args: Any) -> None:
    _drop(*args)
    wait("dropped")


def append(*args: Any) -> int:
    added = _append(*args)
    wait("committed")
    return added


def commit(*args: Any, **kwargs: Any) -> None:
    if args[1].table.name == "polls":
        wait("written")
    _commit(*args, **kwargs)


def executed(_: Any, __: Any, statement: str, *___: Any) -> None:
    if statement.startswith("DELETE FROM inbox"):
        wait("dropping")


moving._LOOK_SECONDS, moving._PAUSE_SECONDS = 0.05, 0.2  # type: ignore[assignment]
moving._LEASE_LENGTH = timedelta(seconds=1)
consuming._LONGEST_PAUSE = 0.5
moving.append_polls = append  # type: ignore[attr-defined, assignment]
Inbox.take, Inbox.drop, Tables.commit = take, drop, commit  # type: ignore[method-assign, assignment]
event.listen(Engine, "after_cursor_execute", executed)

if __name__ == "__main__":
    sys.argv[0] = "storemon"
    runpy.run_module("storemon", run_name="__main__")
