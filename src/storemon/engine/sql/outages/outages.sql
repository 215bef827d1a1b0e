-- row    an outage in a part of a window, with its first and last open instant and the polls that bound its edges
-- reads  downtimes, edges, open_intervals, active_polls, $until
-- units  instants in microseconds since 1970 in UTC; whole_downtime_us: its open microseconds in the part and outside
--
-- A spell that starts in closed time is down from the opening at which the business clock shows the same, and one that
-- ends in closed time up to the closing at which it does.
SELECT
    downtimes.*,
    coalesce(opening.opens_at, spell_starts_at) AS starts_at,
    coalesce(closing.closes_at, spell_ends_at, $until) AS ends_at,
    ends.clock_us - starts.clock_us AS whole_downtime_us,
    earlier.polled_at AS started_after,
    later.polled_at AS ended_before
FROM downtimes
LEFT JOIN edges AS starts ON downtimes.store_key = starts.store_key AND spell_starts_at = starts.instant
LEFT JOIN edges AS ends ON downtimes.store_key = ends.store_key AND coalesce(spell_ends_at, $until) = ends.instant
LEFT JOIN open_intervals AS opening
    ON starts.store_key = opening.store_key AND starts.clock_us = opening.clock_us
LEFT JOIN open_intervals AS closing
    ON ends.store_key = closing.store_key
    AND ends.clock_us = closing.clock_us + closing.closes_at - closing.opens_at
ASOF LEFT JOIN active_polls AS earlier
    ON downtimes.store_key = earlier.store_key AND spell_starts_at > earlier.polled_at
ASOF LEFT JOIN active_polls AS later
    ON downtimes.store_key = later.store_key AND spell_ends_at <= later.polled_at
