"""The sums of each store in each part of a window, from which all measures are derived."""

from collections.abc import Collection

import polars as pl

from storemon.engine.facts import Facts
from storemon.engine.measures import Need
from storemon.engine.pipeline import EXCLUSIONS, FIGURES, OUTAGE_SUMS, STATES
from storemon.engine.question import Policy

_PLACE = ["part", "store_key"]


def figures(facts: Facts, policy: Policy, needs: Collection[Need] = ()) -> pl.DataFrame:
    """Compute the sums of each store in each part of a window, in no order.

    Returns:
        ``part, store_key, service_us, uptime_us, downtime_us, unknown_us``; then, by what is needed, ``excluded_us``;
        ``uptime_min_us, uptime_max_us``; ``outages, ended_outages, ended_downtime_us, longest_us``. Uptime, downtime
        and unknown time add up to the service time; with the excluded time, to what the schedule says.

    """
    changes = STATES[policy]
    if "outages" in needs:  # then they are needed twice
        facts.con.register("changes", facts.run(changes).to_arrow())
        changes = ()
    sums = facts.run((*changes, *FIGURES))
    if "exclusions" in needs:
        sums = sums.join(facts.run(EXCLUSIONS), on=_PLACE)
    if "bounds" in needs:
        sums = sums.join(_bounds(facts), on=_PLACE)
    if "outages" in needs:
        sums = sums.join(facts.run(OUTAGE_SUMS), on=_PLACE, how="left")
        sums = sums.with_columns(pl.col("outages", "ended_outages", "ended_downtime_us").fill_null(0))
    return sums


def _bounds(facts: Facts) -> pl.DataFrame:
    """Tell what the polls prove: certain active time, and all but certain inactive time."""
    certain = facts.run((*STATES["certain"], *FIGURES))
    return certain.select(
        *_PLACE, uptime_min_us=pl.col("uptime_us"), uptime_max_us=pl.col("service_us") - pl.col("downtime_us")
    )
