-- Stores were first polled late in the window, and were open long before.
-- row    a store, the one with the most unknown time first
-- reads  unknown_stretches, stores
-- units  first_polled_at in microseconds since 1970 in UTC; unknown_us: the open microseconds of the window before it
--        in which nothing is known of the store
SELECT store_id, first_polled_at, unknown_us
FROM unknown_stretches
JOIN stores USING (store_key)
WHERE next_polled_at = first_polled_at AND unknown_us > 0
ORDER BY unknown_us DESC, store_id
