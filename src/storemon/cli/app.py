"""The command line as a whole: its commands with their examples."""

import os
import sys

from cyclopts import App, CycloptsError, Parameter

from storemon.settings import Settings
from storemon.threads import limit_threads

app = App(
    name="storemon",
    help="While each place was supposed to be open, was it up? Exact uptime within opening hours, in bulk.",
    version_flags=["--version"],
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # main says that it was interrupted
)

EXAMPLES = {
    "facts:sample": ("sample data", "sample data --stores 100 --days 14 --seed 7"),
    "facts:ingest": (
        "ingest data",
        "ingest polls.csv --column timestamp_utc='Checked at' --timestamps '%m/%d/%Y %H:%M'",
    ),
    "facts:rejected": ("rejected --count", "rejected data/menu_hours.csv --clear"),
    "now:now": ("now --watch", "now --where region=West --group-by city"),
    "answers:report": ("report --out report.csv", "report --window 2024-10 --group-by region --measures availability"),
    "answers:outages": ("outages --window yesterday --where region=West", "outages --window 30d --out outages.csv"),
    "answers:hour_of_week": (
        "hour-of-week --where region=West",
        "hour-of-week --window 8w --group-by brand --out week.csv",
    ),
    "answers:stores": ("stores --where brand=Acme", "stores --target 99.5 --window last-month --breaching"),
    "reasons:explain": ("explain 4711 --window yesterday", "explain 4711 --window last-week --svg 4711.svg"),
    "reasons:audit": ("audit", "audit --as-of 2024-10-14T12:00Z --out findings.json"),
    "upkeep:compact": ("compact", "compact --lake parquet"),
    "upkeep:prune": ("prune --before 2024-01-01", "prune --before 2024-01-01 --yes"),
    "upkeep:vacuum": ("vacuum", "vacuum --keep 1d --yes"),
    "service:sql": ("sql", "sql > changes.sql"),
    "records:keys": ("keys create --role reader --where region=West --expires 90d", "keys list"),
    "records:migrate": ("migrate", "migrate --reports reports"),
    "schedules:schedules": (
        "schedules add weekly --cron '0 7 * * MON' --zone America/Chicago --to mail:ops@example.org -- outages",
        "schedules list",
    ),
    "config:config": ("config", "config --port 8080 --carry-limit 36h"),
    "backups:backup": ("backup storemon.tar.zst", "backup storemon.tar.zst --lake s3://bucket/storemon"),
    "backups:restore": ("restore storemon.tar.zst", "restore storemon.tar.zst --lake parquet --reports reports"),
    "listen:listen": (
        "listen 'kafka://broker:9092/polls?group=storemon'",
        "listen folder://data/incoming",
    ),
    "rules:rules": ("rules check", "rules replay --rules rules.toml --window last-month --out alerts.json"),
    "alerts:alerts": ("alerts list --state open", "alerts acknowledge 5f0c9a1e --reason 'the provider works on it'"),
    "alerts:silences": (
        "silences add --where region=West --where rule=down --for 2h --reason 'new tills'",
        "silences list",
    ),
    "channels:channels": ("channels list", "channels test ops --rules rules.toml"),
    "channels:notices": ("notices --dead", "notices retry 5f0c9a1e-8f0b-4d3c-9a57-2f4f1f6f3a10"),
    "watch:watch": ("watch", "watch --rules rules.toml --every 30s"),
    "service:serve": ("serve", "serve --host 0.0.0.0 --port 8080 --workers 2"),
}
"""The commands, in the order in which one comes to need them: the module and the function, and two examples of each."""

for _place, (_command, _examples) in enumerate(EXAMPLES.items()):
    _lines = "\n".join(f"    storemon {example}" for example in _examples)
    # By its name, so that only the module of the command that is asked for is imported.
    app.command(f"storemon.cli.{_command}", help_epilogue=f"Examples:\n\n{_lines}", sort_key=_place)


def run() -> int:
    """Run the command that the arguments ask for; the exit status.

    Raises:
        StoremonError: it cannot be done.

    """
    if "STOREMON_THREADS" in os.environ:
        limit_threads(Settings.load().threads)
    try:
        return app(sys.argv[1:], exit_on_error=False, result_action="return_value") or 0
    except CycloptsError:
        return 2  # cyclopts has said why
