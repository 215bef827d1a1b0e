-- row    an hour of week (0 is the first on Monday) that a piece fills more, or less, than it fills the hour before
-- reads  local_pieces
-- units  more_us: microseconds
--
-- A piece fills every hour from the one in which it starts on, but for what lies before its start in that one. So does
-- the time from its end on, which is taken away again. Each time the week turns, the piece fills all hours once more.
SELECT
    row,
    held,
    local // 3_600_000_000 % 168 + later AS hour_of_week,
    sign * (CASE later WHEN 0 THEN 3_600_000_000 - local % 3_600_000_000 ELSE local % 3_600_000_000 END) AS more_us
FROM (
    SELECT row, held, starts_local AS local, 1 AS sign FROM local_pieces
    UNION ALL
    SELECT row, held, ends_local, -1 FROM local_pieces
)
CROSS JOIN (VALUES (0), (1)) AS hours (later)
WHERE more_us <> 0 AND hour_of_week < 168
UNION ALL
SELECT row, held, 0, 3_600_000_000 * (ends_local // 604_800_000_000 - starts_local // 604_800_000_000) AS more_us
FROM local_pieces
WHERE more_us <> 0
