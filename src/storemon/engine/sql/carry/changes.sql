-- row    an instant at which the state of a store changes: the start of a spell
-- reads  turns, $until, $carry_us
-- units  instant in microseconds since 1970 in UTC; was and becomes: active, null for unknown
SELECT store_key, polled_at AS instant, was, active AS becomes
FROM turns
WHERE was IS DISTINCT FROM active
UNION ALL
SELECT store_key, polled_at + $carry_us, active, NULL
FROM turns
WHERE lapses AND polled_at + $carry_us <= $until
