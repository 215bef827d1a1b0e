-- row    an outage: a spell in state inactive, and a part of a window in which it has open time
-- reads  clips, open_intervals
-- units  instants in microseconds since 1970 in UTC; downtime_us: its open microseconds in the part
SELECT part, store_key, spell_starts_at, spell_ends_at, sum(to_us - from_us)::BIGINT AS downtime_us
FROM (
    SELECT
        clips.*,
        coalesce(earlier.clock_us + least(starts_at, earlier.closes_at) - earlier.opens_at, 0) AS from_us,
        coalesce(later.clock_us + least(ends_at, later.closes_at) - later.opens_at, 0) AS to_us
    FROM clips
    ASOF LEFT JOIN open_intervals AS earlier
        ON clips.store_key = earlier.store_key AND clips.starts_at >= earlier.opens_at
    ASOF LEFT JOIN open_intervals AS later
        ON clips.store_key = later.store_key AND clips.ends_at >= later.opens_at
)
GROUP BY part, store_key, spell_starts_at, spell_ends_at
HAVING downtime_us > 0
