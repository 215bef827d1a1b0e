"""The report as it is printed, byte for byte."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Unpack

from .measured import figures
from .questions import Asked
from .service_time import Row
from .states import CARRY_LIMIT, Policy, Poll

NAMES = ("last_hour", "last_day", "last_week")
MINUTE, HOUR = 60 * 1_000_000, 3600 * 1_000_000
UNITS = {"last_hour": MINUTE, "last_day": HOUR, "last_week": HOUR}


def two_decimals(value: Fraction) -> str:
    """Round half up; the value is never negative."""
    hundredths = floor(value * 100 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def quoted(field: str) -> str:
    """Only where a reader of CSV could not do without."""
    return '"' + field.replace('"', '""') + '"' if any(sign in field for sign in ',"\r\n') else field


def report_csv(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    wide: bool = False,
    **asked: Unpack[Asked],
) -> bytes:
    """Seven columns; ten in the wider form."""
    measures = ("uptime", "downtime", "unknown") if wide else ("uptime", "downtime")
    columns = [(measure, name) for measure in measures for name in NAMES]
    lines = [["store_id", *(f"{measure}_{name}" for measure, name in columns)]]
    for store_id, by_window in figures(polls, hours, zones, as_of, carry_limit, policy=policy, **asked).items():
        values = [Fraction(by_window[name]._asdict()[f"{measure}_us"], UNITS[name]) for measure, name in columns]
        lines.append([quoted(store_id), *map(two_decimals, values)])
    return "".join(",".join(line) + "\n" for line in lines).encode()
