"""The state of each store at as-of, and since when: told by its latest runs of polls, in one look at the last ones."""

from datetime import timedelta

import polars as pl

from storemon.engine.question import Question
from storemon.lake.decisive import DAY
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import FIRST, microseconds

_MICROSECOND = timedelta(microseconds=1)


def states_since(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Tell of each store its state at as-of, and where the spell that contains it starts, however long ago.

    Args:
        snapshot: where the polls are from.
        question: as of when, and what is held true between polls.
        stores: ``store_key, first_polled_at``, the latter in microseconds.

    Returns:
        Store by store in their order: ``active``, null where the state is unknown; ``since``, null where that is so
        since ever; ``last_polled_at`` and ``last_active_at``, null where there is none. Instants are microseconds.

    Raises:
        LakeError: the lake can't be read.

    """
    found = snapshot.runs(question.as_of, min(question.carry_limit, DAY), stores["store_key"])
    told, carry_us = since_of(found, question, stores), question.carry_limit // _MICROSECOND
    lapses_at = pl.col("last_polled_at") + carry_us
    is_lapsed = lapses_at <= microseconds(question.as_of)
    return told.with_columns(
        active=pl.when(~is_lapsed).then("active"), since=pl.when(is_lapsed).then(lapses_at).otherwise("since")
    )


def since_of(found: pl.DataFrame, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Tell of stores by their latest runs since when their last poll was held true, as if it still were believed.

    Args:
        found: the runs: ``store_key, starts_at, ends_at, active``, in order.
        question: what is held true between polls.
        stores: as for `states_since`; and so is what is returned.

    """
    carry_us, is_nearest = question.carry_limit // _MICROSECOND, question.policy == "nearest"
    is_own = pl.col("store_key") == pl.col("store_key").shift()
    runs = found.with_columns(pl.col("starts_at", "ends_at").to_physical()).with_columns(
        gap=pl.when(is_own).then(pl.col("starts_at") - pl.col("ends_at").shift()),
        differs=pl.when(is_own).then(pl.col("active") != pl.col("active").shift()),
    )
    # A run goes on with the one before it where that says the same, and is believed until then.
    goes_on = ~pl.col("differs") & (pl.col("gap") <= carry_us * (2 if is_nearest else 1))
    begun = _last(runs.filter(~goes_on.fill_null(value=False))).select("store_key", "gap", begins_at="starts_at")
    newest = _last(runs).select("store_key", "active", last_polled_at="ends_at")
    active = _last(runs.filter("active")).select("store_key", last_active_at="ends_at")
    told = stores.select("store_key", "first_polled_at")
    for each in (begun, newest, active):
        told = told.join(each, on="store_key", how="left", maintain_order="left")
    reached_back = pl.max_horizontal(pl.col("begins_at") - carry_us, microseconds(FIRST))
    if is_nearest:  # the change is half way to the poll before, the odd microsecond is that one's
        since = pl.when(pl.col("gap") <= 2 * carry_us).then(pl.col("begins_at") - pl.col("gap") // 2)
    else:
        since = pl.when(pl.col("begins_at") > pl.col("first_polled_at")).then("begins_at")
    return told.select("active", since.otherwise(reached_back).alias("since"), "last_polled_at", "last_active_at")


def _last(runs: pl.DataFrame) -> pl.DataFrame:
    """Pick the last run of each store."""
    return runs.filter(pl.col("store_key").ne_missing(pl.col("store_key").shift(-1)))
