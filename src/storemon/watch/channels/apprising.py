"""The process that sends a message by apprise: it reads what is wanted, and writes what became of it."""

import logging
import sys
from urllib.parse import quote

import msgspec

from storemon.watch.channels.apprise import Outcome, Wanted


def sent(wanted: Wanted) -> Outcome:
    """Send it."""
    import apprise  # noqa: PLC0415 - it takes seconds, and this is the only place that needs it

    notifier = apprise.Apprise()
    if not notifier.add(wanted.url):
        return Outcome(sent=False, usable=False, said="")
    kinds = {
        "info": apprise.NotifyType.INFO,
        "warning": apprise.NotifyType.WARNING,
        "critical": apprise.NotifyType.FAILURE,
    }
    kind = apprise.NotifyType.SUCCESS if wanted.resolved else kinds[wanted.severity]
    files = [f"file://{quote(file.place)}?name={quote(file.name)}" for file in wanted.files]
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        taken = notifier.notify(
            title=wanted.title,
            body=wanted.text,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
            attach=apprise.AppriseAttachment(files) if files else None,
        )
        return Outcome(sent=bool(taken), usable=True, said=" ".join(said.getvalue().split()))


if __name__ == "__main__":
    outcome = sent(msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
