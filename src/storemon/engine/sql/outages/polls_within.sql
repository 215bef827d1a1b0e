-- row    a poll that can tell of an outage in the windows; of those before the windows few can, in however long a time
-- reads  polls_within_of_all, stores, windows, $carry_us
-- units  none
--
-- Before the first boundary an outage can begin only after the last active poll. From there on all are inactive, and
-- only the first and the last of each carry limit can lie beside a stretch of unknown time.
WITH told AS (
    SELECT *, polled_at <= (SELECT make_timestamptz(min(starts_at)) FROM windows) AS is_before
    FROM polls_within_of_all
    SEMI JOIN stores USING (store_key)
),

last_active AS (
    SELECT store_key, max(polled_at) AS active_at
    FROM (FROM told WHERE is_before AND active)
    ANTI JOIN (FROM told WHERE is_before AND NOT active) USING (store_key, polled_at)
    GROUP BY store_key
)

SELECT store_key, polled_at, active
FROM told
WHERE NOT is_before
UNION ALL
SELECT store_key, active_at, true
FROM last_active
UNION ALL
SELECT store_key, unnest([min(polled_at), max(polled_at)]), false
FROM told
LEFT JOIN last_active USING (store_key)
WHERE is_before AND NOT active AND (active_at IS NULL OR polled_at > active_at)
GROUP BY store_key, epoch_us(polled_at) // $carry_us
