-- row    a spell in state inactive, and what of it lies in a part of a window: from starts_at to ends_at
-- reads  spells, stores, windows
-- units  instants in microseconds since 1970 in UTC
--
-- The parts that a series gives one bucket (an hour that the clocks show twice) go by the number of their first.
SELECT
    first_part AS part,
    store_key,
    spell_starts_at,
    spell_ends_at,
    greatest(spell_starts_at, parts.starts_at) AS starts_at,
    least(spell_ends_at, parts.ends_at) AS ends_at
FROM spells
JOIN stores USING (store_key)
JOIN (SELECT *, min(part) OVER (PARTITION BY "window", zone_key, bucket) AS first_part FROM windows) AS parts
    ON stores.zone_key = parts.zone_key
    AND spell_starts_at < parts.ends_at
    AND coalesce(spell_ends_at, parts.ends_at) > parts.starts_at
WHERE parts.starts_at < parts.ends_at
