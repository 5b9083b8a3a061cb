-- How far off the ETA was, per model and tenth of progress: finished jobs, one sample per look while they were processing.
-- ml_model_id (integer): model; a job with two models counts for each
-- model (text): its name
-- progress_from (integer): progress in percent, lower end of the tenth: 0, 10 ... 90
-- jobs (integer): finished jobs with samples
-- samples (integer): samples
-- mean_error_s (real): mean of predicted minus true seconds left: above 0 the ETA was too pessimistic
-- mean_abs_error_s (real): mean of its absolute value
-- mean_relative_error (real): mean of the absolute error by the true seconds left
SELECT
  m.id AS ml_model_id,
  m.name AS model,
  e.progress_from,
  COUNT(*) AS jobs,
  CAST(SUM(e.samples) AS bigint) AS samples,
  SUM(e.error_s) / SUM(e.samples) AS mean_error_s,
  SUM(e.abs_error_s) / SUM(e.samples) AS mean_abs_error_s,
  SUM(e.relative_error) / SUM(e.samples) AS mean_relative_error
FROM job_eta_errors AS e
JOIN (SELECT DISTINCT job_id, ml_model_id FROM job_ml_models) AS l ON l.job_id = e.job_id
JOIN ml_models AS m ON m.id = l.ml_model_id
GROUP BY m.id, m.name, e.progress_from
