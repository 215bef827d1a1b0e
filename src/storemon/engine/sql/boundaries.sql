-- row    an instant at which a window of a store starts or ends
-- reads  stores, windows
-- units  instant in microseconds since 1970 in UTC
SELECT store_key, instant
FROM stores
CROSS JOIN (SELECT starts_at AS instant FROM windows UNION SELECT ends_at FROM windows)
