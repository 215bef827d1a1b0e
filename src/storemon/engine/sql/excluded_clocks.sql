-- row    a boundary of a store with the time taken out of its schedule before it
-- reads  boundaries, excluded_intervals
-- units  instant in microseconds since 1970 in UTC; clock_us: excluded microseconds before the instant
SELECT boundaries.*, coalesce(clock_us + least(instant, closes_at) - opens_at, 0) AS clock_us
FROM boundaries
ASOF LEFT JOIN excluded_intervals
    ON boundaries.store_key = excluded_intervals.store_key AND excluded_intervals.opens_at <= boundaries.instant
