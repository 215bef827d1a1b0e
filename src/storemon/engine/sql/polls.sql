-- row    a poll of the stores asked about, at least those that can decide a state from the first boundary on
-- reads  stores, polls_before, polls_within
-- units  polled_at as an instant in UTC
SELECT DISTINCT store_key, polled_at, active
FROM (FROM polls_before UNION ALL FROM polls_within)
SEMI JOIN stores USING (store_key)
