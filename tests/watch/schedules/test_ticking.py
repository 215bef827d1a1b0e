"""What the log says of schedules that can't be started."""

from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from storemon.watch.schedules.ticking import Ticking


def test_what_lasts_is_told_once_a_minute(records: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    monkeypatch.setattr("storemon.watch.schedules.ticking.time", clock)
    watched = Ticking(records)
    with capture_logs() as logs:
        for _ in range(181):
            watched._tell("the records are out of reach")
    assert len(logs) == 4
