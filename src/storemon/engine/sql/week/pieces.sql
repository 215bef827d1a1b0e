-- row    a stretch of a store's open time in one state, or a stretch that maintenance takes out of the schedule
-- reads  changes, open_intervals, excluded_intervals
-- units  starts_at and ends_at in microseconds since 1970 in UTC; held: active, inactive, unknown or excluded
--
-- A running sum over all that happens tells what is held: 4 while the store is open, 1 more in state active, 2 more in
-- state inactive. Between two events at one instant it may be anything, but that piece is empty.
SELECT
    store_key,
    instant AS starts_at,
    lead(instant) OVER passed AS ends_at,
    CASE sum(step) OVER passed WHEN 4 THEN 'unknown' WHEN 5 THEN 'active' WHEN 6 THEN 'inactive' END AS held
FROM (
    SELECT
        store_key,
        instant,
        CASE becomes WHEN true THEN 1 WHEN false THEN 2 ELSE 0 END
        - CASE was WHEN true THEN 1 WHEN false THEN 2 ELSE 0 END AS step
    FROM changes
    UNION ALL
    SELECT store_key, opens_at, 4 FROM open_intervals
    UNION ALL
    SELECT store_key, closes_at, -4 FROM open_intervals
)
WINDOW passed AS (PARTITION BY store_key ORDER BY instant ROWS UNBOUNDED PRECEDING)
QUALIFY held IS NOT NULL AND ends_at > starts_at
UNION ALL
SELECT store_key, opens_at, closes_at, 'excluded'
FROM excluded_intervals
