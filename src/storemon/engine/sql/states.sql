-- row    an instant from which on a state of a store is held, until the next one; not always another than before
-- reads  changes
-- units  instant in microseconds since 1970 in UTC; active: null for unknown, false if two changes at an instant disagree
SELECT store_key, instant, bool_and(becomes) AS active
FROM changes
GROUP BY store_key, instant
ORDER BY store_key, instant
