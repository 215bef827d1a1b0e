-- Stores went without a poll for longer than the carry limit, and were open meanwhile.
-- row    two consecutive polls of a store, the ones with the most unknown time between them first
-- reads  unknown_stretches, stores
-- units  instants in microseconds since 1970 in UTC, last_polled_at null for a poll before all that were looked at;
--        unknown_us: the open microseconds of the window between the two in which nothing is known of the store
SELECT store_id, last_polled_at, next_polled_at, unknown_us
FROM unknown_stretches
JOIN stores USING (store_key)
WHERE next_polled_at > first_polled_at AND unknown_us > 0
ORDER BY unknown_us DESC, store_id, next_polled_at
