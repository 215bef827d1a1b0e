"""``storemon watch`` as it is, but that all of its pauses are a week's at sixty times the speed: leases of seconds,
notices that failed sent again after a moment, and a channel that hangs given up after a second.
"""

import runpy
import sys
from datetime import timedelta

from storemon.watch import outbox, sending, watcher
from storemon.watch.channels.webhook import Webhook

outbox._FIRST_PAUSE, outbox._LONGEST_PAUSE = 0.2, 3.0
watcher._LEASE_LENGTH = timedelta(seconds=4)
sending.Sender.__init__.__kwdefaults__["lease"] = timedelta(seconds=5)
Webhook.__init__.__kwdefaults__["limit_s"] = 1.0

if __name__ == "__main__":
    import signal, threading
    from storemon.records.opening import opened_records
    from storemon.service.logs import configure_logs
    from storemon.settings import Settings
    from storemon.watch.book import Book
    from storemon.watch.watching import Watching

    configure_logs()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    settings = Settings.load()
    records = opened_records(settings)
    watching = Watching(settings, records, Book(settings, records))
    watching.start()
    over.wait()
    watching.stop()
