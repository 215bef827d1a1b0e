-- row    a spell in state inactive, clipped to a part of a window
-- reads  spells, stores, windows
-- units  starts_at and ends_at, of the spell, within_from and within_to, of the clip: microseconds since 1970 in UTC
--
-- The parts that a series gives one bucket (an hour that the clocks show twice) go by the number of their first.
SELECT
    first_part AS part,
    store_key,
    spells.starts_at,
    spells.ends_at,
    greatest(spells.starts_at, parts.starts_at) AS within_from,
    least(spells.ends_at, parts.ends_at) AS within_to
FROM spells
JOIN stores USING (store_key)
JOIN (SELECT *, min(part) OVER (PARTITION BY "window", zone_key, bucket) AS first_part FROM windows) AS parts
    ON stores.zone_key = parts.zone_key AND spells.starts_at < parts.ends_at
WHERE within_from < within_to
