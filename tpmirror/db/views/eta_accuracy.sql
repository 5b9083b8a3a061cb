-- How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.
-- ml_model_id (integer): model; a job with two models counts for each
-- model (text): its name
-- progress_from (integer): progress in percent, lower end of the tenth: 0, 10 ... 90
-- jobs (integer): finished jobs with samples
-- samples (integer): samples
-- mean_error_s (real): mean of predicted minus true seconds left: above 0 the ETA was too pessimistic
-- mean_abs_error_s (real): mean of its absolute value
-- mean_relative_error (real): mean of the absolute error by the true seconds left
WITH
  samples AS (
    SELECT
      s.job_id,
      CAST(MIN(9, MAX(0, s.processing_progress * 10)) AS integer) * 10 AS progress_from,
      s.eta_s,
      86400 * (julianday(j.finished) - julianday(s.observed_at)) AS left_s
    FROM job_progress_samples AS s
    JOIN jobs AS j ON j.id = s.job_id
    WHERE j.status = 2 AND j.finished > s.observed_at AND s.eta_s IS NOT NULL AND s.processing_progress IS NOT NULL
  ),
  summed AS (
    -- By job first: then each of its models need not look at every sample.
    SELECT
      job_id,
      progress_from,
      COUNT(*) AS samples,
      SUM(eta_s - left_s) AS error_s,
      SUM(ABS(eta_s - left_s)) AS abs_error_s,
      SUM(ABS(eta_s - left_s) / left_s) AS relative_error
    FROM samples
    GROUP BY job_id, progress_from
  )
SELECT
  m.id AS ml_model_id,
  m.name AS model,
  s.progress_from,
  COUNT(DISTINCT s.job_id) AS jobs,
  CAST(SUM(s.samples) AS bigint) AS samples,
  SUM(s.error_s) / SUM(s.samples) AS mean_error_s,
  SUM(s.abs_error_s) / SUM(s.samples) AS mean_abs_error_s,
  SUM(s.relative_error) / SUM(s.samples) AS mean_relative_error
FROM summed AS s
JOIN (SELECT DISTINCT job_id, ml_model_id FROM job_ml_models) AS l ON l.job_id = s.job_id
JOIN ml_models AS m ON m.id = l.ml_model_id
GROUP BY m.id, m.name, s.progress_from
