-- row    a store and a part of a window, with the open time in it that maintenance takes out
-- reads  windows, stores, excluded_clocks
-- units  microseconds
SELECT part, store_key, excluded_us
FROM (
    -- As of the figures, the starts come first and on their own.
    WITH starts AS MATERIALIZED (
        SELECT part, ends_at, excluded_clocks.*
        FROM windows
        JOIN stores USING (zone_key)
        JOIN excluded_clocks ON excluded_clocks.store_key = stores.store_key AND instant = windows.starts_at
    )

    SELECT part, starts.store_key, ends.clock_us - starts.clock_us AS excluded_us
    FROM starts
    JOIN excluded_clocks AS ends ON ends.store_key = starts.store_key AND ends.instant = starts.ends_at
)
