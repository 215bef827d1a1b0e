-- row    a spell of a store in state inactive
-- reads  changes
-- units  instants in microseconds since 1970 in UTC; spell_ends_at: null if no poll that is gathered ends it
--
-- Two changes can lie at one instant, of polls that disagree; what they come to together may be no change at all.
SELECT
    store_key,
    instant AS spell_starts_at,
    lead(instant) OVER (PARTITION BY store_key ORDER BY instant) AS spell_ends_at
FROM (
    SELECT store_key, instant, sum((becomes IS FALSE)::INTEGER - (was IS FALSE)::INTEGER) AS turn
    FROM changes
    GROUP BY store_key, instant
)
WHERE turn <> 0
QUALIFY turn > 0
