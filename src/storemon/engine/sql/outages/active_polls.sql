-- row    an instant at which a store that has an outage was active: no poll at that instant says otherwise
-- reads  polls_within, last_polls, downtimes, $starts_at, $until
-- units  polled_at in microseconds since 1970 in UTC
SELECT store_key, polled_at
FROM (
    SELECT store_key, epoch_us(polled_at) AS polled_at, active
    FROM polls_within
    WHERE polled_at > make_timestamptz($starts_at) AND polled_at <= make_timestamptz($until)
    UNION ALL
    FROM last_polls
)
SEMI JOIN downtimes USING (store_key)
GROUP BY store_key, polled_at
HAVING bool_and(active)
