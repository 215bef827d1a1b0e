-- row    the last poll of a store at or before the first boundary; of two that disagree there, the inactive one
-- reads  polls_before, $starts_at
-- units  polled_at in microseconds since 1970 in UTC
SELECT
    store_key,
    epoch_us(max(polled_at)) AS polled_at,
    arg_max(active, 2 * epoch_us(polled_at) + (NOT active)::INTEGER) AS active
FROM polls_before
WHERE polled_at <= make_timestamptz($starts_at)
GROUP BY store_key
