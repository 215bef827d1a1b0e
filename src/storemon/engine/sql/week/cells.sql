-- row    a cell of which more, or less, is held in a state, or excluded, than of the one before
-- reads  edges
-- units  more_us: microseconds
SELECT held, cell, sum(more_us)::BIGINT AS more_us
FROM edges
GROUP BY held, cell
