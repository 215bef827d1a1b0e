-- Stores have an active and an inactive poll at one instant.
-- row    an instant of a store, the newest first
-- reads  stores, polls, $starts_at, $as_of
-- units  polled_at in microseconds since 1970 in UTC
SELECT stores.store_id, epoch_us(polls.polled_at) AS polled_at
FROM polls
JOIN stores USING (store_key)
SEMI JOIN (FROM polls WHERE NOT active) AS inactive
    ON inactive.store_key = polls.store_key AND inactive.polled_at = polls.polled_at
WHERE polls.active AND epoch_us(polls.polled_at) BETWEEN $starts_at AND $as_of
ORDER BY polls.polled_at DESC, stores.store_id
