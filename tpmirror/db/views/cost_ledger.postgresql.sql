-- A charge of a job or a later correction of it, signed, in Credits; the month of an entry never changes.
-- What each column holds: cost_ledger.sql.
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
        CASE WHEN s.id IS NULL THEN j.started ELSE CAST(s.old_value AS timestamptz) END,
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
  CAST(f.booked_at AT TIME ZONE 'UTC' AS date) AS day,
  to_char(f.booked_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
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
  CAST(observed_at AT TIME ZONE 'UTC' AS date),
  to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM'),
  credits,
  stated,
  new_preview
FROM cost_corrections
WHERE units <> 0 OR stated_units <> 0
