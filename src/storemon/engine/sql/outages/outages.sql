-- row    an outage in a part of a window, with its first and last open instant and the polls that bound its edges
-- reads  downtimes, open_intervals, active_polls, $until
-- units  instants in microseconds since 1970 in UTC; whole_downtime_us: its open microseconds in the part and outside
SELECT
    part,
    downtimes.store_key,
    spell_starts_at,
    spell_ends_at,
    greatest(spell_starts_at, opening.opens_at) AS starts_at,
    least(spell_ends_at, closing.closes_at) AS ends_at,
    downtime_us,
    closing.clock_us + ends_at - closing.opens_at - (opening.clock_us + starts_at - opening.opens_at)
        AS whole_downtime_us,
    earlier.polled_at AS started_after,
    later.polled_at AS ended_before
FROM downtimes
ASOF JOIN open_intervals AS opening
    ON downtimes.store_key = opening.store_key AND spell_starts_at < opening.closes_at
ASOF JOIN open_intervals AS closing
    ON downtimes.store_key = closing.store_key AND coalesce(spell_ends_at, $until) > closing.opens_at
ASOF LEFT JOIN active_polls AS earlier
    ON downtimes.store_key = earlier.store_key AND spell_starts_at > earlier.polled_at
ASOF LEFT JOIN active_polls AS later
    ON downtimes.store_key = later.store_key AND spell_ends_at <= later.polled_at
