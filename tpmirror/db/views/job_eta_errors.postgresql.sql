-- How far off the ETA of a finished job was, per tenth of progress: sums over the looks at it while it was processing.
-- What each column holds: job_eta_errors.sql.
WITH
  samples AS (
    SELECT
      s.job_id,
      j.finished,
      CAST(FLOOR(LEAST(9, GREATEST(0, s.processing_progress * 10))) AS integer) * 10 AS progress_from,
      s.eta_s,
      -- Not EXTRACT: its numeric takes several times as long, for each sample.
      date_part('epoch', j.finished - s.observed_at) AS left_s
    FROM job_progress_samples AS s
    JOIN jobs AS j ON j.id = s.job_id
    WHERE j.status = 2 AND j.finished > s.observed_at AND s.eta_s IS NOT NULL AND s.processing_progress IS NOT NULL
  )
-- Grouped by the time too: then a condition on it is met before any sample is read.
SELECT
  job_id,
  finished,
  progress_from,
  COUNT(*) AS samples,
  SUM(eta_s - left_s) AS error_s,
  SUM(ABS(eta_s - left_s)) AS abs_error_s,
  SUM(ABS(eta_s - left_s) / left_s) AS relative_error
FROM samples
GROUP BY job_id, finished, progress_from
