-- Stores are polled, but have no opening hours.
-- row    a store, the one with the most inactive polls in the window first
-- reads  stores, hours, polls, $starts_at, $as_of
-- units  polls, inactive_polls: polls in the window
SELECT
    stores.store_id,
    count(polls.store_key) AS polls,
    count(*) FILTER (NOT active) AS inactive_polls
FROM stores
LEFT JOIN polls
    ON polls.store_key = stores.store_key AND epoch_us(polled_at) BETWEEN $starts_at AND $as_of
WHERE NOT EXISTS (FROM hours WHERE hours.store_id = stores.store_id)
GROUP BY stores.store_id
ORDER BY inactive_polls DESC, polls DESC, stores.store_id
