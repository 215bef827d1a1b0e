-- row    a store and a part of a window, with the figures of the store in it
-- reads  windows, stores, clocks
-- units  microseconds
--
-- The starts come first and on their own: else each boundary of a store might meet each other one before its part does.
SELECT *, service_us - uptime_us - downtime_us AS unknown_us
FROM (
    WITH starts AS MATERIALIZED (
        SELECT part, ends_at, clocks.*
        FROM windows
        JOIN stores USING (zone_key)
        JOIN clocks ON clocks.store_key = stores.store_key AND clocks.instant = windows.starts_at
    )

    SELECT
        part,
        starts.store_key,
        (ends.clock_us - starts.clock_us)::BIGINT AS service_us,
        (ends.uptime_us - starts.uptime_us)::BIGINT AS uptime_us,
        (ends.downtime_us - starts.downtime_us)::BIGINT AS downtime_us
    FROM starts
    JOIN clocks AS ends ON ends.store_key = starts.store_key AND ends.instant = starts.ends_at
)
