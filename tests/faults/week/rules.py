"""The rules of the week, sixty times as fast as those that people write: seconds where they have minutes."""

from datetime import datetime, timedelta

_RULES = """
[channels.ops]
to = "smtp://127.0.0.1:{mail}"
from = "storemon@example.org"
recipients = ["ops@example.org"]

[channels.boss]
to = "smtp://127.0.0.1:{mail}"
from = "storemon@example.org"
recipients = ["boss@example.org"]

[channels.hook]
to = "http://127.0.0.1:{hook}/hook"
secret = "${{HOOK_SECRET}}"
private = true

[channels.shift]
to = "http://127.0.0.1:{hook}/shift"
secret = "${{HOOK_SECRET}}"
private = true
{hours}

[channels.am]
to = "alertmanager+http://127.0.0.1:{alertmanager}"

[[rules]]
name = "down"
when = "down for 15s"
by = "region"
severity = "critical"
channels = ["ops", "hook", "am"]
recovery = "3s"
grouping = "2s"
repeat = "20s"
repeats = 2
escalate = [{{ after = "12s", channels = ["boss"] }}]
flapping = "20 in 6h"

[[rules]]
name = "silent"
when = "silent for 25s"
channels = ["hook", "am"]
grouping = "1s"
flapping = "20 in 6h"

[[rules]]
name = "below"
when = "availability < 80% over 90s"
recover = "90%"
coverage = "30%"
channels = ["ops", "am", "shift"]
flapping = "20 in 6h"

[[rules]]
name = "burn"
when = "burn > 3 of 95% over 120s and 30s by region"
channels = ["hook"]
repeat = "30s"
flapping = "20 in 6h"

[[rules]]
name = "region"
when = "3 stores and 40% down by region"
severity = "critical"
channels = ["ops", "hook", "am"]
recovery = "2s"
flapping = "20 in 6h"

[[rules]]
name = "shaky"
when = "down for 1s"
severity = "info"
where = "region=East"
channels = ["hook"]
flapping = "2 in 1m"

[[rules]]
name = "noted"
when = "down for 30s"
"""
FLAPPING = "shaky"


def rules_of(mail: int, hook: int, alertmanager: int, *, nights: bool, begins_at: datetime) -> str:
    """Write them; ``nights`` has one channel be told only in every second minute, and of what waited in a digest."""
    hours = ""
    if nights:
        first = begins_at.replace(second=0, microsecond=0)
        minutes = (first + timedelta(minutes=2 * n) for n in range(1, 720))
        parts = ", ".join(f"{at:%H:%M}-{at + timedelta(minutes=1):%H:%M}" for at in minutes)
        hours = f'hours = "{parts}"\nzone = "UTC"'
    return _RULES.format(mail=mail, hook=hook, alertmanager=alertmanager, hours=hours)
