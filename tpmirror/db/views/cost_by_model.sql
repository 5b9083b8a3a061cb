-- Credits per month (UTC) and model: what a job is charged, shared among its models by their weights at the time.
-- month (text): month in which the jobs count, YYYY-MM
-- ml_model_id (integer): model; null for jobs without models or weights
-- model (text): its name
-- task (text): name of its task
-- jobs (integer): jobs that used it, previews left out; a job with two models counts for each
-- credits (money): its share of their charges; sums to job_overview.credits exactly
SELECT
  g.month,
  g.ml_model_id,
  m.name AS model,
  t.name AS task,
  g.jobs,
  ROUND(g.units / 10000.0, 4) AS credits
FROM (
  -- Names come after the sums: rows are sorted by numbers and months alone.
  SELECT o.month, c.ml_model_id, COUNT(DISTINCT o.job_id) AS jobs, SUM(c.share_units) AS units
  FROM job_model_costs AS c JOIN job_overview AS o ON o.job_id = c.job_id
  WHERE NOT o.preview
  GROUP BY o.month, c.ml_model_id
) AS g
LEFT JOIN ml_models AS m ON m.id = g.ml_model_id
LEFT JOIN ml_tasks AS t ON t.code = m.task
