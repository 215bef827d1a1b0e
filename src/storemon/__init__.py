"""Exact uptime of places with opening hours.

    >>> import storemon
    >>> lake = storemon.Lake("parquet")
    >>> lake.ingest("data")
    >>> frame = storemon.report(lake)

What every figure means is told in docs/semantics.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from storemon.errors import (
    ChannelError,
    ClusterError,
    ConflictError,
    EmptyLakeError,
    FileError,
    InputError,
    LakeError,
    RecordsError,
    RejectedRowsError,
    StoppedError,
    StoremonError,
)

if TYPE_CHECKING:
    from storemon.answers.audit import audit
    from storemon.answers.explain import explain
    from storemon.answers.now import now
    from storemon.answers.outages import outages
    from storemon.answers.report import report
    from storemon.answers.week import hour_of_week
    from storemon.intake.frames import Frames
    from storemon.intake.lake import Lake

__all__ = [
    "ChannelError",
    "ClusterError",
    "ConflictError",
    "EmptyLakeError",
    "FileError",
    "Frames",
    "InputError",
    "Lake",
    "LakeError",
    "RecordsError",
    "RejectedRowsError",
    "StoppedError",
    "StoremonError",
    "audit",
    "explain",
    "hour_of_week",
    "now",
    "outages",
    "report",
]

_LAZY = {
    "Frames": "storemon.intake.frames",
    "Lake": "storemon.intake.lake",
    "audit": "storemon.answers.audit",
    "explain": "storemon.answers.explain",
    "hour_of_week": "storemon.answers.week",
    "now": "storemon.answers.now",
    "outages": "storemon.answers.outages",
    "report": "storemon.answers.report",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first asked for, so that ``storemon --help`` stays quick."""
    if name not in _LAZY:
        raise AttributeError(f"module 'storemon' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
