-- row    an outage in a part of a window, with its first and last open instant and the polls that bound its edges
-- reads  downtimes, open_intervals, active_polls, $until
-- units  instants in microseconds since 1970 in UTC; whole_downtime_us: its open time in the part and outside
SELECT
    part,
    downtimes.store_key,
    downtimes.starts_at AS spell_starts_at,
    downtimes.ends_at AS spell_ends_at,
    greatest(first.opens_at, spell_starts_at) AS starts_at,
    least(last.closes_at, spell_ends_at) AS ends_at,
    downtime_us,
    last.clock_us - last.opens_at + ends_at - (first.clock_us - first.opens_at + starts_at) AS whole_downtime_us,
    earlier.polled_at AS started_after,
    later.polled_at AS ended_before
FROM downtimes
ASOF JOIN open_intervals AS first
    ON downtimes.store_key = first.store_key AND downtimes.starts_at < first.closes_at
ASOF JOIN open_intervals AS last
    ON downtimes.store_key = last.store_key AND coalesce(downtimes.ends_at, $until) > last.opens_at
ASOF LEFT JOIN active_polls AS earlier
    ON downtimes.store_key = earlier.store_key AND downtimes.starts_at > earlier.polled_at
ASOF LEFT JOIN active_polls AS later
    ON downtimes.store_key = later.store_key AND downtimes.ends_at <= later.polled_at
