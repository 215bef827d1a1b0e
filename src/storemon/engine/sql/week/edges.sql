-- row    a cell of which a piece takes more, or less, than of the one before; cells are the hours of the week, row by
--        row of the answer, so that the next row's first is the one after a row's last
-- reads  local_pieces
-- units  more_us: microseconds
--
-- From the hour in which it starts, a piece takes all of each, but of that one only what lies after its start. From the
-- hour in which it ends, it takes nothing, but of that one what lies before its end. It takes all once more each time
-- the week turns.
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
