-- row    an instant at which a part of a window of a store starts or ends
-- reads  stores, windows
-- units  instant in microseconds since 1970 in UTC
SELECT store_key, instant
FROM stores
JOIN (SELECT zone_key, starts_at AS instant FROM windows UNION SELECT zone_key, ends_at FROM windows) USING (zone_key)
