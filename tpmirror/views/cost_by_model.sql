-- Credits per month (UTC) and model: a job's cost shared among its models by their weights at the time.
-- month (text): month in which the jobs count, YYYY-MM
-- ml_model_id (integer): model; null for jobs without models or weights
-- model (text): its name
-- task (text): name of its task
-- jobs (integer): jobs that used it; a job with two models counts for each
-- credits (money): its share of their cost; sums to jobs.cost_usd exactly
SELECT
  o.month,
  c.ml_model_id,
  m.name AS model,
  t.name AS task,
  COUNT(DISTINCT o.job_id) AS jobs,
  ROUND(SUM(c.share_units) / 10000.0, 4) AS credits
FROM job_model_costs AS c
JOIN job_overview AS o ON o.job_id = c.job_id
LEFT JOIN ml_models AS m ON m.id = c.ml_model_id
LEFT JOIN ml_tasks AS t ON t.code = m.task
GROUP BY o.month, c.ml_model_id, m.name, t.name
