-- row    an outage: a spell in state inactive, and a part of a window in which it has open time
-- reads  clips, edges
-- units  instants in microseconds since 1970 in UTC; downtime_us: its open microseconds in the part
--
-- Each clip has its edges; the joins are LEFT so that DuckDB doesn't join all edges of a store with each other first.
SELECT
    part,
    clips.store_key,
    spell_starts_at,
    spell_ends_at,
    sum(ends.clock_us - starts.clock_us)::BIGINT AS downtime_us
FROM clips
LEFT JOIN edges AS starts ON clips.store_key = starts.store_key AND clips.starts_at = starts.instant
LEFT JOIN edges AS ends ON clips.store_key = ends.store_key AND clips.ends_at = ends.instant
GROUP BY part, clips.store_key, spell_starts_at, spell_ends_at
HAVING downtime_us > 0
