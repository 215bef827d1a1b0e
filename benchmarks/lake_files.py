"""Which Parquet files a lake is made of, straight from the tables' logs."""

import json
from datetime import date
from pathlib import Path
from typing import NamedTuple


class LiveFile(NamedTuple):
    """A file of a table's newest version; ``polled_on`` is None in a table or partition without days."""

    polled_on: date | None
    path: str


def live_files(table: Path) -> list[LiveFile]:
    """List the files of a Delta table in order of their days, those without one first."""
    log = table / "_delta_log"
    assert not (log / "_last_checkpoint").exists(), f"{table}: the log is read from its first commit on"
    live: dict[str, date | None] = {}
    for commit in sorted(log.glob("*.json")):
        for line in commit.read_bytes().splitlines():
            action = json.loads(line)
            if added := action.get("add"):
                day = added["partitionValues"].get("polled_on")
                live[added["path"]] = date.fromisoformat(day) if day else None
            elif removed := action.get("remove"):
                live.pop(removed["path"])
    files = [LiveFile(day, f"{table}/{path}") for path, day in live.items()]
    return sorted(files, key=lambda file: (file.polled_on or date.min, file.path))
