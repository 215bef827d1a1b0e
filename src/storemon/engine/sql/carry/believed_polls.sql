-- row    a poll that can decide a state between the first boundary and as-of
-- reads  polls_within, last_polls, stores, $starts_at, $until, $carry_us
-- units  polled_at in microseconds since 1970 in UTC
SELECT store_key, epoch_us(polled_at) AS polled_at, active
FROM polls_within
WHERE polled_at > make_timestamptz($starts_at) AND polled_at <= make_timestamptz($until)
UNION ALL
FROM last_polls
UNION ALL
-- A store's first poll ever also holds for one carry limit before it: the same as one more poll at that distance.
SELECT store_key, first_polled_at - $carry_us, first_active
FROM stores
WHERE first_polled_at > $starts_at
