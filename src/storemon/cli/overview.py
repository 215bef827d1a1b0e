"""What ``storemon --help`` prints: every command in a line, without loading what reads their options."""

from shutil import get_terminal_size
from textwrap import wrap

COMMANDS = {
    "sample": "Write realistic CSVs into FOLDER, or the same straight into a new lake.",
    "ingest": "Load a folder's files, or one file, into the lake.",
    "rejected": "List the rows that could not be read: file, line, reason and the row as it stood.",
    "now": "Tell of each store its state, and since when, open and down the longest first; or count those of groups.",
    "report": "Compute uptime, downtime and other measures of each store or group, by default in the last hour, day "
    "and week.",
    "outages": "List the outages in a window (default: last_day), the longest first on a terminal.",
    "hour-of-week": "Tell uptime and downtime by weekday and hour, by local clocks, over a window (default: 28d).",
    "stores": "List the stores with their tags and availability (default window: last_week), and how well they meet a "
    "target.",
    "explain": "Explain the figures of a store in a window (default: last_day): schedule, polls, what is held between "
    "them, sums.",
    "audit": "Find what weakens the figures: what is missing, unknown or doubtful, with examples.",
    "compact": "Merge the small files of many ingestions into one for each past day, sorted, without doubled polls.",
    "prune": "Let go of the polls of all UTC days before a date; hours, zones, tags and other facts stay.",
    "vacuum": "Remove files that no fact of the lake is in any more, nor of the recent past, nor of a report that is "
    "kept.",
    "sql": "Print the one SQL statement that finds where the state of each store changes: all that its polls decide.",
    "keys": "Create, list or revoke the keys that the service asks for. Once there is one, nobody comes in without.",
    "migrate": "Bring the records of jobs and keys up to date, as each start of the service does.",
    "schedules": "Send an answer again and again, by a cron expression in a time zone, to people, webhooks, folders "
    "or S3.",
    "config": "Print each setting in force, and where it comes from; passwords are masked.",
    "backup": "Write the records, the lake and the reports into one archive; the service may run meanwhile.",
    "restore": "Put all of a backup to where there is none: the records, the lake and the reports, or nothing.",
    "listen": "Let polls arrive from Kafka, RabbitMQ or NATS, or as files dropped into a folder. Ctrl-C stops.",
    "rules": "Check the rules of a file, replay them over the past, or list those in force.",
    "alerts": "List alerts, show one with all that happened to it, or acknowledge one, so that it is not told again.",
    "silences": "List silences, add one, or end one: as long as it lasts, nothing is told of alerts that match.",
    "channels": "List the channels of the file of rules, or send a test by one of them.",
    "notices": "List the notices that were sent or wait for it, or send one again that was given up.",
    "watch": "Watch: judge the rules again and again, send notices, answer what schedules ask. Ctrl-C stops.",
    "serve": "Serve reports over HTTP: trigger one, poll it, download it. Ctrl-C stops.",
}
"""The commands, in the order in which one comes to need them, each with the first line of its own help."""

ASKED_FOR: tuple[list[str], ...] = ([], ["--help"], ["-h"])
"""The command lines that the overview answers."""

_WIDEST = 100
_INDENT = 2 + max(map(len, COMMANDS)) + 2


def overview() -> str:
    """Write it as wide as the terminal, up to 100 columns."""
    width = max(60, min(_WIDEST, get_terminal_size().columns))
    lines = ["Usage: storemon COMMAND", "", "While each place was supposed to be open, was it up?", "", "Commands:"]
    for name, summary in COMMANDS.items():
        first, *more = wrap(summary, width - _INDENT)
        lines += [f"  {name:<{_INDENT - 2}}{first}", *(" " * _INDENT + line for line in more)]
    lines += ["", "storemon COMMAND --help tells all of a command, storemon --version the version."]
    return "\n".join(lines) + "\n"
