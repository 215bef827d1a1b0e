-- Stores were open and were polled, but never polled while open.
-- row    a store, the one with the most polls in the window first
-- reads  stores, polls, open_intervals, $starts_at, $as_of
-- units  polls: those in the window; last_polled_at in microseconds since 1970 in UTC; service_us: open microseconds
WITH placed AS (
    SELECT
        polled.store_key,
        count(*) AS polls,
        max(polled.polled_at) AS last_polled_at
    FROM (
        SELECT store_key, epoch_us(polled_at) AS polled_at
        FROM polls
        WHERE epoch_us(polled_at) BETWEEN $starts_at AND $as_of
    ) AS polled
    ASOF LEFT JOIN open_intervals
        ON open_intervals.store_key = polled.store_key AND open_intervals.opens_at <= polled.polled_at
    GROUP BY polled.store_key
    HAVING bool_and(coalesce(closes_at <= polled.polled_at, true))
)

SELECT store_id, polls, last_polled_at, sum(least(closes_at, $as_of) - opens_at)::BIGINT AS service_us
FROM placed
JOIN stores USING (store_key)
JOIN open_intervals USING (store_key)
GROUP BY store_id, polls, last_polled_at
HAVING service_us > 0
ORDER BY polls DESC, service_us DESC, store_id
