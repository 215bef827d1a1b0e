-- row    an instant that matters to a store, a change or a boundary, with the business clock at it
-- reads  changes, boundaries, open_intervals
-- units  instant in microseconds since 1970 in UTC; clock_us: open microseconds before the instant
WITH instants AS (
    SELECT store_key, instant, was, becomes, false AS is_boundary FROM changes
    UNION ALL
    SELECT store_key, instant, NULL, NULL, true FROM boundaries
)

SELECT
    instants.*,
    coalesce(open_intervals.clock_us + least(instant, closes_at) - opens_at, 0) AS clock_us
FROM instants
ASOF LEFT JOIN open_intervals
    ON instants.store_key = open_intervals.store_key AND open_intervals.opens_at <= instants.instant
