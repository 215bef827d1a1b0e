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
    ClusterError,
    ConflictError,
    EmptyLakeError,
    FileError,
    InputError,
    LakeError,
    RejectedRowsError,
    StoremonError,
)

if TYPE_CHECKING:
    from storemon.engine.audit import audit
    from storemon.engine.explain import explain
    from storemon.engine.outages import outages
    from storemon.engine.report import report
    from storemon.engine.week import hour_of_week
    from storemon.lake.frames import Frames
    from storemon.lake.lake import Lake

__all__ = [
    "ClusterError",
    "ConflictError",
    "EmptyLakeError",
    "FileError",
    "Frames",
    "InputError",
    "Lake",
    "LakeError",
    "RejectedRowsError",
    "StoremonError",
    "audit",
    "explain",
    "hour_of_week",
    "outages",
    "report",
]

_LAZY = {
    "Frames": "storemon.lake.frames",
    "Lake": "storemon.lake.lake",
    "audit": "storemon.engine.audit",
    "explain": "storemon.engine.explain",
    "hour_of_week": "storemon.engine.week",
    "outages": "storemon.engine.outages",
    "report": "storemon.engine.report",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first asked for, so that ``storemon --help`` stays quick."""
    if name not in _LAZY:
        raise AttributeError(f"module 'storemon' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
