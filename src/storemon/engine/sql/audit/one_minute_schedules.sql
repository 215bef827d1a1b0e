-- Stores are open for no more than a minute of a weekday.
-- row    a weekday of a store, the shortest first
-- reads  shifts
-- units  weekday: 0 is Monday; shifts: wall times; open_us: the open microseconds of the weekday
SELECT
    store_id,
    weekday,
    string_agg(shift, ', ' ORDER BY opens_local, closes_local) AS shifts,
    sum(adds_us)::BIGINT AS open_us
FROM shifts
GROUP BY store_id, weekday
HAVING open_us <= 60000000
ORDER BY open_us, store_id, weekday
