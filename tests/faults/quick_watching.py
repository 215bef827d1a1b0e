"""``storemon watch`` as it is, but that its own pauses too are those of a week at sixty times the speed: leases of
seconds, notices that failed sent again after a moment, and a channel that hangs given up after a second.
"""

import runpy
import sys
from datetime import timedelta
from functools import partialmethod

from storemon.watch import outbox, sending, watcher
from storemon.watch.channels.webhook import Webhook

outbox._FIRST_PAUSE, outbox._LONGEST_PAUSE = 0.2, 3.0
watcher._LEASE_LENGTH = timedelta(seconds=4)
for made, name, quick in ((sending.Sender, "lease", timedelta(seconds=5)), (Webhook, "limit_s", 1.0)):
    made.__init__ = partialmethod(made.__init__, **{name: quick})  # type: ignore[method-assign, assignment]

if __name__ == "__main__":
    sys.argv[0] = "storemon"
    runpy.run_module("storemon", run_name="__main__")
