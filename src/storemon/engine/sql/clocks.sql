-- row    a boundary of a store with its three clocks there
-- reads  marks
-- units  clock_us, uptime_us, downtime_us: open, active and inactive microseconds before the instant
--
-- With U the active clock, C the business clock, and a change from state s to s' at c: U grows by C - c from there on
-- if s' is active, and no longer grows if s was. So U = sum(c of ends) - sum(c of starts) + C * (starts - ends).
SELECT
    store_key,
    instant,
    clock_us,
    sum(clock_us * ((was IS TRUE)::INTEGER - (becomes IS TRUE)::INTEGER)) OVER passed
    + clock_us * sum((becomes IS TRUE)::INTEGER - (was IS TRUE)::INTEGER) OVER passed AS uptime_us,
    sum(clock_us * ((was IS FALSE)::INTEGER - (becomes IS FALSE)::INTEGER)) OVER passed
    + clock_us * sum((becomes IS FALSE)::INTEGER - (was IS FALSE)::INTEGER) OVER passed AS downtime_us
FROM marks
WINDOW passed AS (PARTITION BY store_key ORDER BY instant RANGE UNBOUNDED PRECEDING)
QUALIFY is_boundary
