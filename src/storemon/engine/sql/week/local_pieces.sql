-- row    a piece, inside the window and between two changes of the clocks, in local time, for a row of the answer
-- reads  pieces, stores, rows, offsets
-- units  starts_local and ends_local in microseconds since a Monday before all time, by the wall clock
SELECT
    row,
    held,
    greatest(pieces.starts_at, offsets.starts_at) + offset_us AS starts_local,
    least(pieces.ends_at, offsets.ends_at) + offset_us AS ends_local
FROM pieces
JOIN stores USING (store_key)
JOIN rows USING (store_key)
JOIN offsets USING (zone_key)
WHERE pieces.starts_at < offsets.ends_at AND pieces.ends_at > offsets.starts_at
