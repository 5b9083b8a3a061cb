-- A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.
-- What each column holds: cost_ledger.sql.
SELECT
  o.job_id,
  CAST(0 AS bigint) AS entry,
  'charge' AS kind,
  COALESCE(o.finished, o.started, o.first_seen_at) AS booked_at,
  o.day,
  o.month,
  -- What the job costs now, less what corrections have moved since it was first seen.
  ROUND((CAST(ROUND(COALESCE(o.cost_usd, 0) * 10000) AS bigint) - COALESCE(c.units, 0)) / 10000.0, 4) AS credits,
  o.preview
FROM job_overview AS o
LEFT JOIN (
  SELECT job_id, CAST(SUM(units) AS bigint) AS units FROM cost_corrections GROUP BY job_id
) AS c ON c.job_id = o.job_id
UNION ALL
SELECT
  c.job_id,
  c.field_change_id,
  'correction',
  c.observed_at,
  CAST(c.observed_at AT TIME ZONE 'UTC' AS date),
  to_char(c.observed_at AT TIME ZONE 'UTC', 'YYYY-MM'),
  c.credits,
  COALESCE(j.preview, FALSE)
FROM cost_corrections AS c
JOIN jobs AS j ON j.id = c.job_id
WHERE c.units <> 0
