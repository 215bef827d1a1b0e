-- Stores have opening hours or a time zone, but were never polled.
-- row    a store, the one with the most weekdays in the hours first
-- reads  stores, hours, zones
-- units  weekdays: how many of the week it has hours on; zone: null without one
SELECT store_id, count(DISTINCT weekday) AS weekdays, zone
FROM zones
FULL JOIN hours USING (store_id)
WHERE NOT EXISTS (FROM stores WHERE stores.store_id = coalesce(zones.store_id, hours.store_id))
GROUP BY store_id, zone
ORDER BY weekdays DESC, store_id
