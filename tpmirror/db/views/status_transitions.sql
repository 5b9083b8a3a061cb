-- A status change that the API showed, labelled; the first row of a job is the mirror's first sight of it.
-- job_id (integer): job
-- seq (integer): number of the change within the job, from 1
-- from_status (integer): status code before; null in the first row
-- from_name (text): status before
-- to_status (integer): status code after
-- to_name (text): status after
-- happened_at (time): the moment upstream states, else when the mirror saw it
-- not_before (time): when the mirror last saw the old status; null in the first row
-- observed_at (time): when the mirror saw the new one
-- occurred_at (time): the moment upstream states, else null
-- preview (boolean): whether the job is a free preview
-- description (text): the job's free text
-- sync_run_id (integer): run that saw it
SELECT
  h.job_id,
  h.seq,
  h.from_status,
  f.name AS from_name,
  h.to_status,
  t.name AS to_name,
  COALESCE(h.occurred_at, h.observed_at) AS happened_at,
  h.not_before,
  h.observed_at,
  h.occurred_at,
  COALESCE(j.preview, FALSE) AS preview,
  j.description,
  h.sync_run_id
FROM job_status_history AS h
JOIN jobs AS j ON j.id = h.job_id
LEFT JOIN job_statuses AS f ON f.code = h.from_status
LEFT JOIN job_statuses AS t ON t.code = h.to_status
