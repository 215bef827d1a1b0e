-- row    a store and a window, with the figures of the store in that window
-- reads  windows, clocks
-- units  microseconds
SELECT *, service_us - uptime_us - downtime_us AS unknown_us
FROM (
    SELECT
        windows.name AS window_name,
        ends.store_key,
        (ends.clock_us - starts.clock_us)::BIGINT AS service_us,
        (ends.uptime_us - starts.uptime_us)::BIGINT AS uptime_us,
        (ends.downtime_us - starts.downtime_us)::BIGINT AS downtime_us
    FROM windows
    JOIN clocks AS starts ON starts.instant = windows.starts_at
    JOIN clocks AS ends ON ends.instant = windows.ends_at AND ends.store_key = starts.store_key
)
