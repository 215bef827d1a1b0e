"""How much memory there is."""

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/memory.max")


def half_of_machine() -> int:
    """Half of the machine's memory in bytes, or of what its container may take."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _LIMIT.read_text().strip() if _LIMIT.exists() else "max"
    return min(machine, machine if limit == "max" else int(limit)) // 2
