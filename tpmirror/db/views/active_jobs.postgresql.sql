-- A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.
-- What each column holds: active_jobs.sql.
SELECT
  a.job_id,
  a.status,
  a.status_name,
  a.presence,
  a.preview,
  a.description,
  a.input_name,
  a.models,
  a.resolution,
  a.credits,
  a.started,
  CASE
    WHEN a.started IS NOT NULL THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM now() - a.started)), 3) AS double precision)
  END AS waiting_s,
  a.status_since,
  CASE
    WHEN a.status_since IS NOT NULL THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM now() - a.status_since)), 3) AS double precision)
  END AS status_s,
  a.processing_progress,
  a.eta_s
FROM (
  SELECT
    o.*,
    (
      SELECT COALESCE(h.occurred_at, h.observed_at)
      FROM job_status_history AS h
      WHERE h.job_id = o.job_id
      ORDER BY h.seq DESC
      LIMIT 1
    ) AS status_since
  FROM job_overview AS o
  WHERE NOT o.is_terminal AND o.presence <> 'gone'
) AS a
ORDER BY a.started NULLS LAST, a.job_id
