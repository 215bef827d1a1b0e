"""What is made of a body of polls, whatever its form."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import polars as pl

from storemon.intake.judge import CLOCK_SLACK

PUSHED_SCHEMA = pl.Schema(
    {"store_id": pl.String(), "polled_at": pl.Datetime("us", "UTC"), "active": pl.Boolean()},
)
"""The columns of polls that were accepted."""
REJECTED_SCHEMA = pl.Schema({"line": pl.Int64(), "row": pl.String(), "reason": pl.String()})
"""The columns of rows that were not."""
LONGEST_ID = 500
"""So many characters the id of a store can have that is pushed: one with more could not be asked about over HTTP."""
CONTROL = r"[\x00-\x1f\x7f-\x9f]"
"""The characters of Unicode's category Cc, as a regular expression: an id has none of them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pushed:
    """A body, read: every poll in it is in one of the two frames.

    Attributes:
        polls: ``store_id, polled_at, active`` of those accepted, in their order.
        rejected: ``line``, the number of the object, the line or the record in the body, from 1 (a CSV's header is
            line 1); ``row``, its text, cut where it is very long; and ``reason``.

    """

    polls: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def read(self) -> int:
        """How many rows there were in all."""
        return len(self.polls) + len(self.rejected)

    @classmethod
    def all_of(cls, polls: pl.DataFrame) -> "Pushed":
        """Make one of polls that were all accepted."""
        return cls(polls, _nothing_rejected())


@cache
def _nothing_rejected() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECTED_SCHEMA)


def microseconds_of(instant: datetime) -> int:
    """Give the microseconds from 1970 to an instant; a naive one is UTC."""
    return ((instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def horizon_us(now: datetime) -> int:
    """Give the latest instant at which a poll is believed, in microseconds from 1970."""
    return microseconds_of(now) + CLOCK_SLACK // timedelta(microseconds=1)
