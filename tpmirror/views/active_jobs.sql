-- A job in flight, longest waiting first: in the queue, processing, or in a status that this version does not know.
-- job_id (integer): job
-- status (integer): status code
-- status_name (text): status
-- presence (text): listed, missing or unlisted
-- preview (boolean): free preview
-- description (text): free text
-- input_name (text): name of the input video
-- models (text): names of the models, separated by commas
-- resolution (text): output resolution
-- credits (money): what it costs; a preview 0
-- started (time): upstream's start time, probably the creation
-- waiting_s (real): seconds since then, on the database's clock
-- status_since (time): when upstream says that it came into its status, else when the mirror saw it there
-- status_s (real): seconds since then
-- processing_progress (real): ratio from 0 to 1, as last seen
-- eta_s (real): estimated seconds to the end, as last seen
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
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(o.started))), 3) AS waiting_s,
  COALESCE(h.occurred_at, h.observed_at) AS status_since,
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(COALESCE(h.occurred_at, h.observed_at)))), 3) AS status_s,
  o.processing_progress,
  o.eta_s
FROM job_overview AS o
LEFT JOIN job_status_history AS h
  ON h.job_id = o.job_id AND h.seq = (SELECT MAX(l.seq) FROM job_status_history AS l WHERE l.job_id = o.job_id)
WHERE NOT o.is_terminal AND o.presence <> 'gone'
ORDER BY o.started, o.job_id
