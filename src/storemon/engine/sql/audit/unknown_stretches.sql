-- row    a stretch of the window in which nothing is known of a store, with the polls that bound it
-- reads  stores, polls, open_intervals, $starts_at, $as_of, $carry_us
-- units  instants in microseconds since 1970 in UTC; unknown_us: the open microseconds in it
WITH known AS (
    SELECT store_key, epoch_us(polled_at) AS last_polled_at, epoch_us(polled_at) AS polled_at
    FROM polls
    WHERE epoch_us(polled_at) > $starts_at - $carry_us AND epoch_us(polled_at) <= $as_of
    UNION ALL
    -- As if there had been a poll that is believed just until the window starts.
    SELECT store_key, NULL, $starts_at - $carry_us
    FROM stores
),

neighbours AS (
    SELECT *, lead(polled_at) OVER (PARTITION BY store_key ORDER BY polled_at) AS next_polled_at
    FROM known
    QUALIFY coalesce(next_polled_at, $as_of) - polled_at > $carry_us
),

stretches AS (
    SELECT
        store_key,
        last_polled_at,
        next_polled_at,
        polled_at + $carry_us AS starts_at,
        -- A store's first poll ever also holds for one carry limit before it.
        coalesce(next_polled_at - CASE WHEN next_polled_at = first_polled_at THEN $carry_us ELSE 0 END, $as_of) AS ends_at
    FROM neighbours
    JOIN stores USING (store_key)
)

SELECT
    stretches.*,
    coalesce(ending.clock_us + least(ends_at, ending.closes_at) - ending.opens_at, 0)
    - coalesce(starting.clock_us + least(starts_at, starting.closes_at) - starting.opens_at, 0) AS unknown_us
FROM stretches
ASOF LEFT JOIN open_intervals AS starting
    ON starting.store_key = stretches.store_key AND starting.opens_at <= stretches.starts_at
ASOF LEFT JOIN open_intervals AS ending
    ON ending.store_key = stretches.store_key AND ending.opens_at <= stretches.ends_at
WHERE starts_at < ends_at
