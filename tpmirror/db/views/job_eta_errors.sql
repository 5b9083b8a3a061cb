-- How far off the ETA of a finished job was, per tenth of progress: sums over the looks at it while it was processing.
-- job_id (integer): job
-- finished (time): when it finished
-- progress_from (integer): progress in percent, lower end of the tenth: 0, 10 ... 90
-- samples (integer): samples
-- error_s (real): sum of predicted minus true seconds left: above 0 the ETA was too pessimistic
-- abs_error_s (real): sum of its absolute values
-- relative_error (real): sum of the absolute errors by the true seconds left
SELECT
  e.job_id,
  j.finished,
  e.progress_from,
  -- As it was when this view counted them itself: PostgreSQL replaces no column by one of another type.
  CAST(e.samples AS bigint) AS samples,
  e.error_s,
  e.abs_error_s,
  e.relative_error
FROM eta_errors AS e
JOIN jobs AS j ON j.id = e.job_id
-- The plus keeps SQLite from the index of the status: that of the time finds the jobs of a period.
WHERE +j.status = 2 AND j.finished IS NOT NULL
