-- row    an instant at which the state of a store changes, when the nearest poll decides it
-- reads  observed_polls, $until, $carry_us
-- units  instant in microseconds since 1970 in UTC; was and becomes: active, null for unknown
--
-- A poll is believed for one carry limit to each side, and no further than half way to its neighbour; the earlier of
-- two polls keeps the odd microsecond in the middle. A limit may be a number of 32 bits, and twice the limit is none.
WITH reaches AS (
    SELECT
        store_key,
        active,
        polled_at - lag(polled_at) OVER polls AS since_us,
        since_us - $carry_us <= $carry_us AS meets,
        CASE WHEN meets THEN lag(active) OVER polls END AS was,
        CASE WHEN meets THEN polled_at - since_us // 2 ELSE polled_at - $carry_us END AS starts_at,
        polled_at + $carry_us AS ends_at,
        coalesce(lead(polled_at) OVER polls - $carry_us > ends_at, true) AS lapses
    FROM observed_polls
    WINDOW polls AS (PARTITION BY store_key ORDER BY polled_at)
)

SELECT store_key, starts_at AS instant, was, active AS becomes
FROM reaches
WHERE was IS DISTINCT FROM active
UNION ALL
SELECT store_key, ends_at, active, NULL
FROM reaches
WHERE lapses AND ends_at <= $until
