-- row    the first and the last poll of a store in each stretch of time of one length, of those in which it was polled
-- reads  polls_within, $starts_at, $until, $lasts_us
-- units  first_at and last_at in microseconds since 1970 in UTC
--
-- Two polls of one stretch are nearer to each other than its length: whoever looks for longer silences misses none.
SELECT store_key, epoch_us(min(polled_at)) AS first_at, epoch_us(max(polled_at)) AS last_at
FROM polls_within
WHERE polled_at > make_timestamptz($starts_at) AND polled_at <= make_timestamptz($until)
GROUP BY store_key, epoch_us(polled_at) // $lasts_us
