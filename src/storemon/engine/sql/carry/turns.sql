-- row    a believed poll at which the state turns, or after which it lapses for want of another poll
-- reads  believed_polls, $carry_us
-- units  polled_at in microseconds since 1970 in UTC; was: active before it, null for unknown
SELECT
    store_key,
    polled_at,
    active,
    CASE WHEN lag(polled_at) OVER polls + $carry_us >= polled_at THEN lag(active) OVER polls END AS was,
    coalesce(lead(polled_at) OVER polls > polled_at + $carry_us, true) AS lapses
FROM believed_polls
-- Inactive comes last at one instant, and so is what holds from there on: an outage is never hidden.
WINDOW polls AS (PARTITION BY store_key ORDER BY polled_at, active DESC)
QUALIFY was IS DISTINCT FROM active OR lapses
