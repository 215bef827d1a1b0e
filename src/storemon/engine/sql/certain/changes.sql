-- row    an instant at which a stretch starts or ends whose state two polls prove
-- reads  observed_polls, $carry_us
-- units  instant in microseconds since 1970 in UTC; was and becomes: active, null where nothing is certain
--
-- Certain is the time between two consecutive polls that agree and are at most one carry limit apart.
SELECT
    store_key,
    polled_at AS instant,
    CASE WHEN polled_at - lag(polled_at) OVER polls <= $carry_us AND lag(active) OVER polls = active THEN active END
        AS was,
    CASE WHEN lead(polled_at) OVER polls - polled_at <= $carry_us AND lead(active) OVER polls = active THEN active END
        AS becomes
FROM observed_polls
WINDOW polls AS (PARTITION BY store_key ORDER BY polled_at)
QUALIFY was IS DISTINCT FROM becomes
