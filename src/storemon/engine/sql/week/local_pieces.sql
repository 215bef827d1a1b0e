-- row    a piece by the wall clock, inside the window, and cut where the clock is changed
-- reads  pieces, stores, cells_of_stores, offsets
-- units  starts_local and ends_local in microseconds since a Monday before all time; first_cell: of the store's row
SELECT
    first_cell,
    held,
    greatest(pieces.starts_at, offsets.starts_at) + offset_us AS starts_local,
    least(pieces.ends_at, offsets.ends_at) + offset_us AS ends_local
FROM pieces
JOIN stores USING (store_key)
JOIN cells_of_stores USING (store_key)
JOIN offsets USING (zone_key)
WHERE pieces.starts_at < offsets.ends_at AND pieces.ends_at > offsets.starts_at
