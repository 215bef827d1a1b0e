-- Stores have shifts of one weekday that overlap.
-- row    a weekday of a store, the one with the longest overlap first
-- reads  shifts
-- units  weekday: 0 is Monday; shifts: wall times; overlap_us: microseconds that more than one shift covers, each time
--        after the first
SELECT
    store_id,
    weekday,
    string_agg(shift, ', ' ORDER BY opens_local, closes_local) AS shifts,
    sum(1000000::BIGINT * (closes_local - opens_local) - adds_us)::BIGINT AS overlap_us
FROM shifts
GROUP BY store_id, weekday
HAVING overlap_us > 0
ORDER BY overlap_us DESC, store_id, weekday
