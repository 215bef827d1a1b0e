-- row    a stretch of the window in which nothing is known of a store, with the polls that bound it
-- reads  stores, polls, open_intervals, $starts_at, $as_of, $carry_us
-- units  instants in microseconds since 1970 in UTC; unknown_us: the open microseconds in it
WITH known AS (
    -- Polls of one cell are less than a carry limit apart: what is unknown lies between the cells' last and first ones.
    SELECT store_key, min(epoch_us(polled_at)) AS first_at, max(epoch_us(polled_at)) AS last_at, true AS is_poll
    FROM polls
    WHERE epoch_us(polled_at) > $starts_at - $carry_us AND epoch_us(polled_at) <= $as_of
    GROUP BY store_key, (epoch_us(polled_at) - $starts_at + $carry_us) // $carry_us
    UNION ALL
    -- As if there had been a poll that is believed just until the window starts.
    SELECT store_key, $starts_at - $carry_us, $starts_at - $carry_us, false
    FROM stores
),

stretches AS (
    SELECT
        store_key,
        CASE WHEN is_poll THEN last_at END AS last_polled_at,
        lead(first_at) OVER (PARTITION BY store_key ORDER BY first_at) AS next_polled_at,
        last_at + $carry_us AS starts_at,
        -- A store's first poll ever also holds for one carry limit before it.
        coalesce(next_polled_at - if(next_polled_at = first_polled_at, $carry_us, 0), $as_of) AS ends_at
    FROM known
    JOIN stores USING (store_key)
    QUALIFY starts_at < ends_at
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
