"""The oracle's cases, put to the engine: the same facts as frames, the same windows as it knows them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from storemon import Frames, report
from storemon.calendar.windows import Absolute, Rolling, Window, parse_window
from tests.oracle import truth
from tests.oracle.cases import Case

MICROSECOND = timedelta(microseconds=1)
INSTANT = pl.Datetime("us", "UTC")


def told_by(rows: Any, **columns: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=columns, orient="row")


def tables_of(case: Case) -> dict[str, pl.DataFrame]:
    """Lay out a case's facts as tables, under the names that `Frames` has for them."""
    text = pl.String()
    times = {"start_time_local": text, "end_time_local": text}
    # Closed and open at once is one date's contradiction to the product, and open to the oracle.
    opened = {row[:2] for row in case.special_hours if row[2] or row[3]}
    special_hours = [row for row in case.special_hours if row[2] or row[3] or row[:2] not in opened]
    names = sorted({name for tags in case.tags.values() for name in tags})
    tagged = [(store_id, *(tags.get(name) for name in names)) for store_id, tags in case.tags.items()]
    return {
        "polls": told_by(case.polls, store_id=text, status=text, timestamp_utc=INSTANT),
        "hours": told_by(case.hours, store_id=text, dayOfWeek=pl.Int64(), **times),
        "zones": told_by([*case.zones.items()], store_id=text, timezone_str=text),
        "special_hours": told_by(special_hours, store_id=text, date=text, **times),
        "maintenance": told_by(
            [(*row, "why not") for row in case.maintenance],
            store_id=text,
            starts_at_utc=INSTANT,
            ends_at_utc=INSTANT,
            reason=text,
        ),
        "stores": told_by(tagged, store_id=text, **dict.fromkeys(names, text)),
    }


def frames_of(case: Case) -> Frames:
    return Frames(**tables_of(case))


def window_as_asked(name: str, window: truth.Window) -> Window:
    if isinstance(window, str):
        return replace(parse_window(window), name=name)
    return Window(name, Rolling(window) if isinstance(window, timedelta) else Absolute(*window))


def windows_as_asked(windows: Mapping[str, truth.Window]) -> list[Window]:
    return [window_as_asked(name, window) for name, window in windows.items()]


class Reports(Protocol):
    def __call__(self, windows: Mapping[str, truth.Window] | None = None, **asked: Any) -> pl.DataFrame: ...


def reports_on(case: Case) -> Reports:
    """Make frames of a case, which takes longer than a report on them, and answer with reports."""
    frames = frames_of(case)

    def answer(windows: Mapping[str, truth.Window] | None = None, **asked: Any) -> pl.DataFrame:
        if windows is not None:
            asked["windows"] = windows_as_asked(windows)
        return report(frames, as_of=case.as_of, carry_limit=case.carry_limit, **asked)

    return answer


def report_of(case: Case, windows: Mapping[str, truth.Window] | None = None, **asked: Any) -> pl.DataFrame:
    return reports_on(case)(windows, **asked)


def as_of_of(case: Case) -> datetime | None:
    return case.as_of or truth.newest(case.polls)
