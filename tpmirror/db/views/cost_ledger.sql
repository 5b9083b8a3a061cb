-- A charge of a job or a later correction of it, signed, in Credits; the month of an entry never changes.
-- job_id (integer): job
-- entry (integer): 0 for the charge, else the number in field_changes of the change that corrected it
-- kind (text): charge: what the job cost when it was first seen; correction: by how much a change moved that
-- booked_at (time): charge: when the job started, as first seen, else when it was first seen; correction: when it was seen
-- day (date): day of booked_at (UTC)
-- month (text): its month, YYYY-MM
-- credits (money): the amount charged; each job has one charge, 0 for a free preview; sums to job_overview.credits exactly
-- stated (money): the amount as upstream states it; sums to jobs.cost_usd exactly
-- preview (boolean): whether the job was a free preview then
WITH
  corrected AS (
    SELECT job_id, CAST(SUM(units) AS bigint) AS units, CAST(SUM(stated_units) AS bigint) AS stated_units
    FROM cost_corrections
    GROUP BY job_id
  ),
  first_change AS (
    SELECT MIN(id) AS id, entity_id AS job_id, field
    FROM field_changes
    WHERE entity = 'job' AND field IN ('preview', 'started')
    GROUP BY entity_id, field
  ),
  first AS (
    -- What changed since is known by its first old value, what did not by what it is.
    SELECT
      j.id AS job_id,
      COALESCE(
        CASE WHEN s.id IS NULL THEN j.started ELSE 
          -- As times are held here: a space, six decimals, an offset.
          replace(substr(s.old_value, 1, 19), 'T', ' ')
            || CASE WHEN substr(s.old_value, 20, 1) = '.' THEN substr(s.old_value, 20, 7) ELSE '.000000' END || '+00:00' END,
        j.first_seen_at
      ) AS booked_at,
      CASE WHEN p.id IS NULL THEN COALESCE(j.preview, FALSE) ELSE COALESCE(p.old_value, '') = 'true' END AS preview,
      CAST(ROUND(COALESCE(j.cost_usd, 0) * 10000) AS bigint) AS units,
      COALESCE(j.preview, FALSE) AS is_preview
    FROM jobs AS j
    LEFT JOIN first_change AS fs ON fs.job_id = j.id AND fs.field = 'started'
    LEFT JOIN field_changes AS s ON s.id = fs.id
    LEFT JOIN first_change AS fp ON fp.job_id = j.id AND fp.field = 'preview'
    LEFT JOIN field_changes AS p ON p.id = fp.id
  )
SELECT
  f.job_id,
  CAST(0 AS bigint) AS entry,
  'charge' AS kind,
  f.booked_at,
  date(f.booked_at) AS day,
  substr(f.booked_at, 1, 7) AS month,
  -- What the job costs now, less what corrections have moved since it was first seen.
  ROUND((CASE WHEN f.is_preview THEN 0 ELSE f.units END - COALESCE(c.units, 0)) / 10000.0, 4) AS credits,
  ROUND((f.units - COALESCE(c.stated_units, 0)) / 10000.0, 4) AS stated,
  f.preview
FROM first AS f
LEFT JOIN corrected AS c ON c.job_id = f.job_id
UNION ALL
SELECT
  job_id,
  field_change_id,
  'correction',
  observed_at,
  date(observed_at),
  substr(observed_at, 1, 7),
  credits,
  stated,
  new_preview
FROM cost_corrections
WHERE units <> 0 OR stated_units <> 0
