-- row    a poll of the store that is explained, at least those that can decide a state in the window
-- reads  polls_before, polls_within
-- units  polled_at as an instant in UTC
SELECT DISTINCT store_key, polled_at, active
FROM (FROM polls_before UNION ALL FROM polls_within)
