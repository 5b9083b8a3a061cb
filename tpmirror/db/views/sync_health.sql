-- How the mirror is, in one row: proven complete as of when, last run and failure, what waits for somebody.
-- certified_at (time): the last instant at which the mirror provably held exactly the listed jobs, each as shown; null: never
-- certified_age_s (real): seconds since then, on the database's clock; null if never, or in the future by that clock
-- last_run_id (integer): newest run; null if there was none
-- last_run_kind (text): full or poll
-- last_run_outcome (text): running, succeeded, failed, interrupted or abandoned
-- last_run_at (time): when it began
-- last_success_at (time): when a run last ended well
-- last_failure_at (time): when a run last failed
-- last_error (text): why it failed
-- jobs (integer): jobs in the mirror, gone ones included
-- in_flight (integer): jobs that are not over and not gone
-- missing (integer): jobs that the list lacks without an explanation yet
-- waiting_for_operator (integer): jobs that wait for tpmirror gone confirm or restore
-- quarantined (integer): items and values that could not be mirrored and are not resolved, accepted ones included
-- unreadable (integer): listed jobs of which nothing could be read
-- incomplete (integer): listed jobs with a value that could not be held; the view held_values names the columns
-- accepted (integer): those of both of which an operator accepted every fault
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
    SELECT replace(replace(json_extract(c.certificate, '$.counted_at'), 'T', ' '), 'Z', '+00:00') AS certified_at
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
    WHEN 86400 * (julianday(p.certified_at) - julianday('now')) <= 60
    THEN ROUND(MAX(0, 86400 * (julianday('now') - julianday(p.certified_at))), 3)
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
