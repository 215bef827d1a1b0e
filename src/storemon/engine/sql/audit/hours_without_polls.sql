-- Stores have opening hours or a time zone, but were never polled.
-- row    a store, the one with the most rows in the hours first
-- reads  stores, hours, zones
-- units  schedule_rows: its rows in the hours; zone: null without one
SELECT store_id, count(weekday) AS schedule_rows, zone
FROM zones
FULL JOIN hours USING (store_id)
WHERE NOT EXISTS (FROM stores WHERE stores.store_id = coalesce(zones.store_id, hours.store_id))
GROUP BY store_id, zone
ORDER BY schedule_rows DESC, store_id
