-- row    a store and a part of a window in which it has outages
-- reads  downtimes
-- units  microseconds; an outage has ended if something ended its spell at or before as-of, in the part or after it
SELECT
    part,
    store_key,
    count(*) AS outages,
    count(spell_ends_at) AS ended_outages,
    coalesce(sum(downtime_us) FILTER (spell_ends_at IS NOT NULL), 0)::BIGINT AS ended_downtime_us,
    max(downtime_us) AS longest_us
FROM downtimes
GROUP BY part, store_key
