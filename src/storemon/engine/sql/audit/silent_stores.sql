-- Stores have had no poll for longer than the carry limit.
-- row    a store, the one that fell silent first first
-- reads  unknown_stretches, stores
-- units  last_polled_at in microseconds since 1970 in UTC, null for one before all polls that were looked at;
--        unknown_us: the open microseconds of the window since nothing is known of the store
SELECT store_id, last_polled_at, unknown_us
FROM unknown_stretches
JOIN stores USING (store_key)
WHERE next_polled_at IS NULL
ORDER BY last_polled_at NULLS FIRST, unknown_us DESC, store_id
