-- row    an outage: a spell in state inactive, and a part of a window in which it has open time
-- reads  clips, open_intervals
-- units  instants in microseconds since 1970 in UTC; downtime_us: its open time in the part
SELECT part, store_key, starts_at, ends_at, sum(to_us - from_us)::BIGINT AS downtime_us
FROM (
    SELECT
        clips.*,
        coalesce(earlier.clock_us + least(within_from, earlier.closes_at) - earlier.opens_at, 0) AS from_us,
        coalesce(later.clock_us + least(within_to, later.closes_at) - later.opens_at, 0) AS to_us
    FROM clips
    ASOF LEFT JOIN open_intervals AS earlier
        ON clips.store_key = earlier.store_key AND earlier.opens_at <= within_from
    ASOF LEFT JOIN open_intervals AS later
        ON clips.store_key = later.store_key AND later.opens_at <= within_to
)
GROUP BY part, store_key, starts_at, ends_at
HAVING downtime_us > 0
