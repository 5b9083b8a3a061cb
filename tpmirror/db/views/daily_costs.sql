-- Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.
-- day (date): day (UTC)
-- jobs (integer): jobs that count on it
-- credits (money): what they are charged today; sums to job_overview.credits exactly
SELECT
  day,
  COUNT(*) AS jobs,
  -- In whole ten-thousandths, so that no sum of binary fractions is off in the last decimal.
  ROUND(SUM(CAST(ROUND(COALESCE(credits, 0) * 10000) AS bigint)) / 10000.0, 4) AS credits
FROM job_overview
WHERE NOT preview
GROUP BY day
