"""A watcher's looks at a lake, a minute after the other, as of its newest polls.

``python -m benchmarks.looks LAKE`` prints a line for each: what it came to, and how long it took. The first one finds
out of every alert when it began; the others judge a minute.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from storemon.engine.question import Question
from storemon.lake.kept import KeptLake
from storemon.records.opening import opened_records
from storemon.rules.file import read_text
from storemon.settings import Settings
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.looking import Looked, Looking
from storemon.watch.alerts.telling import Teller
from storemon.watch.outbox import Outbox

LOOKS = 4
RULES = """
[channels.ops]
to = "folder:notices"
[[rules]]
name = "down"
when = "down for 300h"
channels = "ops"
[[rules]]
name = "silent"
when = "silent for 300h"
channels = "ops"
[[rules]]
name = "city"
when = "10 stores and 90% down by city"
channels = "ops"
"""
"""Of a sample in which a third of all is down: of which only what lasts is worth an alert."""


def looks(lake: Path) -> Iterator[tuple[Looked, float]]:
    """Look four times, each by what the one before has left in the records, and tell how many seconds each took."""
    with tempfile.TemporaryDirectory(prefix="storemon-looks-") as folder:
        records = opened_records(Settings.load(reports=Path(folder)))
        alerts, kept, rules = Alerts(records), KeptLake(lake), read_text(RULES).rules
        looking = Looking(records, alerts, Teller(alerts, Outbox(records)))
        newest = kept.snapshot().newest_poll()
        assert newest is not None
        for place in range(LOOKS):
            at, started = newest - timedelta(minutes=LOOKS - 1 - place), time.perf_counter()
            looked = looking.look(kept.snapshot(), Question(at), rules)
            assert looked is not None
            yield looked, time.perf_counter() - started
        records.dispose()


if __name__ == "__main__":
    for looked, seconds in looks(Path(sys.argv[1])):
        print(f"{seconds:.2f} s: {looked}", flush=True)
