-- row    a store and a part of a window, with the figures of the store in it
-- reads  windows, stores, clocks
-- units  microseconds
SELECT *, service_us - uptime_us - downtime_us AS unknown_us
FROM (
    SELECT
        part,
        stores.store_key,
        (ends.clock_us - starts.clock_us)::BIGINT AS service_us,
        (ends.uptime_us - starts.uptime_us)::BIGINT AS uptime_us,
        (ends.downtime_us - starts.downtime_us)::BIGINT AS downtime_us
    FROM windows
    JOIN stores USING (zone_key)
    JOIN clocks AS starts ON starts.store_key = stores.store_key AND starts.instant = windows.starts_at
    JOIN clocks AS ends ON ends.store_key = stores.store_key AND ends.instant = windows.ends_at
)
