-- row    an instant at which a store was polled: all from the first boundary to as-of, and the last one before
-- reads  polls_within, last_polls, $starts_at, $until
-- units  polled_at in microseconds since 1970 in UTC; active: no poll at that instant says otherwise
SELECT store_key, polled_at, bool_and(active) AS active
FROM (
    SELECT store_key, epoch_us(polled_at) AS polled_at, active
    FROM polls_within
    WHERE polled_at > make_timestamptz($starts_at) AND polled_at <= make_timestamptz($until)
    UNION ALL
    FROM last_polls
)
GROUP BY store_key, polled_at
