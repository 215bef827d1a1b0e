"""The threads that do the work: how many the libraries take, and which of ours give way to others."""

import os
import sys
from threading import get_native_id

NICENESS = 5  # halves the slowest polls while jobs run, and costs these nothing on an idle machine


def limit_threads(count: int) -> None:
    """Let Polars, which must not be imported yet, and DuckDB take so many threads each; 0 for one on each CPU."""
    if count:
        os.environ["POLARS_MAX_THREADS"] = str(count)


def give_way() -> None:
    """Let whoever waits for an answer go first: this thread, and those that DuckDB and Polars begin for it."""
    if sys.platform == "linux":  # elsewhere threads have no priority of their own
        os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
