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
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(a.started))), 3) AS waiting_s,
  a.status_since,
  ROUND(MAX(0, 86400 * (julianday('now') - julianday(a.status_since))), 3) AS status_s,
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
