-- Stores are polled, but have no time zone.
-- row    a store, the one with the most weekdays in the hours first
-- reads  stores, hours, zones
-- units  weekdays: how many of the week it has hours on
SELECT store_id, count(DISTINCT weekday) AS weekdays
FROM stores
LEFT JOIN hours USING (store_id)
WHERE NOT EXISTS (FROM zones WHERE zones.store_id = stores.store_id)
GROUP BY store_id
ORDER BY weekdays DESC, store_id
