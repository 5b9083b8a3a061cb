-- How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.
-- What each column holds: sync_health.sql.
WITH
  runs AS (
    SELECT
      (SELECT MAX(id) FROM sync_runs) AS last_id,
      -- A certificate without these words is of version 0.1 and proves ids only.
      (
        SELECT MAX(id) FROM sync_runs WHERE certificate IS NOT NULL AND certified AND certificate LIKE '%"incomplete"%'
      ) AS certified_id,
      (SELECT MAX(id) FROM sync_runs WHERE outcome = 'failed') AS failed_id
  ),
  proof AS (
    SELECT CAST(CAST(c.certificate AS json) ->> 'counted_at' AS timestamptz) AS certified_at
    FROM runs AS r
    LEFT JOIN sync_runs AS c ON c.id = r.certified_id
  ),
  faulty AS (
    SELECT
      MAX(CASE WHEN j.id IS NULL OR q.field IS NULL THEN 1 ELSE 0 END) AS is_unreadable,
      MIN(CASE WHEN q.accepted_at IS NULL THEN 0 ELSE 1 END) AS is_accepted
    FROM quarantined_jobs AS q
    LEFT JOIN jobs AS j ON j.id = q.job_id
    WHERE q.resolved_at IS NULL
      AND q.job_id IS NOT NULL
      AND COALESCE(q.field, '') NOT IN ('job.eta_s', 'job.processing_progress')
      AND COALESCE(j.presence, 'listed') = 'listed'
    GROUP BY q.job_id
  )
SELECT
  p.certified_at,
  -- A proof dated in the future says nothing about freshness; clocks may differ by a minute.
  CASE
    WHEN p.certified_at - now() <= interval '60 seconds'
    THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM now() - p.certified_at)), 3) AS double precision)
  END AS certified_age_s,
  l.id AS last_run_id,
  l.kind AS last_run_kind,
  l.outcome AS last_run_outcome,
  l.started_at AS last_run_at,
  (SELECT finished_at FROM sync_runs WHERE outcome = 'succeeded' ORDER BY id DESC LIMIT 1) AS last_success_at,
  f.finished_at AS last_failure_at,
  f.error AS last_error,
  (SELECT COUNT(*) FROM jobs) AS jobs,
  (
    SELECT COUNT(*)
    FROM jobs AS j JOIN job_statuses AS s ON s.code = j.status
    WHERE NOT s.is_terminal AND j.presence <> 'gone'
  ) AS in_flight,
  (SELECT COUNT(*) FROM jobs WHERE presence = 'missing') AS missing,
  (
    SELECT COUNT(*)
    FROM job_absences AS a JOIN jobs AS j ON j.id = a.job_id
    WHERE a.answer IN ('not found', 'not asked', 'restored') AND a.confirmed_at IS NULL
      AND j.presence IN ('missing', 'listed', 'unlisted')
  ) AS waiting_for_operator,
  (SELECT COUNT(*) FROM quarantined_jobs WHERE resolved_at IS NULL) AS quarantined,
  (SELECT COUNT(*) FROM faulty WHERE is_unreadable = 1) AS unreadable,
  (SELECT COUNT(*) FROM faulty WHERE is_unreadable = 0) AS incomplete,
  (SELECT COUNT(*) FROM faulty WHERE is_accepted = 1) AS accepted
FROM runs AS r
CROSS JOIN proof AS p
LEFT JOIN sync_runs AS l ON l.id = r.last_id
LEFT JOIN sync_runs AS f ON f.id = r.failed_id
