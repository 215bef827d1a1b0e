-- row    a cell of which a piece takes more, or less, than of the cell before
-- reads  local_pieces
-- units  more_us: microseconds
--
-- Cells are the hours of the week, from Monday's first, one row of the answer after the other: after a row's last comes
-- the next row's first. A piece takes all of each hour from the one in which it starts, but of that one only what lies
-- after its start; none from the one in which it ends, but of that one what lies before its end; and all of every hour
-- once more each time the week turns.
SELECT
    held,
    first_cell + local // 3_600_000_000 % 168 + later AS cell,
    sign * (CASE later WHEN 0 THEN 3_600_000_000 - local % 3_600_000_000 ELSE local % 3_600_000_000 END) AS more_us
FROM (
    SELECT first_cell, held, starts_local AS local, 1 AS sign FROM local_pieces
    UNION ALL
    SELECT first_cell, held, ends_local, -1 FROM local_pieces
)
CROSS JOIN (VALUES (0), (1)) AS cells (later)
WHERE more_us <> 0
UNION ALL
SELECT
    held,
    first_cell + later,
    sign * 3_600_000_000 * (ends_local // 604_800_000_000 - starts_local // 604_800_000_000) AS more_us
FROM local_pieces
CROSS JOIN (VALUES (0, 1), (168, -1)) AS cells (later, sign)
WHERE more_us <> 0
