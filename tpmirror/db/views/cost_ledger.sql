-- A charge of a job or a later correction of it, signed, in Credits; sums to jobs.cost_usd exactly.
-- job_id (integer): job
-- entry (integer): 0 for the charge, else the number in field_changes of the change that corrected it
-- kind (text): charge: what the job cost when it was first seen; correction: by how much a change moved that
-- booked_at (time): charge: when the job finished, else started, else was first seen; correction: when it was seen
-- day (date): day of booked_at (UTC)
-- month (text): its month, YYYY-MM
-- credits (money): the amount; each job has one charge, of 0 if it was without a cost
-- preview (boolean): whether the job is a free preview: what upstream states as its cost is not charged
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
  date(c.observed_at),
  substr(c.observed_at, 1, 7),
  c.credits,
  COALESCE(j.preview, FALSE)
FROM cost_corrections AS c
JOIN jobs AS j ON j.id = c.job_id
WHERE c.units <> 0
