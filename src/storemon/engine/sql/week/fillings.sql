-- row    a row of the answer and an hour of week that is filled more, or less, than the hour before
-- reads  edges
-- units  microseconds more
SELECT
    row,
    hour_of_week,
    coalesce(sum(more_us) FILTER (held = 'active'), 0)::BIGINT AS uptime_us,
    coalesce(sum(more_us) FILTER (held = 'inactive'), 0)::BIGINT AS downtime_us,
    coalesce(sum(more_us) FILTER (held = 'unknown'), 0)::BIGINT AS unknown_us,
    coalesce(sum(more_us) FILTER (held = 'excluded'), 0)::BIGINT AS excluded_us
FROM edges
GROUP BY row, hour_of_week
