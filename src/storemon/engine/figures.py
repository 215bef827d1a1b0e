"""The sums of each store in each part of a window, from which all measures are derived."""

from collections.abc import Collection

import polars as pl

from storemon.engine.clocks import open_time, time_in_states
from storemon.engine.facts import Facts
from storemon.engine.measures import Need
from storemon.engine.outages import downtimes, outage_sums, spells
from storemon.engine.pipeline import STATES
from storemon.engine.question import Policy

PLACE = ["window", "row", "bucket"]
"""What says where sums belong in an answer."""


def figures(facts: Facts, policy: Policy, needs: Collection[Need] = ()) -> pl.DataFrame:
    """Compute the sums of each store in each part of a window, in no order.

    Args:
        facts: whose stores have the ``row`` of the answer in which each is told of.
        policy: what is held true between polls.
        needs: which sums there are to be besides those of the states.

    Returns:
        ``window, row, bucket``, where the sums belong; ``part, store_key``; ``service_us, uptime_us, downtime_us,
        unknown_us``; then, by what is needed, ``excluded_us``; ``uptime_min_us, uptime_max_us``; ``outages,
        ended_outages, ended_downtime_us, longest_us``. Uptime, downtime and unknown time add up to the service time;
        with the excluded time, to what the schedule says.

    """
    changes = facts.run(STATES[policy])
    parts = facts.windows.join(facts.stores.select("store_key", "zone_key", "row"), on="zone_key")
    times = time_in_states(parts, facts.open_intervals, changes)
    sums = parts.select(*PLACE, "part", "store_key").hstack(times)
    if "exclusions" in needs:
        sums = sums.with_columns(excluded_us=open_time(parts, facts.excluded_intervals))
    if "bounds" in needs:  # certain active time, and all but certain inactive time
        certain = time_in_states(parts, facts.open_intervals, facts.run(STATES["certain"]))
        uptime_max_us = certain["service_us"] - certain["downtime_us"]
        sums = sums.with_columns(uptime_min_us=certain["uptime_us"], uptime_max_us=uptime_max_us)
    if "outages" in needs:
        found = downtimes(spells(changes), facts.stores, facts.windows, facts.open_intervals)
        sums = sums.join(outage_sums(found), on=["part", "store_key"], how="left")
        sums = sums.with_columns(pl.col("outages", "ended_outages", "ended_downtime_us").fill_null(0))
    return sums
