-- row    a store and a part of a window in which it has outages
-- reads  downtimes
-- units  microseconds; only outages that have ended count as ended, at whatever instant up to as-of
SELECT
    part,
    store_key,
    count(*) AS outages,
    count(ends_at) AS ended_outages,
    coalesce(sum(downtime_us) FILTER (ends_at IS NOT NULL), 0)::BIGINT AS ended_downtime_us,
    max(downtime_us) AS longest_us
FROM downtimes
GROUP BY part, store_key
