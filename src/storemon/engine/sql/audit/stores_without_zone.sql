-- Stores are polled, but have no time zone.
-- row    a store, the one with the most rows in the hours first
-- reads  stores, hours, zones
-- units  schedule_rows: its rows in the hours
SELECT store_id, count(hours.store_id) AS schedule_rows
FROM stores
LEFT JOIN hours USING (store_id)
WHERE NOT EXISTS (FROM zones WHERE zones.store_id = stores.store_id)
GROUP BY store_id
ORDER BY schedule_rows DESC, store_id
