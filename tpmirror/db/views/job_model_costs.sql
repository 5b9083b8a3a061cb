-- A model of a job with its share of what the job is charged; a job without models or weights keeps it in one row without.
-- job_id (integer): job
-- position (integer): place of the model in the API's list, from 0; null in the row without a model
-- ml_model_id (integer): model; null if no model of the job has a weight above 0
-- cost_weight (real): the model's weight when the job was first seen with it
-- share_units (integer): the share in ten-thousandths of a Credit
-- credits (money): the share in Credits; the shares of a job sum to its charge exactly, 0 for a free preview
WITH
  -- Where one job is asked for, no other may be read: SQLite would make a table of all that are charged, as it would of
  -- the heaviest models by a GROUP BY.
  charged AS NOT MATERIALIZED (
    SELECT id, CASE WHEN preview THEN 0 ELSE CAST(ROUND(COALESCE(cost_usd, 0) * 10000) AS bigint) END AS units
    FROM jobs
  ),
  weighted AS (
    -- Weights relative to the job's largest, as whole numbers: then everything below is exact.
    SELECT
      l.job_id,
      l.position,
      l.ml_model_id,
      l.cost_weight,
      CAST(ROUND(100000000 * l.cost_weight / MAX(l.cost_weight) OVER (PARTITION BY l.job_id)) AS bigint) AS weight,
      CASE WHEN j.units < 0 THEN -1 ELSE 1 END AS sign,
      ABS(j.units) AS units
    FROM charged AS j
    JOIN job_ml_models AS l ON l.job_id = j.id
    WHERE l.cost_weight BETWEEN 0.000001 AND 1000000
  ),
  divided AS (
    SELECT w.*, CAST(SUM(w.weight) OVER (PARTITION BY w.job_id) AS bigint) AS weights FROM weighted AS w
  ),
  ranked AS (
    -- Largest remainder: the units that whole shares leave over go to the largest fractions, one each.
    SELECT
      d.*,
      d.units * d.weight / d.weights AS whole,
      ROW_NUMBER() OVER job AS place,
      d.units - CAST(
        SUM(d.units * d.weight / d.weights) OVER (job ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS bigint
      ) AS left_over
    FROM divided AS d
    WINDOW job AS (PARTITION BY d.job_id ORDER BY d.units * d.weight % d.weights DESC, d.position)
  )
SELECT
  job_id,
  position,
  ml_model_id,
  cost_weight,
  sign * (whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END) AS share_units,
  ROUND(sign * (whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END) / 10000.0, 4) AS credits
FROM ranked
UNION ALL
SELECT
  j.id,
  NULL,
  NULL,
  NULL,
  j.units,
  ROUND(j.units / 10000.0, 4)
FROM charged AS j
WHERE NOT EXISTS (
  SELECT 1 FROM job_ml_models AS l WHERE l.job_id = j.id AND l.cost_weight BETWEEN 0.000001 AND 1000000
)
