-- Rows could not be read, and were set aside.
-- row    a rejected row; one of each file and reason first, the commonest before the others, then the next one of each
-- reads  rejected
-- units  alike: rows of the same file and reason; line from 1, the header's; rejected_at in microseconds since 1970
SELECT file, reason, alike, line, row, epoch_us(rejected_at) AS rejected_at
FROM (
    SELECT
        *,
        count(*) OVER (PARTITION BY file, reason) AS alike,
        row_number() OVER (PARTITION BY file, reason ORDER BY rejected_at DESC, line, row) AS place
    FROM rejected
)
ORDER BY place, alike DESC, file, reason
