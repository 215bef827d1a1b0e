"""A week at sixty times the speed, with everything at work, of which something dies all the time."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.arrivals.brokers import NO_NATS, has_nats
from tests.examples import DEEP
from tests.faults.week.holding import Week
from tests.faults.week.living import Living
from tests.faults.week.place import Place
from tests.faults.week.receivers import ALERTMANAGER, NO_ALERTMANAGER

HOURS = float(os.environ.get("WEEK_HOURS", "1.5" if DEEP else "0"))
"""So many are simulated; each takes a minute."""
SEED = int(os.environ.get("WEEK_SEED", "7"))


@pytest.mark.skipif(not HOURS, reason="takes minutes: DEEP_TESTS=1, or WEEK_HOURS=24")
@pytest.mark.skipif(not has_nats(), reason=NO_NATS)
@pytest.mark.skipif(ALERTMANAGER is None, reason=NO_ALERTMANAGER)
@pytest.mark.timeout(60 * HOURS + 1800)
@pytest.mark.fault(
    "`kill -9` of watchers, a service, a listener, the broker and Alertmanager all along hours at 60 times the "
    "speed, with a receiver of webhooks that fails half of the time",
    "alerts are those of a replay; each notice arrives, told apart by its id, and none of an alert that never was",
)
def test_a_week(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with Place(tmp_path, SEED, stores=60, seconds=60 * HOURS, nights=HOURS > 1) as place:
        Living(place, SEED).live(pause=8)
        place.settle()
        week = Week(place)
        record_property("figures", week.figures())
        week.hold_all()
