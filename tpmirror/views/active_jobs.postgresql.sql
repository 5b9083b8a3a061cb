-- A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.
-- What each column holds: active_jobs.sql.
SELECT
  o.job_id,
  o.status,
  o.status_name,
  o.presence,
  o.preview,
  o.description,
  o.input_name,
  o.models,
  o.resolution,
  o.credits,
  o.started,
  CASE
    WHEN o.started IS NOT NULL THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM now() - o.started)), 3) AS double precision)
  END AS waiting_s,
  COALESCE(h.occurred_at, h.observed_at) AS status_since,
  CAST(
    ROUND(GREATEST(0, EXTRACT(EPOCH FROM now() - COALESCE(h.occurred_at, h.observed_at))), 3) AS double precision
  ) AS status_s,
  o.processing_progress,
  o.eta_s
FROM job_overview AS o
LEFT JOIN job_status_history AS h
  ON h.job_id = o.job_id AND h.seq = (SELECT MAX(l.seq) FROM job_status_history AS l WHERE l.job_id = o.job_id)
WHERE NOT o.is_terminal AND o.presence <> 'gone'
ORDER BY o.started, o.job_id
