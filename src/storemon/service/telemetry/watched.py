"""What is found out of watching when somebody asks for the metrics: open alerts, notices, and the last look."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from storemon.watch.channels.reading import shown
from storemon.watch.outbox import Counted, State
from storemon.watch.watching import Watching

_STATES: tuple[State, ...] = ("waiting", "sending", "dead")


def of_watch(watching: Watching) -> Iterator[Metric]:
    """Tell what the records know of alerts and notices, whoever watches.

    Raises:
        SQLAlchemyError: the records are out of reach.

    """
    yield told(
        "storemon_alerts_open",
        "Alerts that are open, by rule and severity, and whether somebody has acknowledged them.",
        ["rule", "severity", "acknowledged"],
        [
            ((rule, severity, str(acknowledged).lower()), count)
            for rule, severity, acknowledged, count in watching.alerts.count()
        ],
    )
    yield from _of_notices(watching)
    ago = watching.looked_ago()
    yield told(
        "storemon_watch_look_age_seconds",
        "How long ago the time was up to which the alerts of all rules are known; none where no rule is watched.",
        [],
        [] if ago is None else [((), ago.total_seconds())],
    )


def _of_notices(watching: Watching) -> Iterator[Metric]:
    found = {(each.channel, each.state): each for each in watching.outbox.waiting()}
    channels = sorted({*watching.channels(), *(channel for channel, _ in found)})
    nothing = Counted("", "waiting", 0, timedelta())
    counts, oldest = [], []
    for channel in channels:
        of_channel = {state: found.get((channel, state), nothing) for state in _STATES}
        counts += [((shown(channel), state), each.notices) for state, each in of_channel.items()]
        oldest.append(((shown(channel),), of_channel["waiting"].due_for.total_seconds()))
    yield told(
        "storemon_notices",
        "Notices that have not been sent, by channel and state; dead ones were given up.",
        ["channel", "state"],
        _summed(counts),
    )
    yield told(
        "storemon_notices_oldest_due_seconds",
        "How long the notice has been due that has been due longest, 0 where none is.",
        ["channel"],
        _summed(oldest, largest=True),
    )


def _summed(
    values: Iterable[tuple[tuple[str, ...], float]], *, largest: bool = False
) -> list[tuple[tuple[str, ...], float]]:
    """Put those together that are shown alike: addresses whose secrets are left out."""
    found: dict[tuple[str, ...], float] = {}
    for labels, value in values:
        known = found.get(labels, 0.0)
        found[labels] = max(known, value) if largest else known + value
    return [*found.items()]


def told(
    name: str, text: str, labels: Iterable[str], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    """Make a gauge with its values, each with those of the labels."""
    family = GaugeMetricFamily(name, text, labels=[*labels])
    for of_labels, value in values:
        family.add_metric(of_labels, value)
    return family
