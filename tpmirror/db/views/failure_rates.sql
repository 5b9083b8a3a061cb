-- Jobs, failures and cancellations per month (UTC), model and output resolution; free previews count too.
-- month (text): month in which the jobs count, YYYY-MM
-- ml_model_id (integer): model; null for jobs without one; a job with two models counts for each
-- model (text): its name
-- resolution (text): output resolution
-- jobs (integer): jobs, those in flight included
-- finished (integer): jobs that finished
-- failures (integer): jobs that failed
-- cancellations (integer): jobs that were canceled
-- failure_rate (real): failures by all that ended, 0 to 1; null if none ended
-- credits_failed (money): what the failed jobs are charged
SELECT
  o.month,
  l.ml_model_id,
  m.name AS model,
  o.resolution,
  COUNT(*) AS jobs,
  SUM(CASE WHEN o.status = 2 THEN 1 ELSE 0 END) AS finished,
  SUM(CASE WHEN o.status = -1 THEN 1 ELSE 0 END) AS failures,
  SUM(CASE WHEN o.status = -2 THEN 1 ELSE 0 END) AS cancellations,
  CAST(SUM(CASE WHEN o.status = -1 THEN 1 ELSE 0 END) AS double precision)
    / NULLIF(SUM(CASE WHEN o.is_terminal THEN 1 ELSE 0 END), 0) AS failure_rate,
  ROUND(
    SUM(CASE WHEN o.status = -1 THEN CAST(ROUND(COALESCE(o.credits, 0) * 10000) AS bigint) ELSE 0 END) / 10000.0, 4
  ) AS credits_failed
FROM job_overview AS o
LEFT JOIN (SELECT DISTINCT job_id, ml_model_id FROM job_ml_models) AS l ON l.job_id = o.job_id
LEFT JOIN ml_models AS m ON m.id = l.ml_model_id
GROUP BY o.month, l.ml_model_id, m.name, o.resolution
