-- row    a distinct shift of a store on a weekday
-- reads  hours
-- units  opens_local, closes_local: seconds after local midnight of the weekday; adds_us: what no earlier shift covers
WITH written AS (  -- rule 4 of docs/semantics.md, "Service time"
    SELECT
        store_id,
        weekday,
        opens_local,
        CASE WHEN closes_local >= 86340 THEN 86400 ELSE closes_local END AS closes_local
    FROM hours
),

meant AS (  -- rule 5
    SELECT DISTINCT
        * REPLACE (closes_local + CASE WHEN closes_local <= opens_local THEN 86400 ELSE 0 END AS closes_local)
    FROM written
)

SELECT
    *,
    1000000::BIGINT * greatest(0, closes_local - greatest(opens_local, max(closes_local) OVER earlier)) AS adds_us,
    strftime(to_timestamp(opens_local), '%H:%M:%S') || '-' || strftime(to_timestamp(closes_local), '%H:%M:%S') AS shift
FROM meant
WINDOW earlier AS (
    PARTITION BY store_id, weekday
    ORDER BY opens_local, closes_local
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)
