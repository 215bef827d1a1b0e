-- row    an instant from which on a state of a store is held, until the next one; it may be the same as before
-- reads  changes
-- units  instant in microseconds since 1970 in UTC; active: null for unknown, false where two changes at one disagree
SELECT store_key, instant, bool_and(becomes) AS active
FROM changes
GROUP BY store_key, instant
ORDER BY store_key, instant
