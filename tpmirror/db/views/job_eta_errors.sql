-- How far off the ETA of a finished job was, per tenth of progress: sums over the looks at it while it was processing.
-- job_id (integer): job
-- finished (time): when it finished
-- progress_from (integer): progress in percent, lower end of the tenth: 0, 10 ... 90
-- samples (integer): samples
-- error_s (real): sum of predicted minus true seconds left: above 0 the ETA was too pessimistic
-- abs_error_s (real): sum of its absolute values
-- relative_error (real): sum of the absolute errors by the true seconds left
WITH
  samples AS (
    SELECT
      s.job_id,
      j.finished,
      CAST(MIN(9, MAX(0, s.processing_progress * 10)) AS integer) * 10 AS progress_from,
      s.eta_s,
      86400 * (julianday(j.finished) - julianday(s.observed_at)) AS left_s
    FROM job_progress_samples AS s
    JOIN jobs AS j ON j.id = s.job_id
    -- The plus keeps SQLite from the index of the status: that of the time finds the jobs of a period.
    WHERE +j.status = 2 AND j.finished > s.observed_at AND s.eta_s IS NOT NULL AND s.processing_progress IS NOT NULL
  )
-- Grouped by the time too: then a condition on it is met before any sample is read.
SELECT
  job_id,
  finished,
  progress_from,
  COUNT(*) AS samples,
  -- SQLite works left_s out each time that it is named: once each, then.
  SUM(eta_s) - SUM(left_s) AS error_s,
  SUM(ABS(eta_s - left_s)) AS abs_error_s,
  SUM(ABS(eta_s / left_s - 1)) AS relative_error
FROM samples
GROUP BY job_id, finished, progress_from
