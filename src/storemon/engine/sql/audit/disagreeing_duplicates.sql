-- Stores have an active and an inactive poll at one instant.
-- row    an instant of a store, the newest first
-- reads  stores, polls, $starts_at, $as_of
-- units  polled_at in microseconds since 1970 in UTC
SELECT stores.store_id, epoch_us(polls.polled_at) AS polled_at
FROM polls
JOIN stores USING (store_key)
WHERE epoch_us(polls.polled_at) BETWEEN $starts_at AND $as_of
GROUP BY stores.store_id, polls.polled_at
HAVING bool_or(active) AND NOT bool_and(active)
ORDER BY polled_at DESC, stores.store_id
