-- row    an instant at which a spell, or what of it lies in a part of a window, starts or ends; with the business clock
-- reads  clips, open_intervals, $until
-- units  instant in microseconds since 1970 in UTC; clock_us: open microseconds before the instant
SELECT edges.store_key, instant, coalesce(clock_us + least(instant, closes_at) - opens_at, 0) AS clock_us
FROM (
    SELECT DISTINCT
        store_key, unnest([starts_at, ends_at, spell_starts_at, coalesce(spell_ends_at, $until)]) AS instant
    FROM clips
) AS edges
ASOF LEFT JOIN open_intervals
    ON edges.store_key = open_intervals.store_key AND edges.instant >= open_intervals.opens_at
