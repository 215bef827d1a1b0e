-- row    a store and a part of a window, with the open time in it that maintenance takes out
-- reads  windows, stores, excluded_clocks
-- units  microseconds
SELECT part, stores.store_key, ends.clock_us - starts.clock_us AS excluded_us
FROM windows
JOIN stores USING (zone_key)
JOIN excluded_clocks AS starts ON starts.store_key = stores.store_key AND starts.instant = windows.starts_at
JOIN excluded_clocks AS ends ON ends.store_key = stores.store_key AND ends.instant = windows.ends_at
